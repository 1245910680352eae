"""A payment and its life."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from parking.domain.errors import InvariantBroken
from parking.domain.ids import ExtensionId, PaymentId, ReservationId, UserId


class Purpose(StrEnum):
    """What the money is for."""

    RESERVATION = "RESERVATION"
    EXTENSION = "EXTENSION"
    DEPOSIT = "DEPOSIT"


class Method(StrEnum):
    """Where the money comes from."""

    WALLET = "WALLET"
    CARD = "CARD"


class PaymentStatus(StrEnum):
    """PENDING → REQUIRES_ACTION → SUCCEEDED | FAILED | CANCELLED, and after success REFUNDED."""

    PENDING = "PENDING"
    REQUIRES_ACTION = "REQUIRES_ACTION"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    REFUNDED = "REFUNDED"


_NEXT = {
    PaymentStatus.PENDING: {
        PaymentStatus.REQUIRES_ACTION,
        PaymentStatus.SUCCEEDED,
        PaymentStatus.FAILED,
        PaymentStatus.CANCELLED,
    },
    PaymentStatus.REQUIRES_ACTION: {PaymentStatus.SUCCEEDED, PaymentStatus.FAILED, PaymentStatus.CANCELLED},
    PaymentStatus.SUCCEEDED: {PaymentStatus.REFUNDED},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """Money that a driver gives us once, for one thing."""

    user_id: UserId
    payment_id: PaymentId
    purpose: Purpose
    method: Method
    amount_minor: int
    currency: str
    status: PaymentStatus
    reservation_id: ReservationId | None
    extension_id: ExtensionId | None
    intent_id: str | None = None
    """Stripe's PaymentIntent; None until Stripe answered."""
    refunded_minor: int = 0
    fingerprint: str
    created_at: datetime
    version: int = 0

    @property
    def key(self) -> tuple[str, ...]:
        """Its address in the store."""
        return (self.user_id, self.payment_id)

    @property
    def open(self) -> bool:
        """True while money may still come."""
        return self.status in (PaymentStatus.PENDING, PaymentStatus.REQUIRES_ACTION)

    def moved_to(self, status: PaymentStatus) -> "Payment":
        """The payment one step further. Raises InvariantBroken for a step that the state table does not have."""
        if status not in _NEXT.get(self.status, set()):
            raise InvariantBroken(f"{self.payment_id} cannot go from {self.status} to {status}")
        return replace(self, status=status)

    def refunded(self, amount_minor: int) -> "Payment":
        """The payment after its money went back. Raises InvariantBroken if more than was paid."""
        if not 0 < amount_minor <= self.amount_minor - self.refunded_minor:
            raise InvariantBroken(f"{self.payment_id} cannot refund {amount_minor} of {self.amount_minor}")
        return replace(self.moved_to(PaymentStatus.REFUNDED), refunded_minor=self.refunded_minor + amount_minor)
