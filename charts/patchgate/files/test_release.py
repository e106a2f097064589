"""Run by `helm test` in the gate's image: the Service answers with a certificate of its CA, and the gate is armed.

Arguments: the gate's name, its namespace, the port of its Service.
"""

import json
import ssl
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

CA = Path("/etc/patchgate/tls/ca.crt")
TOKEN = Path("/var/run/secrets/kubernetes.io/serviceaccount")
CONFIGURATIONS = "https://kubernetes.default.svc/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
WAIT_SECONDS = 60
REQUEST_SECONDS = 5


def fetch(url: str, ca: Path, **headers: str) -> str:
    """Fetch a page of whoever shows a certificate of this CA; without the file, of a CA of the machine."""
    context = ssl.create_default_context(cafile=ca if ca.exists() else None)
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 -- https alone
    with urllib.request.urlopen(request, timeout=REQUEST_SECONDS, context=context) as answer:  # noqa: S310
        return str(answer.read().decode())


def find_unarmed(name: str) -> list[str]:
    """Find what keeps kube-apiserver from asking: webhooks without a CA, or none at all."""
    token = (TOKEN / "token").read_text(encoding="utf-8").strip()
    said = fetch(f"{CONFIGURATIONS}/{name}", TOKEN / "ca.crt", Authorization=f"Bearer {token}")
    webhooks: list[dict[str, Any]] = json.loads(said).get("webhooks", [])
    return [each["name"] for each in webhooks if not each["clientConfig"].get("caBundle")] if webhooks else [name]


def main() -> int:
    """Try until both are so, or the time is over."""
    name, namespace, port = sys.argv[1:]
    deadline, why = time.monotonic() + WAIT_SECONDS, ""
    while time.monotonic() < deadline:
        try:
            print(fetch(f"https://{name}.{namespace}.svc:{port}/readyz?verbose", CA))
            unarmed = find_unarmed(name)
            if not unarmed:
                print("armed")
                return 0
            why = f"not armed: {', '.join(unarmed)}"
        except (OSError, ValueError) as error:
            why = str(error)
        time.sleep(1)
    print(why, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
