"""`up`, `down` and `status`: the one system of this folder that stays for app developers.

Whoever holds the lock file is the supervisor. The operating system lets go of a lock when its holder ends, however it
ends, so a recorded pid is only ever signalled while it is certainly ours.
"""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import IO

from rich.console import Console
from rich.table import Table

from local.errors import LocalError
from local.ports import Ports
from local.progress import Progress
from local.stack import Stack
from local.startup import supervised
from local.tools import ROOT
from local.waiting import wait_until

CHECK_SECONDS = 0.5
STOP_SECONDS_MAX = 30


class Interrupted(Exception):
    """Somebody asked the supervisor to end: Ctrl-C, `down`, or the end of the session."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(signal_number)
        self.exit_status = 128 + signal_number


class Supervisor:
    """The system whose files are in this folder."""

    def __init__(self, folder: Path, console: Console) -> None:
        self._folder = folder
        self._console = console
        self._lock_file = folder / "up.lock"
        self._stack_file = folder / "stack.json"
        self._log_file = folder / "logs" / "up.log"

    def up(self, ports: Ports) -> None:
        """Run the system until SIGINT or SIGTERM. Raises LocalError when it fails, then or later, and Interrupted when
        it is ended before it is ready."""
        _raise_on_signals()
        with self._alone():
            ports.check_free()
            progress = Progress(self._console)
            self._console.print(f"Starting the system (logs in {self._folder / 'logs'}):")
            with supervised(ports, self._folder, progress) as (stack, processes):
                _print_stack(self._console, stack.document())
                self._console.print(f"Ready after {progress.seconds():.0f} s. Ctrl-C or `make down` ends it.")
                with self._announced(stack), suppress(Interrupted):
                    while True:
                        processes.check()
                        time.sleep(CHECK_SECONDS)
        self._console.print("Stopped: nothing is left running.")

    def up_detached(self) -> int:
        """Run `up` in the background; returns its exit status, or 0 once it is ready, having shown what it said."""
        _raise_on_signals()
        if (pid := self.pid()) is not None:
            raise _already_running(pid)
        self._log_file.parent.mkdir(parents=True, exist_ok=True)
        self._stack_file.unlink(missing_ok=True)
        with self._log_file.open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "local", "--folder", str(self._folder), "up"],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            with self._log_file.open() as log_lines:
                while process.poll() is None and not self._stack_file.exists():
                    _pass_on(log_lines)
                    time.sleep(CHECK_SECONDS / 5)
                _pass_on(log_lines)
        except Interrupted:
            process.terminate()
            process.wait()
            raise
        return process.poll() or 0

    def down(self) -> None:
        """End the system and return when it is gone; nothing happens when there is none."""
        pid = self.pid()
        if pid is None:
            self._console.print("Nothing is running.")
            return
        os.kill(pid, signal.SIGTERM)
        try:
            wait_until(lambda: self.pid() is None, f"process {pid} to end", timeout_seconds=STOP_SECONDS_MAX)
        except LocalError:
            # Its children are tethered to it and end with it.
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: self.pid() is None, f"process {pid} to be killed", timeout_seconds=5)
        self._console.print("Stopped: nothing is left running.")

    def status(self) -> int:
        """Show whether the system runs and where; 0 when it is ready, 3 when it is not (as service managers say it)."""
        pid = self.pid()
        if pid is None:
            self._console.print("Nothing is running: `make up` starts the system.")
            return 3
        if not self._stack_file.exists():
            self._console.print(f"Starting (process {pid}).")
            return 3
        _print_stack(self._console, json.loads(self._stack_file.read_text()))
        self._console.print(f"Running (process {pid}).")
        return 0

    @contextmanager
    def _announced(self, stack: Stack) -> Iterator[None]:
        """Keep stack.json there exactly as long as the system is ready; `up_detached` waits for it."""
        self._stack_file.write_text(json.dumps(stack.document(), indent=2) + "\n")
        try:
            yield
        finally:
            self._stack_file.unlink(missing_ok=True)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True)
        with self._lock_file.open("a+") as lock:
            if not _lock(lock):
                raise _already_running(_recorded_pid(lock))
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            yield

    def pid(self) -> int | None:
        """The process that holds the lock now, so certainly a supervisor of this folder; None when there is none."""
        if not self._lock_file.exists():
            return None
        with self._lock_file.open("r+") as lock:
            return None if _lock(lock) else _recorded_pid(lock)


def _lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _recorded_pid(lock: IO[str]) -> int:
    lock.seek(0)
    return int(lock.read())


def _already_running(pid: int) -> LocalError:
    return LocalError(f"The system of this folder runs already (process {pid}): `make down` ends it.")


def _raise_on_signals() -> None:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def interrupt(signal_number: int, _frame: FrameType | None) -> None:
        # Once is enough: a second Ctrl-C must not break the clean end off.
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        raise Interrupted(signal_number)

    for number in numbers:
        signal.signal(number, interrupt)


def _pass_on(log_lines: IO[str]) -> None:
    sys.stdout.write(log_lines.read())
    sys.stdout.flush()


def _print_stack(console: Console, stack: dict[str, object]) -> None:
    table = Table("for app developers", box=None)
    table.add_column(".local/stack.json", overflow="fold")
    for name, value in stack.items():
        if isinstance(value, list):
            for user in value:
                table.add_row("test user", f"{user['email']}  {user['password']}")
        else:
            table.add_row(name, str(value))
    console.print(table)
