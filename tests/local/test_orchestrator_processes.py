"""Children are watched, quoted when they die, and never left behind. A child lives as long as its port answers."""

import subprocess
import sys
from pathlib import Path

import pytest

from local.errors import LocalError
from local.ports import Ports, is_free
from local.processes import TETHER, Processes, Stopped
from local.waiting import wait_until

LISTENS = "import socket, sys, time; server = socket.create_server(('127.0.0.1', int(sys.argv[1]))); time.sleep(600)"
IGNORES_SIGTERM = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {LISTENS}"
LEAVES_A_CHILD = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {LISTENS!r}, sys.argv[1]])"
WAITS_FOR_A_CHILD = f"{LEAVES_A_CHILD}.wait()"


def is_listening(port: int) -> bool:
    return not is_free(port)


def python(program: str, port: int) -> list[object]:
    return [sys.executable, "-c", program, port]


@pytest.fixture
def port() -> int:
    return Ports.free().aws


@pytest.mark.parametrize("program", [LISTENS, IGNORES_SIGTERM, WAITS_FOR_A_CHILD])
def test_stopping_leaves_nothing_running(tmp_path: Path, port: int, program: str) -> None:
    with Processes(tmp_path) as processes:
        processes.start("listener", python(program, port), {})
        processes.wait_until(lambda: is_listening(port), "the listener", timeout_seconds=10)
    assert not is_listening(port)


def test_a_killed_supervisor_leaves_nothing_running(port: int) -> None:
    command = [sys.executable, str(TETHER), *map(str, python(LISTENS, port))]
    tether = subprocess.Popen(command, stdin=subprocess.PIPE)
    wait_until(lambda: is_listening(port), "the listener", timeout_seconds=10)
    assert tether.stdin is not None
    tether.stdin.close()  # what the operating system does to a killed process's pipes
    tether.wait(10)
    # The tether has killed it; when the system has closed its sockets is the system's affair.
    wait_until(lambda: is_free(port), "the port to be free again", timeout_seconds=10)


def test_what_a_child_left_behind_ends_with_it(tmp_path: Path, port: int) -> None:
    with Processes(tmp_path) as processes:
        child = processes.start("leaver", python(LEAVES_A_CHILD, port), {})
        child.process.wait(10)
    assert not is_listening(port)


def test_a_dead_child_is_named_with_its_last_lines(tmp_path: Path, port: int) -> None:
    with Processes(tmp_path) as processes:
        processes.start("listener", python(LISTENS, port), {})
        dying = processes.start("bad child", [sys.executable, "-c", "print('out of luck'); raise SystemExit(3)"], {})
        dying.process.wait(10)
        with pytest.raises(LocalError, match=r"bad child ended by itself with exit status 3(.|\n)*out of luck"):
            processes.check()
    assert not is_listening(port)


def test_a_waiting_step_notices_that_a_child_died(tmp_path: Path) -> None:
    with Processes(tmp_path) as processes:
        processes.start("short", [sys.executable, "-c", "pass"], {})
        with pytest.raises(LocalError, match="short ended by itself"):
            processes.wait_until(lambda: False, "never", timeout_seconds=10)


def test_a_wait_in_vain_says_for_what(tmp_path: Path) -> None:
    with Processes(tmp_path) as processes, pytest.raises(LocalError, match="for a miracle"):
        processes.wait_until(lambda: False, "a miracle", timeout_seconds=0.1)


def test_a_failed_command_is_quoted(tmp_path: Path) -> None:
    with Processes(tmp_path) as processes, pytest.raises(LocalError, match=r"build failed(.|\n)*no such thing"):
        processes.run("build", [sys.executable, "-c", "raise SystemExit('no such thing')"], {})


def test_nothing_starts_once_stopping_has_begun(tmp_path: Path, port: int) -> None:
    processes = Processes(tmp_path)
    processes.stop()
    with pytest.raises(Stopped):
        processes.start("late", python(LISTENS, port), {})
    assert not is_listening(port)
