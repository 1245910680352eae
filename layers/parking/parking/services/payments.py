"""Paying at once from the wallet, and what a payment brings about, whichever way it came."""

from dataclasses import replace
from datetime import datetime, timedelta

from parking.domain.errors import AlreadyPaid, NotFound
from parking.domain.extending import confirm_extension, confirm_extension_late
from parking.domain.ids import CreateRequest, ExtensionId, PaymentId, ReservationId
from parking.domain.ledger import REVENUE, WALLET, Transaction, TransactionKind, Wallet, moved, record
from parking.domain.paying import confirm, confirm_late
from parking.domain.payment import Method, Payment, PaymentStatus, Purpose
from parking.domain.reservation import Reservation, showing
from parking.services import notices
from parking.services.neighbours import days_with_neighbours, with_neighbour_told
from parking.services.once import made_once
from parking.services.open_payments import abandoned, payable_of
from parking.services.owned import reservation_of, wallet_of
from parking.services.ports import Aggregate, Store


def pay_from_wallet(
    store: Store,
    request: CreateRequest,
    *,
    reservation_id: ReservationId,
    extension_id: ExtensionId | None,
    now: datetime,
) -> Payment:
    """Pay what a reservation waits for: wallet, ledger, payment, reservation and notice in one commit.

    Raises NotFound, InsufficientFunds, AlreadyPaid, HoldExpired, WrongState, IdempotencyMismatch.
    """

    def make(payment_id: PaymentId) -> Payment:
        before = reservation_of(store, request.user_id, reservation_id)
        payable = payable_of(before, extension_id, now)
        payment = Payment(
            user_id=request.user_id,
            payment_id=payment_id,
            purpose=payable.purpose,
            method=Method.WALLET,
            amount_minor=payable.quote.amount_minor,
            currency=payable.quote.currency,
            status=PaymentStatus.SUCCEEDED,
            reservation_id=reservation_id,
            extension_id=extension_id,
            fingerprint=request.fingerprint,
            created_at=now,
        )
        transaction = wallet_payment(payment, now)
        wallet = wallet_of(store, request.user_id, payment.currency).after(transaction)
        after = paid_for(before, payment, now)
        if payment.purpose is Purpose.OVERSTAY:
            wallet = wallet.without_debt(reservation_id)
        others = abandoned(store, before, after, now)
        store.commit(after, payment, transaction, wallet, *others, notices.paid(after, payment, now))
        return payment

    return made_once(store, request, make).first_answer(PaymentStatus.SUCCEEDED)


def wallet_payment(payment: Payment, now: datetime) -> Transaction:
    """The ledger's word of a payment from the wallet."""
    return record(
        TransactionKind.WALLET_PAYMENT,
        user_id=payment.user_id,
        payment_id=payment.payment_id,
        reservation_id=payment.reservation_id,
        entries=moved(payment.amount_minor, debit=WALLET, credit=REVENUE),
        currency=payment.currency,
        now=now,
    )


def paid_for(reservation: Reservation, payment: Payment, now: datetime, *, late: bool = False) -> Reservation:
    """The reservation after its payment. `late`: a card has paid already, so a hold that has lapsed is no reason.

    Raises NotFound, AlreadyPaid, HoldExpired, WrongState.
    """
    match payment.purpose:
        case Purpose.RESERVATION:
            return (confirm_late if late else confirm)(reservation, payment, now)
        case Purpose.EXTENSION:
            extension = reservation.extension(payment.extension_id) if payment.extension_id else None
            if extension is None:
                raise NotFound("The reservation has no such extension.", field="extension_id")
            return (confirm_extension_late if late else confirm_extension)(reservation, extension, payment, now)
        case _:
            if reservation.overstay is None or reservation.overstay.payment_id:
                raise AlreadyPaid("The overstay is paid.")
            return replace(reservation, overstay=replace(reservation.overstay, payment_id=payment.payment_id))


def fulfilled(store: Store, paid: Payment, now: datetime) -> list[Aggregate]:
    """What the money of a card has brought about, its interval claimed again if it was free again meanwhile.

    Raises NotFound or Refused if it came too late for that: then it goes back.
    """
    if paid.reservation_id is None:
        raise NotFound("The payment is for no reservation.")
    before = reservation_of(store, paid.user_id, paid.reservation_id)
    after = paid_for(before, paid, now, late=True)
    saves: list[Aggregate] = [after, *abandoned(store, before, after, now, but=paid.payment_id)]
    if after.claim and after.claim != before.claim:
        step = timedelta(minutes=after.overstay_terms.step_minutes)  # as it was sold, a hold ago
        days = days_with_neighbours(after.claim, after.turnover_minutes, step)
        calendar = store.calendar(after.spot_id, days)
        claimed = showing(calendar, after)
        saves = with_neighbour_told(store, [*saves, *claimed.changed_from(calendar)], claimed, after, step, now)
    if paid.purpose is Purpose.OVERSTAY:
        wallet = store.get(Wallet, paid.user_id)
        saves += [wallet.without_debt(after.reservation_id)] if wallet and wallet.debts else []
    return [*saves, notices.paid(after, paid, now)]
