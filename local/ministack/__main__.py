"""Run the patched MiniStack as one process tree that leaves nothing behind.

    <emulator python> -m local.ministack --port P --mqtt-port M --sns-record-port R [--without PATCH ...]

The working directory is the project root. This process only watches: MiniStack itself runs in a child with a process
group and a TMPDIR of its own. When the child ends, when this process is told to stop, or when its own parent is gone,
the whole group (Lambda workers included) is killed and TMPDIR is deleted. Nothing is persisted, so there is nothing
to shut down gently. The child watches this process in turn (see server.py), which covers a SIGKILL of the watcher.
"""

import argparse
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from types import FrameType

from local.ministack.patches import PATCH_NAMES

HOST = "127.0.0.1"
PARENT_CHECK_INTERVAL_SECONDS = 0.5
# Settings of the host that would leak into every Lambda worker, or switch persistence on.
DROPPED_VARIABLES = ("PYTHONPATH", "PERSIST_STATE", "S3_PERSIST", "LOCALSTACK_PERSISTENCE", "EDGE_PORT", "USE_SSL")


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="local.ministack", description=__doc__.partition("\n")[0])
    parser.add_argument("--port", type=int, required=True, help="HTTP port of the AWS API")
    parser.add_argument("--mqtt-port", type=int, required=True, help="mutual-TLS MQTT port of IoT Core")
    parser.add_argument("--sns-record-port", type=int, required=True, help="HTTP port that shows what SNS published")
    parser.add_argument(
        "--without", nargs="*", default=[], choices=PATCH_NAMES, metavar="PATCH", help="patches left off"
    )
    return parser.parse_args(arguments)


def child_environment(host: Mapping[str, str], options: argparse.Namespace, temporary_folder: str) -> dict[str, str]:
    """The environment of MiniStack, which every Lambda worker inherits: no AWS settings of the host."""
    kept = {k: v for k, v in host.items() if k not in DROPPED_VARIABLES and not k.startswith("AWS_")}
    return kept | {
        "AUTH": "true",
        "AWS_ENDPOINT_URL": f"http://{HOST}:{options.port}",
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(options.port),
        "IOT_MTLS_PORT": str(options.mqtt_port),
        "S3_DATA_DIR": f"{temporary_folder}/s3",
        "STATE_DIR": f"{temporary_folder}/state",
        "TMPDIR": temporary_folder,
    }


def busy_ports(ports: list[int]) -> list[int]:
    """The ports that somebody on the loopback interface already listens on."""
    busy = []
    for port in ports:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                busy.append(port)
    return busy


def watch(child: subprocess.Popen[bytes]) -> int:
    """Wait until the child ends or this process has lost its parent; returns the exit status."""
    parent_pid = os.getppid()
    while os.getppid() == parent_pid:
        try:
            return child.wait(timeout=PARENT_CHECK_INTERVAL_SECONDS)
        except subprocess.TimeoutExpired:
            continue
    return 0


def stop_on_signal(signal_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + signal_number)


def main() -> int:
    options = parse_arguments(sys.argv[1:])
    if busy := busy_ports([options.port, options.mqtt_port, options.sns_record_port]):
        print(f"local.ministack: port in use on {HOST}: {', '.join(map(str, busy))}", file=sys.stderr)
        return 2
    for signal_number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(signal_number, stop_on_signal)
    temporary_folder = tempfile.mkdtemp(prefix="smart-parking-ministack-")
    child: subprocess.Popen[bytes] | None = None
    try:
        child = subprocess.Popen(
            [sys.executable, "-m", "local.ministack.server", str(options.sns_record_port), *options.without],
            stdin=subprocess.PIPE,
            env=child_environment(os.environ, options, temporary_folder),
            start_new_session=True,
        )
        return watch(child)
    finally:
        if child is not None:
            # The group's id is the child's pid; it stays valid while a worker lives, even if the child has ended.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        shutil.rmtree(temporary_folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
