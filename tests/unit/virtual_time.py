"""An event loop whose time passes as soon as nobody has anything left to do: an hour of timers takes no time."""

import asyncio
import selectors
from collections.abc import Awaitable, Callable


class _Selector(selectors.DefaultSelector):
    """Where the loop would wait, the time jumps instead."""

    now = 1_000.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout:
            self.now += timeout
        return super().select(None if timeout is None else 0)


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Its `time` is a monotonic clock that a program under test can run on."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        """Virtual seconds."""
        return self._virtual.now


def run(story: Callable[[], Awaitable[None]]) -> None:
    """Run a story to its end in virtual time."""

    async def told() -> None:
        await story()

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(told())
