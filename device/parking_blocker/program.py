"""Run blockers until the process is told to end."""

import asyncio
import logging
import signal
from collections.abc import Callable, Sequence

from parking_blocker.blocker import Blocker

# Without a word from the broker in this time the process ends all the same.
GOODBYE_SECONDS_MAX = 5.0

logger = logging.getLogger(__name__)


async def run_until_told_to_end(blockers: Sequence[Blocker], on_started: Callable[[], None] = lambda: None) -> None:
    """Connect them all, wait for SIGTERM or SIGINT, stop the motors and say goodbye, so that no last will goes out."""
    loop = asyncio.get_running_loop()
    told_to_end = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told_to_end.set)
    for blocker in blockers:
        blocker.connect()
    on_started()
    await told_to_end.wait()
    for blocker in blockers:
        blocker.stop()
    goodbyes = [asyncio.create_task(blocker.disconnect(announced=True)) for blocker in blockers]
    _, silent = await asyncio.wait(goodbyes, timeout=GOODBYE_SECONDS_MAX)
    if silent:
        logger.warning("%d connections did not close in %s s", len(silent), GOODBYE_SECONDS_MAX)
