"""A keypad at the barrier, for codes: anything that sends what is typed as text, as serial keypads do."""

import asyncio
import logging
import os
import tty
from collections.abc import Callable
from pathlib import Path

from parking_blocker.offline_code import DIGITS

ENTER, CLEAR = "\r\n#", "*"
FORGETS_AFTER_SECONDS = 15.0  # somebody went away in the middle of a code; the next driver begins anew
READ_BYTES = 64

logger = logging.getLogger(__name__)


class Keypad:
    """Digits, then Enter or #; * begins anew. All of it on the event loop's thread.

    A keypad that is not there, or that breaks, is said in the log and stops nobody: a barrier works without one.
    """

    def __init__(self, device: Path, on_code: Callable[[str], None]) -> None:
        self._on_code = on_code
        self._loop = asyncio.get_running_loop()
        self._typed = ""
        self._last_key_at = self._loop.time()
        try:
            self._descriptor = os.open(device, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
            if os.isatty(self._descriptor):
                tty.setraw(self._descriptor)
        except OSError as error:
            logger.warning("no keypad: %s", error)
            return
        self._loop.add_reader(self._descriptor, self._read)

    def _read(self) -> None:
        try:
            text = os.read(self._descriptor, READ_BYTES).decode("ascii", errors="replace")
        except OSError as error:
            self._lost(str(error))
            return
        if not text:
            self._lost("it was unplugged")
        for key in text:
            self._press(key)

    def _press(self, key: str) -> None:
        now = self._loop.time()
        if now - self._last_key_at > FORGETS_AFTER_SECONDS:
            self._typed = ""
        self._last_key_at = now
        if key in CLEAR:
            self._typed = ""
        elif key in ENTER:
            typed, self._typed = self._typed, ""
            if typed:
                self._on_code(typed)
        elif len(self._typed) <= DIGITS:  # one more than a code has: that is wrong already, and no text grows for ever
            self._typed += key

    def _lost(self, why: str) -> None:
        logger.warning("the keypad is lost: %s", why)
        self._loop.remove_reader(self._descriptor)
        os.close(self._descriptor)
