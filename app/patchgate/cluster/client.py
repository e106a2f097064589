"""Makes the Kubernetes client: whom to ask, as whom, and with which limits. Nothing is asked here."""

import os
from functools import partial
from pathlib import Path
from typing import Final

from kubernetes.client import ApiClient, Configuration, CoreV1Api
from kubernetes.config import load_kube_config
from kubernetes.config.incluster_config import InClusterConfigLoader

from patchgate.cluster.access import Access
from patchgate.errors import SourceError

SERVICE_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where a Pod has its token and kube-apiserver's CA (Kubernetes documentation, "Accessing the API from a Pod")."""
_POD_VARIABLE: Final = "KUBERNETES_SERVICE_HOST"
_KUBECONFIG_VARIABLE: Final = "KUBECONFIG"


def make_client(access: Access | None = None, service_account: Path = SERVICE_ACCOUNT) -> CoreV1Api:
    """Make a client: as `access` says, else of KUBECONFIG if set, in a Pod its service account, else ~/.kube/config.

    Raises:
        SourceError: none of them is there, or can be used.
    """
    configuration = Configuration()
    try:
        _configure(configuration, access or Access(), service_account)
    except Exception as error:  # the client reads a kubeconfig as it comes: anything may be wrong with it
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        cure = "set KUBECONFIG or --kubeconfig, or give the Pod a service account's token"
        raise SourceError(f"--kubernetes: no cluster to ask: {reason}; {cure}") from error
    configuration.retries = False  # one request is one request: who asks paces them
    configuration.keep_alive = True  # TCP keep-alive, for what lies between and forgets
    client = ApiClient(configuration)
    client.user_agent = "patchgate"  # whom audit logs and API priority see
    return CoreV1Api(client)


def _configure(configuration: Configuration, access: Access, service_account: Path) -> None:
    kubeconfig = str(access.kubeconfig or os.environ.get(_KUBECONFIG_VARIABLE, ""))
    if not os.environ.get(_POD_VARIABLE) or kubeconfig or access.context:
        load_kube_config(kubeconfig or None, access.context, configuration)
        return
    token, ca = str(service_account / "token"), str(service_account / "ca.crt")
    InClusterConfigLoader(token, ca, try_refresh_token=False).load_and_set(configuration)
    configuration.refresh_api_key_hook = partial(  # type: ignore[assignment] # which the client declares as None
        _read_token, service_account / "token"
    )
    configuration.get_api_key_with_prefix("BearerToken")


def _read_token(path: Path, configuration: Configuration) -> None:
    """Read the token, before every request: the kubelet rotates it. One that cannot be read leaves the last."""
    try:
        token = path.read_text(encoding="utf-8").strip()
    except OSError:
        return
    if token:
        configuration.api_key["BearerToken"] = f"Bearer {token}"
