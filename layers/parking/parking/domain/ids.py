"""Identifiers that say what they are."""

import base64
import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import NewType

from parking.domain.errors import IdempotencyMismatch

UserId = NewType("UserId", str)
SpotId = NewType("SpotId", str)
BlockerId = NewType("BlockerId", str)
ReservationId = NewType("ReservationId", str)
ExtensionId = NewType("ExtensionId", str)
PaymentId = NewType("PaymentId", str)
RefundId = NewType("RefundId", str)
TransactionId = NewType("TransactionId", str)
NotificationId = NewType("NotificationId", str)
DeviceId = NewType("DeviceId", str)
CommandId = NewType("CommandId", str)

_DIGEST_BYTES = 15  # 120 bits: 24 characters of base32 without padding


def derived_id(prefix: str, *parts: str) -> str:
    """An id that is the same for the same parts, so that doing a thing twice names one thing.

    The parts are joined as JSON, so ("a", "bc") and ("ab", "c") differ.
    """
    digest = hashlib.sha256(json.dumps(parts).encode()).digest()[:_DIGEST_BYTES]
    return f"{prefix}_{base64.b32encode(digest).decode().lower()}"


def timed_id(prefix: str, at: datetime, *parts: str) -> str:
    """A derived id that sorts by time: prefix, milliseconds since 1970 in hexadecimal, digest."""
    return f"{prefix}_{int(at.timestamp() * 1000):012x}{derived_id('', *parts)}"


@dataclass(frozen=True, slots=True)
class CreateRequest:
    """One driver's wish to create one thing, as its Idempotency-Key names it."""

    user_id: UserId
    route: str
    key: str
    fingerprint: str

    def new_id(self, prefix: str) -> str:
        """The id of what this request creates; the same request always creates the same id."""
        return derived_id(prefix, self.user_id, self.route, self.key)

    def must_match(self, stored_fingerprint: str) -> None:
        """Raises IdempotencyMismatch if the key was first used with another body."""
        if stored_fingerprint != self.fingerprint:
            raise IdempotencyMismatch("This Idempotency-Key was already used with another request body.")
