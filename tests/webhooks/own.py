"""The webhooks of a gate as its ConfigMap has them: the least that is within the bounds."""

from typing import Any

SERVICE, NAMESPACE = "patchgate", "copa-system"
_RESOURCES = {
    "": ["pods", "pods/ephemeralcontainers", "replicationcontrollers"],
    "apps": ["daemonsets", "deployments", "replicasets", "statefulsets"],
    "batch": ["cronjobs", "jobs"],
}


def own_webhooks(service: str = SERVICE, namespace: str = NAMESPACE, port: int = 443) -> list[dict[str, Any]]:
    """Make the three webhooks of a gate, by its Service."""
    return [
        {
            "name": f"{mode}.patchgate.io",
            "clientConfig": {
                "service": {"name": service, "namespace": namespace, "port": port, "path": f"/validate/{mode}"}
            },
            "failurePolicy": "Ignore",
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
            "namespaceSelector": {
                "matchExpressions": [
                    {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["kube-system"]},
                    {"key": "patchgate.io/mode", "operator": "NotIn", "values": ["warn", "audit"]}
                    if mode == "enforce"
                    else {"key": "patchgate.io/mode", "operator": "In", "values": [mode]},
                ]
            },
            "rules": [
                {
                    "apiGroups": [group],
                    "apiVersions": ["v1"],
                    "operations": ["CREATE", "UPDATE"],
                    "resources": list(resources),
                    "scope": "Namespaced",
                }
                for group, resources in _RESOURCES.items()
            ],
        }
        for mode in ("enforce", "warn", "audit")
    ]
