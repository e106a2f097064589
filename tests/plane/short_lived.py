"""`patchgate serve` whose CA and leaves live for seconds: what no flag can say, as nobody should."""

import argparse
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from patchgate.gate.compose import run_gate
from patchgate.gate.settings import Address, GateSettings, TlsSecret
from patchgate.pki.lives import Lives
from patchgate.sources.config_source import Directory


def main() -> None:
    parser = argparse.ArgumentParser()
    for flag in ("--source", "--system-namespace", "--service-name", "--tls-secret", "--webhook-configuration"):
        parser.add_argument(flag, required=True)
    for flag in ("--ca-seconds", "--leaf-seconds", "--settle-seconds", "--drain-seconds"):
        parser.add_argument(flag, type=float, required=True)
    parser.add_argument("--listen")
    parser.add_argument("--ops-listen")
    given = parser.parse_args()
    lives = Lives(
        ca=timedelta(seconds=given.ca_seconds),
        leaf=timedelta(seconds=given.leaf_seconds),
        backdate=timedelta(seconds=20),
        settle=timedelta(seconds=given.settle_seconds),
    )
    settings = GateSettings(
        source=Directory(Path(given.source)),
        listen=Address("127.0.0.1", 0),
        ops_listen=Address("127.0.0.1", 0),
        tls=TlsSecret(given.tls_secret, issues=True, webhook_configuration=given.webhook_configuration, lives=lives),
        drain_seconds=given.drain_seconds,
        namespace=given.system_namespace,
        service=given.service_name,
    )
    run_gate(settings, clock=lambda: datetime.now(UTC), log_stream=sys.stderr)


if __name__ == "__main__":
    main()
