"""The addresses of the node: nothing outside of its own network namespace has them, nothing inside a way out."""

from typing import Final

NODE: Final = "10.77.0.1"
NODE_WITH_PREFIX: Final = f"{NODE}/24"
POD_RANGE: Final = "10.77.1.0/24"
SERVICE_RANGE: Final = "10.77.2.0/24"
API_SERVICE: Final = "10.77.2.1"
"""The first of the range: kube-apiserver takes it for the Service `kubernetes`."""

API_PORT: Final = 6443
ETCD_PORT: Final = 2379
ETCD_PEER_PORT: Final = 2380
DNS_READY_PORT: Final = 8181
KUBELET_HEALTH_PORT: Final = 10248
PROXY_HEALTH_PORT: Final = 10256
PROXY_PORT: Final = 3128
REGISTRY_PORT: Final = 5000
REGISTRY: Final = f"{NODE}:{REGISTRY_PORT}"
"""As it stands in an image's name; plain HTTP, which containerd is told."""
PROXY: Final = f"http://{NODE}:{PROXY_PORT}"
"""The only way out of the node, for who is told of it: tests/node/way_out.py."""
