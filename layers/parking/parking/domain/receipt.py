"""What a stay cost, who paid it how, and what the machine did: sealed when the stay closes.

A receipt is a function of the ended reservation, which never changes, and of its payments: what happens to these
afterwards (a refund, an overstay that is settled) adds a line and edits none.
"""

from dataclasses import dataclass
from datetime import datetime

from parking.domain.payment import Method, Payment, Refund, RefundStatus
from parking.domain.reservation import EndReason, Reservation
from parking.domain.tariff import PriceLine


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """One line; `at` is None for what was sold, else the time of a correction. What became of one costs 0."""

    text: str
    amount_minor: int
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A closed stay in money. All amounts are in minor units of the currency."""

    reservation: Reservation
    reason: EndReason
    sealed_at: datetime
    lines: tuple[ReceiptLine, ...]
    payments: tuple[Payment, ...]
    paid_minor: int
    refunded_minor: int
    owed_minor: int
    """An overstay that is not paid yet."""

    @property
    def tax_included(self) -> bool:
        """True if the amounts hold the tax already."""
        return self.reservation.tax_included


def receipt_of(reservation: Reservation, payments: list[Payment]) -> Receipt | None:
    """The receipt of an ended reservation with its payments; None while it is not over."""
    if reservation.reason is None or reservation.ended_at is None:
        return None
    overstay = reservation.overstay
    sold = list[PriceLine](reservation.quote.lines if reservation.payment_id else ())
    for extension in reservation.extensions:
        sold += extension.quote.lines if extension.payment_id else ()
    sold += overstay.quote.lines if overstay else ()
    sealed_at = reservation.ended_at
    corrections = [line for payment in payments for line in _corrections(sealed_at, payment)]
    corrections.sort(key=lambda line: line.at or sealed_at)
    return Receipt(
        reservation=reservation,
        reason=reservation.reason,
        sealed_at=sealed_at,
        lines=(*(ReceiptLine(line.text, line.amount_minor) for line in sold), *corrections),
        payments=tuple(payments),
        paid_minor=sum(payment.amount_minor for payment in payments),
        refunded_minor=sum(payment.refunded_minor for payment in payments),
        owed_minor=overstay.quote.amount_minor if overstay and overstay.payment_id is None else 0,
    )


_DIVERTED = {
    RefundStatus.TO_WALLET: "Sent back by the card, now in the wallet",
    RefundStatus.BY_BANK: "The refund was paid by your bank",
}


def _corrections(ended_at: datetime, payment: Payment) -> list[ReceiptLine]:
    if payment.method is Method.CARD:
        return [line for refund in payment.refunds for line in _story(refund)]
    if not payment.refunded_minor:
        return []
    return [ReceiptLine("Refund to the wallet", -payment.refunded_minor, ended_at)]


def _story(refund: Refund) -> list[ReceiptLine]:
    """A refund to a card, and what became of it. What a line said stays true, so the next step is another line."""
    lines = [ReceiptLine("Refund, on its way to the card", -refund.amount_minor, refund.requested_at)]
    if refund.arrived_at:
        lines.append(ReceiptLine("The card has the refund", 0, refund.arrived_at))
    if refund.diverted_at:
        lines.append(ReceiptLine(_DIVERTED[refund.status], 0, refund.diverted_at))
    return lines
