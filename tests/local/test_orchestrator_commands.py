"""`python -m local up`, `down` and `status`, as somebody types them."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import astuple
from pathlib import Path

import pytest

from local.ports import HOST, PURPOSES, Ports, is_free
from local.tools import ROOT
from local.waiting import wait_until

NOT_RUNNING = 3


def command(folder: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "local", "--folder", str(folder), *words]


def environment(ports: Ports) -> dict[str, str]:
    chosen = {purpose.variable: str(getattr(ports, name)) for name, purpose in PURPOSES.items()}
    return os.environ | chosen


def run(folder: Path, ports: Ports, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(folder, *words), cwd=ROOT, env=environment(ports), capture_output=True, text=True, check=False
    )


@pytest.fixture
def ports() -> Ports:
    return Ports.free()


@pytest.fixture
def starting(tmp_path: Path, ports: Ports) -> Iterator[subprocess.Popen[bytes]]:
    """A system whose emulators run and that is not ready yet."""
    with (tmp_path / "up.txt").open("wb") as output:
        up = subprocess.Popen(command(tmp_path, "up"), cwd=ROOT, env=environment(ports), stdout=output)
    try:
        wait_until(lambda: not is_free(ports.aws), "the emulator of AWS", timeout_seconds=60)
        yield up
    finally:
        up.kill()
        up.wait()


def test_a_busy_port_is_said_and_nothing_is_started(tmp_path: Path, ports: Ports) -> None:
    with socket.create_server((HOST, ports.stripe)):
        answer = run(tmp_path, ports, "up")
    assert answer.returncode == 1
    assert f"Port {ports.stripe}" in answer.stdout
    assert "PARKING_STRIPE_PORT=" in answer.stdout
    assert "Traceback" not in answer.stderr
    assert not (tmp_path / "logs").exists()


def test_a_child_that_dies_is_quoted_and_everything_is_stopped(tmp_path: Path, ports: Ports) -> None:
    # Two children that want one port: the second one cannot live.
    same = Ports(ports.aws, ports.mqtt, ports.aws, ports.sns_record, ports.simulator)
    answer = run(tmp_path, same, "up")
    assert answer.returncode == 1
    assert "ended by itself" in answer.stdout
    assert "The last lines of" in answer.stdout
    assert "Traceback" not in answer.stderr
    same.check_free()


def test_down_ends_a_system_that_is_still_starting(
    tmp_path: Path, ports: Ports, starting: subprocess.Popen[bytes]
) -> None:
    assert run(tmp_path, ports, "status").returncode == NOT_RUNNING
    second = run(tmp_path, ports, "up")
    assert (second.returncode, "runs already" in second.stdout) == (1, True)
    assert run(tmp_path, ports, "down").returncode == 0
    assert starting.wait(1) != 0
    ports.check_free()


def test_a_killed_supervisor_leaves_no_child(tmp_path: Path, ports: Ports, starting: subprocess.Popen[bytes]) -> None:
    starting.kill()
    starting.wait()
    wait_until(lambda: all(map(is_free, astuple(ports))), "the ports to be free again", timeout_seconds=15)
    assert run(tmp_path, ports, "status").returncode == NOT_RUNNING


def test_down_without_a_system_does_nothing_however_often(tmp_path: Path, ports: Ports) -> None:
    for _ in range(2):
        answer = run(tmp_path, ports, "down")
        assert (answer.returncode, answer.stdout.strip()) == (0, "Nothing is running.")


def test_status_without_a_system_says_how_to_start_one(tmp_path: Path, ports: Ports) -> None:
    answer = run(tmp_path, ports, "status")
    assert answer.returncode == NOT_RUNNING
    assert "make up" in answer.stdout
