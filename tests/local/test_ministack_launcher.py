"""The launcher: what it listens on, and that nothing outlives it."""

import os
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from local.ports import HOST, Ports
from local.tools import ROOT
from tests.local.ministack_support import (
    START_TIMEOUT_SECONDS,
    RunningMiniStack,
    eventually,
    launch_command,
)

ONE_FUNCTION = """
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties: {AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: []}}
  Hello:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.13
      Handler: index.handler
      Role: !GetAtt Role.Arn
      Code: {ZipFile: "def handler(event, context): return 'hello'"}
Outputs:
  Hello: {Value: !Ref Hello}
"""


def living() -> list[tuple[int, int, str]]:
    """(pid, parent's pid, command) of every process that is not a zombie."""
    command = ["ps", "-ww", "-eo", "stat=,pid=,ppid=,args="]
    listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows = [line.split(maxsplit=3) for line in listing.splitlines()]
    return [(int(pid), int(parent), text) for state, pid, parent, text in rows if not state.startswith("Z")]


def running_under(folder: Path, pids: set[int]) -> list[str]:
    """Commands of the living among these processes and of every worker, whose script is in the private folder."""
    return [text for pid, _parent, text in living() if pid in pids or f"{folder}/" in text]


def terminate_launcher(_shell: int, launcher: int) -> None:
    os.kill(launcher, signal.SIGTERM)


def kill_launcher(_shell: int, launcher: int) -> None:
    os.kill(launcher, signal.SIGKILL)


def kill_parent_of_launcher(shell: int, _launcher: int) -> None:
    os.kill(shell, signal.SIGKILL)


@pytest.mark.parametrize("end", [terminate_launcher, kill_launcher, kill_parent_of_launcher])
def test_nothing_outlives_the_launcher(tmp_path: Path, end: Callable[[int, int], None]) -> None:
    running = RunningMiniStack(Ports.free(), tmp_path)
    private = tmp_path / "private"
    private.mkdir()
    shell = subprocess.Popen(
        ["/bin/sh", "-c", '"$@" > "$LOG" 2>&1 & echo $!; wait', "sh", *launch_command(running.ports)],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(private), "LOG": str(tmp_path / "log")},
        stdout=subprocess.PIPE,
    )
    assert shell.stdout is not None
    launcher = int(shell.stdout.readline())
    assert eventually(running.is_ready, bool, START_TIMEOUT_SECONDS), (tmp_path / "log").read_text()
    running.outputs = running.deploy("one", ONE_FUNCTION)
    assert running.invoke("Hello", {}) == "hello"
    pids = {launcher} | {pid for pid, parent, _text in living() if parent == launcher}
    before = running_under(private, pids)

    end(shell.pid, launcher)

    assert len(before) == 3, before  # launcher, MiniStack, one worker
    assert eventually(lambda: running_under(private, pids), lambda found: not found) == []
    assert eventually(lambda: list(private.iterdir()), lambda found: not found) == []
    shell.wait(timeout=10)
    shell.stdout.close()


def test_a_port_in_use_is_named_and_nothing_is_started() -> None:
    ports = Ports.free()
    with socket.create_server((HOST, ports.mqtt)):
        command = launch_command(ports)
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=10, check=False)
    assert ended.returncode == 2
    assert ended.stderr == f"local.ministack: port in use on {HOST}: {ports.mqtt}\n"


def test_every_port_listens_on_the_loopback_interface_only(patched: RunningMiniStack) -> None:
    for port in (patched.ports.aws, patched.ports.mqtt, patched.ports.sns_record):
        socket.create_connection((HOST, port), timeout=5).close()
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.2", port), timeout=5)


def test_without_the_patch_mqtt_listens_on_every_interface(unpatched: RunningMiniStack) -> None:
    socket.create_connection(("127.0.0.2", unpatched.ports.mqtt), timeout=5).close()
