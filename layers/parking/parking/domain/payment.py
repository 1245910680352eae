"""A payment and its life: money that a driver gives us once, and what of it goes back."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from parking.domain.due import Due, Step
from parking.domain.errors import InvariantBroken
from parking.domain.ids import ExtensionId, PaymentId, RefundId, ReservationId, UserId

SMALLEST_CHARGE_MINOR = 50  # https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts
LOOK_AFTER = timedelta(minutes=5)  # an unsettled payment is looked at this long after it was last touched
LOOK_AT_REFUSED_AFTER = timedelta(hours=6)  # what Stripe has refused seldom passes by itself


class Purpose(StrEnum):
    """What the money is for. A WITHDRAWAL goes the other way: from the wallet back to cards."""

    RESERVATION = "RESERVATION"
    EXTENSION = "EXTENSION"
    OVERSTAY = "OVERSTAY"
    DEPOSIT = "DEPOSIT"
    WITHDRAWAL = "WITHDRAWAL"


class Method(StrEnum):
    """Where the money comes from, or goes to."""

    WALLET = "WALLET"
    CARD = "CARD"


class PaymentStatus(StrEnum):
    """PENDING waits for Stripe, REQUIRES_ACTION for the driver.

    CANCELLING is not wanted any more, and Stripe has not said yet that it is cancelled: money may have been faster.
    Only what Stripe has cancelled is FAILED (the card was declined) or CANCELLED: a cancelled PaymentIntent can never
    be paid (https://docs.stripe.com/payments/paymentintents/lifecycle). Should money come all the same, it is booked.
    """

    PENDING = "PENDING"
    REQUIRES_ACTION = "REQUIRES_ACTION"
    CANCELLING = "CANCELLING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    REFUND_PENDING = "REFUND_PENDING"
    PARTIALLY_REFUNDED = "PARTIALLY_REFUNDED"
    REFUNDED = "REFUNDED"


_P = PaymentStatus
_NEXT = {
    _P.PENDING: {_P.REQUIRES_ACTION, _P.CANCELLING, _P.SUCCEEDED, _P.FAILED, _P.CANCELLED},
    _P.REQUIRES_ACTION: {_P.PENDING, _P.CANCELLING, _P.SUCCEEDED, _P.FAILED, _P.CANCELLED},
    _P.CANCELLING: {_P.SUCCEEDED, _P.FAILED, _P.CANCELLED},
    _P.FAILED: {_P.SUCCEEDED},
    _P.CANCELLED: {_P.SUCCEEDED},
    # A withdrawal fails even later, when the bank sends back what Stripe had paid out.
    _P.SUCCEEDED: {_P.FAILED, _P.REFUND_PENDING, _P.PARTIALLY_REFUNDED, _P.REFUNDED},
    _P.REFUND_PENDING: {_P.PARTIALLY_REFUNDED, _P.REFUNDED},
    _P.PARTIALLY_REFUNDED: {_P.REFUND_PENDING, _P.REFUNDED},
}
_CHARGED = (_P.SUCCEEDED, _P.REFUND_PENDING, _P.PARTIALLY_REFUNDED, _P.REFUNDED)


class RefundStatus(StrEnum):
    """PENDING until Stripe says that the card has it. TO_WALLET: the card refused it, so the wallet got it.

    BY_BANK: the driver's bank had called the charge back and kept it, so nothing is owed any more.
    """

    PENDING = "PENDING"
    SUCCEEDED = "SUCCEEDED"
    TO_WALLET = "TO_WALLET"
    BY_BANK = "BY_BANK"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """Money on its way back to the card of one PaymentIntent. Its id is Stripe's idempotency key."""

    refund_id: RefundId
    source_id: PaymentId
    """The payment that brought the money: the one that holds this, or for a withdrawal the deposit."""
    intent_id: str
    amount_minor: int
    status: RefundStatus = RefundStatus.PENDING
    stripe_id: str | None = None
    """Stripe's refund; None until Stripe answered."""
    refused: str | None = None
    """Why Stripe last refused to make it; it is tried again, and operators are told."""
    requested_at: datetime
    arrived_at: datetime | None = None
    """When Stripe said that the card has it."""
    diverted_at: datetime | None = None
    """When it became TO_WALLET or BY_BANK; a refund that had arrived may still be sent back."""


class DisputeStatus(StrEnum):
    """Whose the money of a charge is, that the driver's bank has called back."""

    OPEN = "OPEN"
    WON = "WON"
    LOST = "LOST"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """A chargeback. `from_wallet_minor` of a deposit's were taken out of the wallet until it is decided."""

    stripe_id: str
    amount_minor: int
    from_wallet_minor: int
    status: DisputeStatus
    opened_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """Money that a driver gives us once, for one thing; or, as a WITHDRAWAL, takes back."""

    user_id: UserId
    payment_id: PaymentId
    purpose: Purpose
    method: Method
    amount_minor: int
    currency: str
    status: PaymentStatus
    reservation_id: ReservationId | None
    extension_id: ExtensionId | None
    customer_id: str | None = None
    """Stripe's customer, where a saved card is charged."""
    payment_method_id: str | None = None
    """The saved card that is charged; None: the app asks for a card."""
    off_session: bool = False
    """True if the driver is not there: nobody can authenticate or choose another card."""
    intent_id: str | None = None
    """Stripe's PaymentIntent; None until Stripe answered."""
    failure_code: str | None = None
    """Stripe's decline code of the last try."""
    first_status: PaymentStatus | None = None
    """What the first answer to the request said; None until there was one."""
    refunded_minor: int = 0
    """What was given back, or is on its way."""
    refunds: tuple[Refund, ...] = ()
    dispute: Dispute | None = None
    settle_due_at: datetime | None = None
    """When to look again while something is unsettled."""
    fingerprint: str
    created_at: datetime
    version: int = 0

    @property
    def key(self) -> tuple[str, ...]:
        """Its address in the store."""
        return (self.user_id, self.payment_id)

    @property
    def open(self) -> bool:
        """True while money is wanted and may still come."""
        waits = self.status in (PaymentStatus.PENDING, PaymentStatus.REQUIRES_ACTION)
        return waits and self.purpose is not Purpose.WITHDRAWAL

    @property
    def charged(self) -> bool:
        """True once the money came, whatever became of it."""
        return self.status in _CHARGED

    @property
    def unsettled(self) -> bool:
        """True while Stripe and we have something to settle."""
        return self.open or self.status is PaymentStatus.CANCELLING or bool(self.pending_refunds)

    @property
    def asks_stripe(self) -> bool:
        """True if there is something to do at Stripe that no driver waits for."""
        cancels = self.status is PaymentStatus.CANCELLING
        return cancels or (self.open and self.off_session) or bool(self.pending_refunds)

    @property
    def pending_refunds(self) -> tuple[Refund, ...]:
        """What has yet to reach a card."""
        return tuple(one for one in self.refunds if one.status is RefundStatus.PENDING)

    @property
    def untaken_refunds(self) -> tuple[Refund, ...]:
        """What Stripe has not taken on yet, and not refused either: it could not be asked."""
        return tuple(one for one in self.pending_refunds if one.stripe_id is None and one.refused is None)

    @property
    def refundable_minor(self) -> int:
        """What can still be given back: nothing while a bank disputes it, or has taken it."""
        if not self.charged or (self.dispute and self.dispute.status is not DisputeStatus.WON):
            return 0
        return self.amount_minor - self.refunded_minor

    def first_answer(self, status: PaymentStatus) -> "Payment":
        """As it was when the request was first answered with this status: what a repeated request is answered with."""
        refunds = self.refunds if self.purpose is Purpose.WITHDRAWAL else ()
        asked = tuple(replace(one, status=RefundStatus.PENDING) for one in refunds)
        return replace(self, status=status, failure_code=None, refunded_minor=0, refunds=asked, dispute=None)

    @property
    def due(self) -> Due | None:
        """When to look again; None where all is settled."""
        if not self.unsettled:
            return None
        return Due(self.settle_due_at or self.created_at + LOOK_AFTER, Step.SETTLE)

    def moved_to(self, status: PaymentStatus) -> "Payment":
        """The payment one step further. Raises InvariantBroken for a step that the state table does not have."""
        if status not in _NEXT.get(self.status, set()):
            raise InvariantBroken(f"{self.payment_id} cannot go from {self.status} to {status}")
        return replace(self, status=status)

    def looked_at(self, now: datetime) -> "Payment":
        """The payment after a look that has not settled everything."""
        refused = bool(self.pending_refunds) and all(one.refused for one in self.pending_refunds)
        waits = self.open or self.status is PaymentStatus.CANCELLING
        return replace(self, settle_due_at=now + (LOOK_AT_REFUSED_AFTER if refused and not waits else LOOK_AFTER))

    def abandoned(self, now: datetime) -> "Payment":
        """The payment, not wanted any more: it is to be cancelled at Stripe."""
        return replace(self.moved_to(PaymentStatus.CANCELLING), settle_due_at=now + LOOK_AFTER)

    def closed(self) -> "Payment":
        """The payment once Stripe can take no money for it any more."""
        return self.moved_to(PaymentStatus.FAILED if self.failure_code else PaymentStatus.CANCELLED)

    def refunded(self, amount_minor: int) -> "Payment":
        """The payment after its money went back to the wallet, or into a withdrawal.

        Raises InvariantBroken if that is more than what is left.
        """
        return self._given_back(amount_minor)._refund_state()

    def owing(self, refund: Refund) -> "Payment":
        """The payment with a refund on its way to its card. Raises InvariantBroken if it is more than what is left."""
        given_back = self._given_back(refund.amount_minor)
        owed = replace(given_back, refunds=(*self.refunds, refund), settle_due_at=refund.requested_at + LOOK_AFTER)
        return owed._refund_state()

    def refund(self, refund_id: str) -> Refund | None:
        """One of its refunds."""
        return next((one for one in self.refunds if one.refund_id == refund_id), None)

    def with_refund(self, changed: Refund) -> "Payment":
        """The payment or withdrawal with one of its refunds replaced, in the state that follows from all of them."""
        refunds = tuple(changed if one.refund_id == changed.refund_id else one for one in self.refunds)
        return replace(self, refunds=refunds)._refund_state()

    def _given_back(self, amount_minor: int) -> "Payment":
        if not 0 < amount_minor <= self.refundable_minor:
            raise InvariantBroken(f"{self.payment_id} cannot refund {amount_minor} of {self.refundable_minor}")
        return replace(self, refunded_minor=self.refunded_minor + amount_minor)

    def _refund_state(self) -> "Payment":
        if self.purpose is Purpose.WITHDRAWAL:
            target = self._withdrawal_status()
        elif self.pending_refunds:
            target = PaymentStatus.REFUND_PENDING
        elif self.refunded_minor == self.amount_minor:
            target = PaymentStatus.REFUNDED
        else:
            target = PaymentStatus.PARTIALLY_REFUNDED
        return self if target is self.status else self.moved_to(target)

    def _withdrawal_status(self) -> PaymentStatus:
        if self.pending_refunds:
            return PaymentStatus.PENDING
        arrived = any(one.status in (RefundStatus.SUCCEEDED, RefundStatus.BY_BANK) for one in self.refunds)
        return PaymentStatus.SUCCEEDED if arrived else PaymentStatus.FAILED
