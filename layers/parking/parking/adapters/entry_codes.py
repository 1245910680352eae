"""Codes for barriers without a network: time-based one-time passwords (RFC 6238) below one master secret.

    secret of a blocker  = HMAC-SHA256(master, blocker id)           handed out with its certificate, stored nowhere
    key of a reservation = HMAC-SHA256(secret, reservation id)
    code                 = TOTP(key), SHA-256, eight digits

The device's half is device/parking_blocker/offline_code.py; tests/unit/test_offline_codes.py holds the two together.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping

from pyotp import HOTP

from parking.domain.ids import BlockerId, ReservationId

DIGITS = 8


class DerivedEntryCodes:
    """`masters` is the secret's document: `present`, and `next` while another one is to take its place."""

    def __init__(self, masters: Mapping[str, str]) -> None:
        self._masters = masters

    def secret_of(self, blocker_id: BlockerId) -> str:
        """See EntryCodes. While masters change, both secrets: the device takes codes by either."""
        masters = [self._masters[name] for name in ("present", "next") if name in self._masters]
        return " ".join(_below(master.encode(), blocker_id).hex() for master in masters)

    def code(self, blocker_id: BlockerId, reservation_id: ReservationId, step: int) -> str:
        """See EntryCodes."""
        key = _below(_below(self._masters["present"].encode(), blocker_id), reservation_id)
        # A time-based password is one by counter whose counter is the time step (RFC 6238, section 4.2).
        return HOTP(base64.b32encode(key).decode(), digits=DIGITS, digest=hashlib.sha256).at(step)


def _below(secret: bytes, name: str) -> bytes:
    return hmac.digest(secret, name.encode(), "sha256")
