"""The files that the node's programs are started with; inside the node its folder is /run/node."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.node import addresses

INSIDE: Final = Path("/run/node")
PAUSE: Final = "pause:1"
"""The image of the sandbox of every Pod, in the node's registry."""
CONTAINERD_SOCKET: Final = "/run/containerd/containerd.sock"
_CNI_PLUGINS: Final = "/usr/lib/cni"  # where Debian has them

_CONTAINERD: Final = f"""
version = 2
root = "{INSIDE}/containerd"
state = "/run/containerd"
[grpc]
  address = "{CONTAINERD_SOCKET}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{addresses.REGISTRY}/{PAUSE}"
  disable_apparmor = true
  # Without CAP_SYS_RESOURCE, which a container on a build machine lacks, no score may be lowered.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "{INSIDE}/registries"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{_CNI_PLUGINS}"
    conf_dir = "{INSIDE}/cni"
"""
MIRRORED: Final = ("docker.io", "ghcr.io")
"""Registries that the node's own stands for, so that images keep their names."""
_REGISTRY_HOST: Final = f"""
server = "http://{addresses.REGISTRY}"
[host."http://{addresses.REGISTRY}"]
  capabilities = ["pull", "resolve"]
"""
_BRIDGE: Final = {
    "cniVersion": "1.0.0",
    "name": "node",
    "plugins": [
        {
            "type": "bridge",
            "bridge": "cni0",
            "isGateway": True,
            "hairpinMode": True,  # a Pod may reach itself through its Service
            "ipam": {
                "type": "host-local",
                "dataDir": "/run/cni-addresses",
                "ranges": [[{"subnet": addresses.POD_RANGE}]],
                "routes": [{"dst": "0.0.0.0/0"}],
            },
        },
        {"type": "portmap", "capabilities": {"portMappings": True}},
    ],
}
_COREFILE: Final = f"""
.:53 {{
  bind {addresses.NODE}
  errors
  ready {addresses.NODE}:{addresses.DNS_READY_PORT}
  cache 5
  kubernetes cluster.local in-addr.arpa {{
    kubeconfig %s
  }}
}}
"""


def write_containerd(folder: Path) -> Path:
    """Write containerd's, with the registry's and the network's; gives its name inside."""
    for registry in (addresses.REGISTRY, *MIRRORED):
        _write(folder / "registries" / registry / "hosts.toml", _REGISTRY_HOST)
    _write(folder / "cni" / "10-bridge.conflist", json.dumps(_BRIDGE))
    _write(folder / "containerd.toml", _CONTAINERD)
    return INSIDE / "containerd.toml"


def write_registry(folder: Path, content: Path) -> Path:
    """Write that of the registry. content: the folder of its images."""
    settings = {
        "version": "0.1",
        "log": {"level": "warn"},
        "storage": {"filesystem": {"rootdirectory": str(content)}, "delete": {"enabled": True}},
        "http": {"addr": addresses.REGISTRY},
    }
    return _write_json(folder / "docker-registry.json", settings)


def write_kubelet(folder: Path, certificate: Path, key: Path, ca: Path) -> Path:
    """Write kubelet's; gives its name inside."""
    content = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "failCgroupV1": False,
        "failSwapOn": False,
        "cgroupDriver": "cgroupfs",
        "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
        "address": addresses.NODE,
        "healthzBindAddress": "127.0.0.1",
        "healthzPort": addresses.KUBELET_HEALTH_PORT,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(INSIDE / ca.name)},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(INSIDE / certificate.name),
        "tlsPrivateKeyFile": str(INSIDE / key.name),
        "resolvConf": "",
        "clusterDNS": [addresses.NODE],
        "clusterDomain": "cluster.local",
        "volumePluginDir": str(INSIDE / "volume-plugins"),
        # A disk that is nearly full fails no test, and no image is removed from under one.
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
    }
    _write_json(folder / "kubelet.json", content)
    return INSIDE / "kubelet.json"


def write_proxy(folder: Path, kubeconfig: Path) -> Path:
    """Write kube-proxy's."""
    content = {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "hostnameOverride": "n1",
        "bindAddress": addresses.NODE,
        "healthzBindAddress": f"127.0.0.1:{addresses.PROXY_HEALTH_PORT}",
        "clusterCIDR": addresses.POD_RANGE,
        "clientConnection": {"kubeconfig": str(kubeconfig)},
        # The machine's own limits of connections stay: they are not the network namespace's.
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
    }
    return _write_json(folder / "proxy.json", content)


def write_dns(folder: Path, kubeconfig: Path) -> Path:
    """Write CoreDNS's."""
    return _write(folder / "Corefile", _COREFILE % kubeconfig)


def _write_json(file: Path, content: Mapping[str, object]) -> Path:
    return _write(file, json.dumps(content))


def _write(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file
