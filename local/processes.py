"""The child processes of a running system: started together, watched together, ended together."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from local.errors import LocalError
from local.tools import ROOT
from local.waiting import POLL_SECONDS, wait_until

TETHER = Path(__file__).with_name("tether.py")
LOG_LINES_SHOWN = 15
STOP_SECONDS_MAX = 12


class Stopped(Exception):
    """The system is being stopped; a step that still waits gives up."""


@dataclass(frozen=True)
class Child:
    name: str
    log: Path
    process: subprocess.Popen[bytes]

    def last_lines(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()[-LOG_LINES_SHOWN:]
        return "\n".join(f"  | {line}" for line in lines) or "  | (it wrote nothing)"


class Processes:
    """A context: at its end every child is stopped, in the reverse order of their starts. Steps use it from threads."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._children: list[Child] = []
        self._lock = threading.Lock()
        self._stopping = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, name: str, command: Sequence[object], variables: Mapping[str, str]) -> Child:
        """Start a child that belongs to the running system: from now on `check` complains when it is gone."""
        child = self._spawn(name, command, variables)
        with self._lock:
            self._children.append(child)
        if self._stopping.is_set():
            _stop([child])
            raise Stopped
        return child

    def run(self, name: str, command: Sequence[object], variables: Mapping[str, str]) -> None:
        """Run a command to its end while watching the children; LocalError with its last lines when it fails."""
        child = self._spawn(name, command, variables)
        try:
            self.wait_until(lambda: child.process.poll() is not None, f"{name} to end", timeout_seconds=600)
        finally:
            _stop([child])
        if child.process.returncode != 0:
            raise LocalError(f"{name} failed with exit status {child.process.returncode}. {_log_of(child)}")

    def check(self) -> None:
        """LocalError when a child has died; Stopped when the system is being ended."""
        if self._stopping.is_set():
            raise Stopped
        for child in self.children:
            status = child.process.poll()
            if status is not None:
                raise LocalError(f"{child.name} ended by itself with exit status {status}. {_log_of(child)}")

    def wait_until(
        self,
        condition: Callable[[], bool],
        what: str,
        *,
        timeout_seconds: float,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        """Wait for a condition as long as every child lives; LocalError when it takes longer than the timeout."""
        wait_until(
            condition,
            f"{what} (logs: {self._logs})",
            timeout_seconds=timeout_seconds,
            poll_seconds=poll_seconds,
            check=self.check,
        )

    @property
    def children(self) -> tuple[Child, ...]:
        with self._lock:
            return tuple(self._children)

    def stop(self) -> None:
        """End every child; returns when none is left. Calling it again does nothing."""
        self._stopping.set()
        with self._lock:
            children, self._children = self._children, []
        _stop(children[::-1])

    def _spawn(self, name: str, command: Sequence[object], variables: Mapping[str, str]) -> Child:
        if self._stopping.is_set():
            raise Stopped
        self._logs.mkdir(parents=True, exist_ok=True)
        log = self._logs / f"{name.replace(' ', '-')}.log"
        with log.open("wb") as output:
            process = _tethered(command, variables, output)
        return Child(name, log, process)


def _tethered(command: Sequence[object], variables: Mapping[str, str], output: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-I", str(TETHER), *map(str, command)],
        cwd=ROOT,
        env=variables,
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=subprocess.STDOUT,
        # Ctrl-C reaches only the supervisor, which then ends its children in order.
        start_new_session=True,
    )


def _stop(children: Sequence[Child]) -> None:
    for child in children:
        if child.process.poll() is None:
            child.process.terminate()
    deadline = time.monotonic() + STOP_SECONDS_MAX
    for child in children:
        try:
            child.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.process.kill()
            child.process.wait()
        if child.process.stdin is not None:
            child.process.stdin.close()


def _log_of(child: Child) -> str:
    return f"The last lines of {child.log}:\n{child.last_lines()}"
