"""A keypad at the barrier, for codes: anything that sends what is typed as text, as serial keypads do."""

import asyncio
import logging
import os
import termios
import tty
from collections.abc import Callable
from pathlib import Path
from string import digits

from parking_blocker.offline_code import DIGITS

ENTER, CLEAR = "\r\n#", "*"
FORGETS_AFTER_SECONDS = 15.0  # somebody went away in the middle of a code; the next driver begins anew
LOOKS_AGAIN_AFTER_SECONDS = 10.0
READ_BYTES = 64

logger = logging.getLogger(__name__)


class Keypad:
    """Digits, then Enter or #; * begins anew; other keys say nothing. All of it on the event loop's thread.

    A keypad that is not there, or that breaks, is said once, looked for again and again, and stops nobody: a barrier
    works without one.
    """

    def __init__(self, device: Path, on_code: Callable[[str], None]) -> None:
        self._device = device
        self._on_code = on_code
        self._loop = asyncio.get_running_loop()
        self._typed = ""
        self._last_key_at = self._loop.time()
        self._is_missed = False
        self._look_for_it()

    def _look_for_it(self) -> None:
        try:
            descriptor = self._listen()
        except (OSError, termios.error) as error:
            self._miss(str(error))
            return
        if self._is_missed:
            logger.warning("the keypad is back: %s", self._device)
        self._is_missed = False
        self._typed = ""
        self._loop.add_reader(descriptor, self._read, descriptor)

    def _listen(self) -> int:
        descriptor = os.open(self._device, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
        try:
            if os.isatty(descriptor):
                tty.setraw(descriptor)
        except (OSError, termios.error):
            os.close(descriptor)
            raise
        return descriptor

    def _miss(self, why: str) -> None:
        if not self._is_missed:
            logger.warning("no keypad: %s", why)
        self._is_missed = True
        self._loop.call_later(LOOKS_AGAIN_AFTER_SECONDS, self._look_for_it)

    def _read(self, descriptor: int) -> None:
        try:
            text = os.read(descriptor, READ_BYTES).decode("ascii", errors="replace")
        except BlockingIOError:
            return  # woken for nothing
        except OSError as error:
            self._lose(descriptor, str(error))
            return
        if not text:
            self._lose(descriptor, f"{self._device} was unplugged")
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
        elif key in digits and len(self._typed) <= DIGITS:  # one more than a code has is wrong already, and enough
            self._typed += key

    def _lose(self, descriptor: int, why: str) -> None:
        self._loop.remove_reader(descriptor)
        os.close(descriptor)
        self._miss(why)
