"""One cold start under AWS's Runtime Interface Emulator, with Lambda's own runtime client."""

import os
import re
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import samcli

from benchmarks.cold.built import Function
from local.ports import HOST

EMULATOR = Path(samcli.__file__).parent / "local" / "rapid" / "aws-lambda-rie-x86_64"
START_SECONDS_MAX = 30
INVOKE_PATH = "2015-03-31/functions/function/invocations"
_INIT = re.compile(r"INIT REPORT\(durationMs: ([0-9.]+)\)")
_INVOKE = re.compile(r"INVOKE RTDONE\(.*duration: ([0-9.]+)ms\)")


class ColdStartFailed(Exception):
    """The function did not start; the text is what the emulator logged."""


@dataclass(frozen=True)
class ColdStart:
    """What the emulator measured, and what the function answered to the first event."""

    init_ms: float
    invoke_ms: float
    answer: Any


def cold_start(function: Function, python: Path, endpoint_url: str, event: dict[str, Any]) -> ColdStart:
    """Start the function, give it one event and end it. Raises ColdStartFailed."""
    address, runtime_api = _two_free_addresses()
    emulator = [str(EMULATOR), "--log-level", "info", "--runtime-interface-emulator-address", address]
    command = [*emulator, "--runtime-api-address", runtime_api, str(python), "-m", "awslambdaric", function.handler]
    with tempfile.TemporaryFile("w+") as log:
        running = subprocess.Popen(
            command, cwd=function.folder, env=_variables(function, endpoint_url), stdout=log, stderr=log
        )
        try:
            answer = _first_answer(f"http://{address}/{INVOKE_PATH}", event)
        finally:
            running.terminate()
            running.wait()
        log.seek(0)
        text = log.read()
    init, invoke = _INIT.search(text), _INVOKE.search(text)
    if init is None or invoke is None or "INIT RTDONE(status: success)" not in text:
        raise ColdStartFailed(f"{function.name}:\n{text}")
    return ColdStart(float(init[1]), float(invoke[1]), answer)


def _two_free_addresses() -> tuple[str, str]:
    with socket.create_server((HOST, 0)) as one, socket.create_server((HOST, 0)) as other:
        return f"{HOST}:{one.getsockname()[1]}", f"{HOST}:{other.getsockname()[1]}"


def _variables(function: Function, endpoint_url: str) -> dict[str, str]:
    return function.variables | {
        "PATH": os.defpath,
        "PYTHONPATH": os.pathsep.join(map(str, function.path)),
        # Lambda's code folder is read-only: what was not compiled at build time is compiled at every start.
        "PYTHONDONTWRITEBYTECODE": "1",
        "LAMBDA_TASK_ROOT": str(function.folder),
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_FUNCTION_TIMEOUT": "60",
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "measured",
        "AWS_SECRET_ACCESS_KEY": "measured",
        "AWS_ENDPOINT_URL": endpoint_url,
    }


def _first_answer(url: str, event: dict[str, Any]) -> Any:
    """The emulator starts the function when the first event comes; until the emulator itself listens, try again.

    None where the function did not start; the log says why.
    """
    deadline = time.monotonic() + START_SECONDS_MAX
    while True:
        try:
            answer = httpx.post(url, json=event, timeout=START_SECONDS_MAX)
        except httpx.ConnectError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return answer.json() if answer.is_success else None


class _NothingStored(BaseHTTPRequestHandler):
    """DynamoDB's answer to GetItem of what is not there."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """Quiet."""


@contextmanager
def nothing_stored() -> Iterator[str]:
    """The address of a DynamoDB that holds nothing."""
    with ThreadingHTTPServer((HOST, 0), _NothingStored) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{HOST}:{server.server_port}"
        server.shutdown()
