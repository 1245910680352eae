"""The card payment that a stay, an extension or an overstay waits for: at most one each, and none is left behind."""

from dataclasses import dataclass, replace
from datetime import datetime

from parking.domain.errors import AlreadyPaid, NotFound
from parking.domain.extending import check_extension_payable
from parking.domain.ids import ExtensionId, PaymentId
from parking.domain.paying import check_payable
from parking.domain.payment import Payment, Purpose
from parking.domain.reservation import Reservation, with_extension
from parking.domain.tariff import Quote
from parking.services.ports import Store


@dataclass(frozen=True, slots=True)
class Payable:
    """What a reservation waits to be paid for."""

    purpose: Purpose
    quote: Quote


def payable_of(reservation: Reservation, extension_id: ExtensionId | None, now: datetime) -> Payable:
    """The held stay, its extension, or the overstay of an ended one.

    Raises NotFound, AlreadyPaid, HoldExpired, WrongState.
    """
    if extension_id:
        extension = reservation.extension(extension_id)
        if extension is None:
            raise NotFound("The reservation has no such extension.", field="extension_id")
        check_extension_payable(reservation, extension, now)
        return Payable(Purpose.EXTENSION, extension.quote)
    if reservation.overstay:
        if reservation.overstay.payment_id:
            raise AlreadyPaid("The overstay is paid.")
        return Payable(Purpose.OVERSTAY, reservation.overstay.quote)
    check_payable(reservation, now)
    return Payable(Purpose.RESERVATION, reservation.quote)


def trying(reservation: Reservation, payment: Payment) -> Reservation:
    """The reservation, now waiting for this card payment."""
    extension = reservation.extension(payment.extension_id) if payment.extension_id else None
    if extension:
        return with_extension(reservation, replace(extension, card_payment_id=payment.payment_id))
    if reservation.overstay:
        return replace(reservation, overstay=replace(reservation.overstay, card_payment_id=payment.payment_id))
    return replace(reservation, card_payment_id=payment.payment_id)


def abandoned(
    store: Store, before: Reservation, after: Reservation, now: datetime, *, but: PaymentId | None = None
) -> list[Payment]:
    """The open card payments that nobody waits for any more, marked: the payments stream cancels them at Stripe.

    They belong into the commit of `after`. `but` is the payment that the commit is about.
    """
    dropped = sorted(before.awaited_payment_ids - after.awaited_payment_ids - {but})
    payments = store.get_many(Payment, [(before.user_id, one) for one in dropped]) if dropped else []
    return [payment.abandoned(now) for payment in payments if payment.open]
