"""The demo: the gate on a realistic world, asked over TLS as kube-apiserver asks.

Sends one AdmissionReview of an unpatched image and one of the patched image, shows both answers, then serves until
Ctrl-C or SIGTERM, which end it with 0. With --once it ends by itself: 0 only if the first was refused and the second
admitted.
"""

import argparse
import contextlib
import http.client
import json
import shlex
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from layout import lay_out

DEMO = Path(__file__).parent
READY_SECONDS = 120  # a machine may be busy; a gate that ended is noticed at once


def main() -> int:
    """Run the demo; give its exit code."""
    arguments = read_arguments()
    handle_signals(signal.default_int_handler)
    try:
        return run(arguments.port, is_once=arguments.once)
    except KeyboardInterrupt:
        print("\nThe gate has stopped.")
        return 0


def run(wanted_port: int, *, is_once: bool) -> int:
    """Show both reviews, and serve unless it is once; give the exit code."""
    world = Path("build/demo")
    print(f"Writing the demo's data to {world}: listed images, patch records, exceptions", flush=True)
    for folder in ("configmaps", "reviews"):
        lay_out(DEMO / folder, world / folder, datetime.now(UTC))
    port, ops_port = choose_port(wanted_port), choose_port(8080)
    print("Starting the gate on that data, with a certificate of its own", flush=True)
    with run_gate(world, port, ops_port) as gate:
        wait_until_ready(gate, world, port)
        print("Asking it over TLS, as kube-apiserver does", flush=True)
        is_right = show_reviews(world, port)
        if is_once:
            return 0 if is_right else 1
        show_what_to_try(world, port, ops_port)
        gate.wait()
    print("The gate ended by itself; its own message above says why.", file=sys.stderr)
    return 1


def read_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--once", action="store_true", help="end after the two reviews")
    parser.add_argument("--port", type=int, default=8443, help="where the gate listens; another one if it is taken")
    return parser.parse_args()


def choose_port(wanted: int) -> int:
    """Give the wanted port, or a free one where it is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            print(f"Port {wanted} is taken: a free one is used.")
            probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def run_gate(world: Path, port: int, ops_port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """Run `patchgate serve` on the world, with a CA and a leaf of its own, until the block ends."""
    listen = ["--listen", f"127.0.0.1:{port}", "--ops-listen", f"127.0.0.1:{ops_port}"]
    options = ["--source", f"{world}/configmaps", *listen, "--self-signed", f"{world}/tls", "--drain-seconds", "0"]
    early: list[int] = []
    handle_signals(lambda number, _: early.append(number))  # no gate may be left behind that is only half started
    gate = subprocess.Popen([sys.executable, "-m", "patchgate", "serve", *options])
    try:
        handle_signals(signal.default_int_handler)
        if early:
            raise KeyboardInterrupt
        yield gate
    finally:
        handle_signals(signal.SIG_IGN)  # the rest takes a moment
        gate.terminate()
        gate.wait()


def handle_signals(handler: Callable[[int, FrameType | None], object] | signal.Handlers) -> None:
    """Have Ctrl-C and SIGTERM do the same, also where a shell started this in its background, with Ctrl-C ignored."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handler)


def wait_until_ready(gate: "subprocess.Popen[bytes]", world: Path, port: int) -> None:
    """Wait until the gate says that it is ready; give up when it has ended, or after READY_SECONDS."""
    deadline = time.monotonic() + READY_SECONDS
    while gate.poll() is None and time.monotonic() < deadline:
        try:
            if call(world, port, "GET", "/readyz")[0] == http.client.OK:
                return
        except OSError:
            time.sleep(0.05)
    sys.exit("The gate did not get ready; its own message above says why.")


def call(world: Path, port: int, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    """Send one request over TLS, trusting the gate's own CA alone; give status and body."""
    trust = ssl.create_default_context(cafile=str(world / "tls/ca.crt"))
    connection = http.client.HTTPSConnection("127.0.0.1", port, context=trust, timeout=30)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def show_reviews(world: Path, port: int) -> bool:
    """Send both reviews and show what the gate says; tell whether one was refused and the other admitted."""
    answers = [show_review(world, port, name) for name in ("unpatched", "patched")]
    return answers == [False, True]


def show_review(world: Path, port: int, name: str) -> bool:
    """Send one review, show question and answer, and tell whether it was admitted."""
    review = (world / "reviews" / f"{name}.json").read_bytes()
    request = json.loads(review)["request"]
    image = request["object"]["spec"]["containers"][0]["image"]
    response = json.loads(call(world, port, "POST", "/validate/enforce?timeout=30s", review)[1])["response"]
    print(f"\n{request['userInfo']['username']} creates Pod {request['namespace']}/{request['name']} with {image}")
    if response["allowed"]:
        print("  admitted")
    else:
        status = response["status"]
        print(f"  refused: {status['code']} {status['reason']}\n  {status['message']}")
    return bool(response["allowed"])


def show_what_to_try(world: Path, port: int, ops_port: int) -> None:
    """Show the page, and the commands that a person may try next: each line may be pasted into any shell."""
    curl = ["curl", "--cacert", f"{world}/tls/ca.crt"]
    gate = f"https://127.0.0.1:{port}"
    image = json.dumps({"images": ["registry.example.com/shop/worker:2.1.0"]})
    review = ["-H", "Content-Type: application/json", "-d", f"@{world}/reviews/unpatched.json"]
    patchgate, source = str(Path(sys.executable).with_name("patchgate")), f"{world}/configmaps"
    print(f"\nThe gate serves until Ctrl-C. Its status page: http://127.0.0.1:{ops_port}/")
    print("In another terminal:\n")
    for command in (
        ["cd", str(Path.cwd())],
        [*curl, f"{gate}/v1/decisions", "-d", image],
        [*curl, f"{gate}/validate/warn", *review],
        [*curl, f"{gate}/readyz?verbose"],
        [patchgate, "report", "--source", source],
        [patchgate, "check", "--source", source, "-f", "examples/demo/manifests"],
    ):
        print(f"  {shlex.join(command)}")
    print(flush=True)


if __name__ == "__main__":
    sys.exit(main())
