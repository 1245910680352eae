"""The code that opens without a network: bound to one reservation, and good for some minutes.

A time-based one-time password (RFC 6238, by pyotp) whose key belongs to one blocker and one reservation, so that it
opens nothing else. The service makes it, in layers/parking/parking/adapters/entry_codes.py; this is the other half.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from pyotp import HOTP
from pyotp.utils import strings_equal

DIGITS = 8
STEP = timedelta(minutes=2)
GOOD_FOR_STEPS = 2  # after its own: who has just got a code has four to six minutes to type it
TOLERANCE_STEPS = 1  # between the service's clock and ours, either way

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def is_code(text: str) -> bool:
    """Whether this could be somebody's code."""
    return len(text) == DIGITS and text.isascii() and text.isdigit()


def step_at(now: datetime) -> int:
    """The number of the time step, as both sides count."""
    return (now - _EPOCH) // STEP


def steps_good_at(now: datetime) -> range:
    """The steps whose codes are good now, by a clock that is right."""
    current = step_at(now)
    return range(current - GOOD_FOR_STEPS - TOLERANCE_STEPS, current + TOLERANCE_STEPS + 1)


def step_of(code: str, secrets: Iterable[str], reservation_id: str, steps: range) -> int | None:
    """The step of which this is the reservation's code, by one of the blocker's secrets; None: it is wrong."""
    for secret in secrets:
        password = _Password(hmac.digest(bytes.fromhex(secret), reservation_id.encode(), "sha256"))
        for step in steps:
            if strings_equal(password.at(step), code):
                return step
    return None


class _Password(HOTP):
    """A time-based password is one by counter whose counter is the time step (RFC 6238, section 4.2)."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        super().__init__(base64.b32encode(key).decode(), digits=DIGITS, digest=hashlib.sha256)

    def byte_secret(self) -> bytes:
        """The key, which pyotp would decode again for each of the steps of a week."""
        return self._key
