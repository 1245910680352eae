"""Show what a start-up is doing: one line for each step with its seconds."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from rich.console import Console
from rich.status import Status


class Progress:
    """Steps may run at the same time in several threads. On a terminal the unfinished ones are shown while they run."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._started_at = time.monotonic()
        self._lock = threading.Lock()
        self._running: list[str] = []
        self._status: Status | None = console.status("") if console.is_terminal else None

    @classmethod
    def quiet(cls) -> Self:
        return cls(Console(quiet=True))

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Say that a step has ended and how long it took; an error is said where it is handled."""
        began_at = time.monotonic()
        self._show(started=name)
        done = False
        try:
            yield
            done = True
        finally:
            self._show(ended=name)
            if done:
                self._console.print(f"  {time.monotonic() - began_at:5.1f} s  {name}", markup=False)

    def seconds(self) -> float:
        """Since this progress began."""
        return time.monotonic() - self._started_at

    def _show(self, *, started: str | None = None, ended: str | None = None) -> None:
        with self._lock:
            if started is not None:
                self._running.append(started)
            if ended is not None:
                self._running.remove(ended)
            if self._status is None:
                return
            if self._running:
                self._status.update(" · ".join(self._running))
                self._status.start()
            else:
                self._status.stop()
