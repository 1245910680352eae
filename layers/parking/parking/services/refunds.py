"""Money back: decided in the commit of its cause, and carried out from the payments stream."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from parking.domain.displacing import credit_minor
from parking.domain.errors import InvariantBroken
from parking.domain.ids import RefundId, UserId, derived_id
from parking.domain.ledger import (
    DISPUTES,
    GOODWILL,
    REFUNDS,
    REVENUE,
    STRIPE,
    WALLET,
    Entry,
    Transaction,
    TransactionKind,
    Wallet,
    moved,
    record,
)
from parking.domain.payment import DisputeStatus, Method, Payment, Refund, RefundStatus
from parking.domain.reservation import EndReason, Reservation
from parking.services import notices
from parking.services.commit import until_committed
from parking.services.owned import wallet_of
from parking.services.ports import Aggregate, CardGateway, CardRefund, RefundRefused, Store

KEYS_LIVE_FOR = timedelta(hours=23)  # Stripe forgets an idempotency key after 24 hours at the earliest


@dataclass(frozen=True, slots=True)
class GivenBack:
    """What a commit has to write so that a stay's money goes back, and the sums that the driver is told."""

    saves: tuple[Aggregate, ...] = ()
    refunded_minor: int = 0
    credited_minor: int = 0


def due_back(store: Store, reservation: Reservation) -> tuple[int, int]:
    """What a full refund of the stay would bring, and the credit beside it, in minor units."""
    refund_minor = sum(payment.refundable_minor for payment in _refundable(store, reservation))
    wallet = wallet_of(store, reservation.user_id, reservation.quote.currency)
    return refund_minor, _credit_minor(reservation, wallet, refund_minor)


def refund_stay(store: Store, reservation: Reservation, now: datetime) -> GivenBack:
    """What gives every payment of a stay back in full. Wallet money is back at once.

    A driver who found the spot occupied gets a credit with it.
    """
    payments = _refundable(store, reservation)
    saves = list[Aggregate]()
    wallet = None
    for payment in payments:
        amount = payment.refundable_minor
        if payment.method is Method.CARD:
            saves += owed_to_card(payment, "CANCELLED", now)
            continue
        transaction = _transaction(TransactionKind.REFUND, payment, moved(amount, debit=REVENUE, credit=WALLET), now)
        wallet = (wallet or wallet_of(store, payment.user_id, payment.currency)).after(transaction)
        saves += [payment.refunded(amount), transaction]
    total_minor = sum(payment.refundable_minor for payment in payments)
    credited_minor = 0
    if reservation.reason is EndReason.SPOT_OCCUPIED:
        wallet = wallet or wallet_of(store, reservation.user_id, reservation.quote.currency)
        credited_minor = _credit_minor(reservation, wallet, total_minor)
    if wallet and credited_minor:
        given = moved(credited_minor, debit=GOODWILL, credit=WALLET)
        credit = _transaction(TransactionKind.CREDIT, payments[0], given, now)
        wallet = wallet.after(credit)
        saves += [credit]
    touched = [wallet] if wallet and saves else []
    return GivenBack((*saves, *touched), total_minor, credited_minor)


def _refundable(store: Store, reservation: Reservation) -> list[Payment]:
    keys = [(reservation.user_id, payment_id) for payment_id in reservation.payment_ids]
    return [one for one in (store.get_many(Payment, keys) if keys else []) if one.refundable_minor]


def _credit_minor(reservation: Reservation, wallet: Wallet, refund_minor: int) -> int:
    """None where the wallet holds another currency."""
    return credit_minor(refund_minor) if wallet.currency == reservation.quote.currency else 0


def owed_to_card(payment: Payment, cause: str, now: datetime) -> list[Aggregate]:
    """The card payment with all that is left of it on its way back, and the ledger's word of it."""
    if payment.intent_id is None:
        raise InvariantBroken(f"{payment.payment_id} was paid without an intent")
    refund = Refund(
        refund_id=RefundId(derived_id("rfd", payment.payment_id, cause)),
        source_id=payment.payment_id,
        intent_id=payment.intent_id,
        amount_minor=payment.refundable_minor,
        requested_at=now,
    )
    entries = moved(refund.amount_minor, debit=REVENUE, credit=REFUNDS)
    return [payment.owing(refund), _transaction(TransactionKind.REFUND, payment, entries, now, refund.refund_id)]


def carry_out_refund(store: Store, cards: CardGateway, holder: Payment, refund: Refund, now: datetime) -> None:
    """Have Stripe give the money back, once, and book what it says. Raises CardError.

    What Stripe refuses stays owed, with the reason in it: it is tried again, and operators are told. What a lost
    dispute has taken from us already is not owed any more.
    """
    source = store.get(Payment, holder.user_id, refund.source_id)
    if source and source.dispute and source.dispute.status is DisputeStatus.LOST and refund.stripe_id is None:
        _taken_by_the_bank(store, holder, refund, now)
        return
    shown = _at_stripe(cards, refund, now)
    if shown is None:
        try:
            shown = cards.create_refund(holder, refund)
        except RefundRefused as refusal:
            _note_refusal(store, holder, refund, str(refusal))
            raise
    settle_refund(store, shown, now)


