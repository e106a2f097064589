"""Makes the Kubernetes client: whom to ask, as whom, and with which limits. Nothing is asked here.

In a Pod its service account is used; the client reads the token again every minute, as projected tokens rotate.
"""

import os
from typing import Final

from kubernetes.client import ApiClient, Configuration, CoreV1Api
from kubernetes.config import load_incluster_config, load_kube_config

from patchgate.errors import SourceError

_POD_VARIABLE: Final = "KUBERNETES_SERVICE_HOST"
_KUBECONFIG_VARIABLE: Final = "KUBECONFIG"


def make_client() -> CoreV1Api:
    """Make a client: of KUBECONFIG where that is set, in a Pod of its service account, else of ~/.kube/config.

    Raises:
        SourceError: none of them is there, or can be used.
    """
    configuration = Configuration()
    try:
        _configure(configuration)
    except Exception as error:  # the client reads a kubeconfig as it comes: anything may be wrong with it
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise SourceError(
            f"--kubernetes: no cluster to ask: {reason}; set KUBECONFIG, or give the Pod a service account's token"
        ) from error
    configuration.retries = False  # one request is one request: who asks paces them
    configuration.keep_alive = True  # TCP keep-alive, for what lies between and forgets
    return CoreV1Api(ApiClient(configuration))


def _configure(configuration: Configuration) -> None:
    kubeconfig = os.environ.get(_KUBECONFIG_VARIABLE)
    if os.environ.get(_POD_VARIABLE) and not kubeconfig:
        load_incluster_config(configuration)
    else:
        load_kube_config(kubeconfig or None, client_configuration=configuration)
