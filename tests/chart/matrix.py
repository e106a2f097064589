"""Values that people install the chart with, each under a name: what holds for the chart holds for all of them."""

from typing import Any, Final

MATRIX: Final[dict[str, dict[str, Any]]] = {
    "default": {},
    "fail-closed": {
        "webhook": {"failurePolicy": "Fail", "timeoutSeconds": 5, "excludedNamespaces": ["cni"]},
        "gate": {"priorityClassName": "system-cluster-critical", "replicas": 3, "drainSeconds": 30.5},
    },
    "opt-in": {"webhook": {"defaultMode": "off"}, "gate": {"scope": "rollouts", "onError": "allow"}},
    "audit-first": {"webhook": {"defaultMode": "audit"}},
    "guarded-label": {"webhook": {"modeLabel": {"protected": True, "groups": ["platform"], "users": ["flux"]}}},
    "cert-manager": {"certificates": {"mode": "cert-manager", "days": 30}},
    "cert-manager-own-issuer": {
        "certificates": {
            "mode": "cert-manager",
            "certManager": {"issuerRef": {"name": "platform", "kind": "ClusterIssuer"}},
        }
    },
    "own-secret": {"certificates": {"mode": "secret", "secret": {"name": "platform-tls"}}},
    "gate-alone": {"patcher": {"enabled": False}},
    "sidecar": {"buildkit": {"mode": "sidecar"}},
    "external-buildkit": {
        "buildkit": {"mode": "external", "address": "tcp://buildkit.example.com:1234", "clientSecret": "buildkit-tls"}
    },
    "user-namespace": {"buildkit": {"userNamespace": True}},
    "user-namespace-sidecar": {"buildkit": {"mode": "sidecar", "userNamespace": True}},
    "narrow-egress": {
        "networkPolicy": {
            "egress": {
                "privateRanges": ["10.0.0.0/8", "fd00::/8"],
                "allow": [{"to": [{"ipBlock": {"cidr": "10.1.0.0/24"}}], "ports": [{"port": 443, "protocol": "TCP"}]}],
                "dns": {
                    "to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "openshift-dns"}}}],
                    "ports": [5353],
                },
                "kubeApiServer": {"cidrs": ["10.0.0.10/32"], "ports": [6443]},
            }
        }
    },
    "socket": {"buildkit": {"mode": "external", "address": "unix:///run/buildkit/buildkitd.sock"}},
    "own-buildkit-certificates": {"buildkit": {"clientSecret": "buildkit-client", "serverSecret": "buildkit-server"}},
    "large": {
        "recordConfigMaps": 20,
        "patcher": {
            "shards": 4,
            "schedule": "30 1 * * *",
            "timeZone": "Europe/Berlin",
            "cache": {"type": "pvc", "size": "20Gi", "accessMode": "ReadWriteMany", "storageClassName": "nfs"},
        },
    },
    "mirrored": {
        "imagePullSecrets": [{"name": "pull"}],
        "gate": {
            "image": {"repository": "registry.example.com/patchgate/gate", "tag": "1", "digest": f"sha256:{0:064}"}
        },
        "patcher": {
            "image": {"repository": "registry.example.com/patchgate/patcher"},
            "trivy": {"dbRepository": "registry.example.com/trivy-db", "server": "http://trivy.scan.svc:4954"},
            "extraEnv": [{"name": "HTTPS_PROXY", "value": "http://proxy.example.com:3128"}],
            "registryCredentials": "patched-registry",
            "plainHttp": ["registry.example.com:5000"],
            "registryMirrors": ["docker.io=mirror.example.com"],
        },
        "buildkit": {
            "registries": [
                {"host": "ghcr.io", "mirrors": ["registry.example.com/ghcr"]},
                {"host": "registry.example.com:5000", "http": True},
            ]
        },
    },
    "clouds": {
        "webhook": {"annotations": {"admissions.enforcer/disabled": "true"}},
        "patcher": {
            "serviceAccount": {"annotations": {"team": "platform"}},
            "cloud": {
                "eks": {"roleArn": "arn:aws:iam::111122223333:role/copa"},
                "gke": {"serviceAccount": "copa@project.iam.gserviceaccount.com"},
                "aks": {"clientId": "00000000-0000-0000-0000-000000000000"},
            },
        },
        "gate": {"port": 10250, "hostNetwork": True, "runAsUser": None},
    },
    "placed": {
        "commonLabels": {"team": "platform"},
        "gate": {
            "nodeSelector": {"pool": "system"},
            "tolerations": [{"key": "system", "operator": "Exists"}],
            "affinity": {"nodeAffinity": {}},
            "podAnnotations": {"note": "gate"},
            "podDisruptionBudget": {"enabled": False},
            "extraArgs": ["--keep-v1"],
        },
        "patcher": {
            "nodeSelector": {"pool": "build"},
            "tolerations": [{"key": "build", "operator": "Exists"}],
            "podAnnotations": {"note": "patcher"},
            "podLabels": {"network": "egress"},
        },
        "buildkit": {"nodeSelector": {"pool": "build"}, "tolerations": [{"key": "build", "operator": "Exists"}]},
        "networkPolicy": {"enabled": False},
    },
    "monitored": {
        "monitoring": {
            "serviceMonitor": {"enabled": True, "labels": {"release": "kube-prometheus-stack"}, "interval": "15s"},
            "alerts": {
                "enabled": True,
                "labels": {"release": "kube-prometheus-stack"},
                "leaveOut": ["PatchgateErrors"],
            },
            "dashboard": {"enabled": True, "annotations": {"grafana_folder": "Platform"}},
        },
    },
    "lists-in-values": {
        "data": {
            "imageList": {"images.txt": "registry.example.com/shop/api:1.4.2\n", "patch_sla_hours": 48},
            "exceptions": {"exceptions.yaml": "[]\n"},
        },
        "networkPolicy": {"opsFrom": [{"ipBlock": {"cidr": "192.0.2.0/24"}}]},
    },
}
