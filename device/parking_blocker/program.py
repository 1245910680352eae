"""Run blockers until the process is told to end, and tell systemd that it really does its work."""

import asyncio
import logging
import signal
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from parking_blocker.systemd import notify

# Without a word from the broker in this time the process ends all the same.
GOODBYE_SECONDS_MAX = 5.0
# How often everything is looked at and the watchdog fed: several times in the WatchdogSec of the unit file.
LOOK_SECONDS = 1.0

logger = logging.getLogger(__name__)


class Runs(Protocol):
    """A blocker, or something that contains one. See Blocker for what the calls mean."""

    def connect(self) -> None:
        """Open a session."""

    def look(self) -> None:
        """Let the state machine see its hardware again."""

    def stop(self) -> None:
        """Stop the motor and the timers."""

    async def disconnect(self, *, announced: bool) -> None:
        """End the session."""


class Failed(Exception):
    """Something broke that nobody handles. A process that starts anew is better than one that goes on half."""


async def run_until_told_to_end(blockers: Sequence[Runs], on_started: Callable[[], None] = lambda: None) -> None:
    """Connect them all, wait for SIGTERM or SIGINT, stop the motors and say goodbye, so that no last will goes out.

    The watchdog is fed by the loop that the state machines run on, and only after each has seen its hardware again.
    Raises Failed, with the motors stopped, when a blocker or the hardware fails in a way that nobody handles.
    """
    loop = asyncio.get_running_loop()
    end: asyncio.Future[None] = loop.create_future()

    def fail(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        logger.error("%s", context["message"], exc_info=error)
        if not end.done():
            end.set_exception(Failed(f"{context['message']}: {error!r}"))

    def told_to_end() -> None:
        if not end.done():
            end.set_result(None)

    loop.set_exception_handler(fail)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told_to_end)
    for blocker in blockers:
        blocker.connect()
    looking = asyncio.create_task(_look_at(blockers, end))
    notify("READY=1")
    on_started()
    try:
        await end
    finally:
        looking.cancel()
        for blocker in blockers:
            blocker.stop()
        notify("STOPPING=1")
    await _say_goodbye(blockers)


async def _look_at(blockers: Sequence[Runs], end: asyncio.Future[None]) -> None:
    try:
        while True:
            for blocker in blockers:
                blocker.look()
            notify("WATCHDOG=1")
            await asyncio.sleep(LOOK_SECONDS)
    except Exception as error:  # what hardware raises is not ours to know; nothing of it may pass unseen
        if not end.done():
            end.set_exception(Failed(repr(error)))


async def _say_goodbye(blockers: Sequence[Runs]) -> None:
    goodbyes = [asyncio.create_task(blocker.disconnect(announced=True)) for blocker in blockers]
    _, silent = await asyncio.wait(goodbyes, timeout=GOODBYE_SECONDS_MAX)
    if silent:
        logger.warning("%d connections did not close in %s s", len(silent), GOODBYE_SECONDS_MAX)