def settle_refund(store: Store, shown: CardRefund, now: datetime) -> Payment | None:
    """Bring our refund up to what Stripe says; None if it is not ours (the reconciliation reports it)."""
    if shown.user_id is None or shown.payment_id is None or shown.refund_id is None:
        return None
    owner, holder_id, refund_id = UserId(shown.user_id), shown.payment_id, shown.refund_id

    def attempt() -> Payment | None:
        holder = store.get(Payment, owner, holder_id)
        refund = holder.refund(refund_id) if holder else None
        if holder is None or refund is None:
            return None
        if shown.amount_minor != refund.amount_minor:
            raise InvariantBroken(f"{shown.stripe_id} gives back another amount than {refund.refund_id}")
        known = replace(refund, stripe_id=shown.stripe_id, refused=None)
        at = max(now, refund.arrived_at or refund.requested_at)  # a stream record's time is cut to the second
        match shown.status:
            case "succeeded" if refund.status is RefundStatus.PENDING:
                saves = _reached_the_card(holder, known, at)
            case "failed" | "canceled" if refund.status is not RefundStatus.TO_WALLET:
                saves = _refused_by_the_card(store, holder, known, at)
            case _ if known != refund and refund.status is RefundStatus.PENDING:
                saves = [holder.with_refund(known)]
            case _:
                return holder
        store.commit(*saves)
        return holder

    return until_committed(attempt)


def _at_stripe(cards: CardGateway, refund: Refund, now: datetime) -> CardRefund | None:
    """The refund that Stripe has made already; None if it is safe to ask for it (again)."""
    if refund.stripe_id:
        return cards.refund(refund.stripe_id)
    if now - refund.requested_at < KEYS_LIVE_FOR:  # until then the idempotency key says the same
        return None
    return next((one for one in cards.refunds_of(refund.intent_id) if one.refund_id == refund.refund_id), None)


def _note_refusal(store: Store, holder: Payment, refund: Refund, reason: str) -> None:
    def attempt() -> None:
        current = store.get(Payment, *holder.key)
        known = current.refund(refund.refund_id) if current else None
        if current and known and known.status is RefundStatus.PENDING and known.refused != reason:
            store.commit(current.with_refund(replace(known, refused=reason)))

    until_committed(attempt)


def _taken_by_the_bank(store: Store, holder: Payment, refund: Refund, now: datetime) -> None:
    def attempt() -> None:
        current = store.get(Payment, *holder.key)
        known = current.refund(refund.refund_id) if current else None
        if current and known and known.status is RefundStatus.PENDING:
            at = max(now, known.requested_at)  # a stream record's time is cut to the second
            entries = moved(known.amount_minor, debit=REFUNDS, credit=DISPUTES)
            transaction = _transaction(TransactionKind.REFUND_BY_BANK, current, entries, at, known.refund_id)
            paid = replace(known, status=RefundStatus.BY_BANK, diverted_at=at)
            store.commit(current.with_refund(paid), transaction)

    until_committed(attempt)


def _reached_the_card(holder: Payment, refund: Refund, now: datetime) -> list[Aggregate]:
    entries = moved(refund.amount_minor, debit=REFUNDS, credit=STRIPE)
    done = holder.with_refund(replace(refund, status=RefundStatus.SUCCEEDED, arrived_at=now))
    kind = TransactionKind.CARD_REFUND
    return [done, _transaction(kind, holder, entries, now, refund.refund_id, refund.stripe_id)]


def _refused_by_the_card(store: Store, holder: Payment, refund: Refund, now: datetime) -> list[Aggregate]:
    """The bank sends the money back, sometimes days after Stripe said that the refund had succeeded."""
    at_stripe = refund.status is RefundStatus.SUCCEEDED
    entries = moved(refund.amount_minor, debit=STRIPE if at_stripe else REFUNDS, credit=WALLET)
    stripe_id = refund.stripe_id if at_stripe else None
    kind = TransactionKind.REFUND_TO_WALLET
    transaction = _transaction(kind, holder, entries, now, refund.refund_id, stripe_id)
    wallet = wallet_of(store, holder.user_id, holder.currency).after(transaction)
    changed = holder.with_refund(replace(refund, status=RefundStatus.TO_WALLET, diverted_at=now))
    return [changed, transaction, wallet, notices.refunded_to_wallet(holder, refund, now)]


def _transaction(
    kind: TransactionKind,
    payment: Payment,
    entries: tuple[Entry, ...],
    now: datetime,
    subject: str = "",
    stripe_id: str | None = None,
) -> Transaction:
    return record(
        kind,
        user_id=payment.user_id,
        payment_id=payment.payment_id,
        reservation_id=payment.reservation_id,
        entries=entries,
        currency=payment.currency,
        now=now,
        stripe_id=stripe_id,
        subject=subject,
    )
