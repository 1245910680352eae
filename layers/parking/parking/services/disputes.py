"""Chargebacks: a bank has called a charge back, and decides later whose the money is."""

from dataclasses import replace
from datetime import datetime

from parking.domain.ids import PaymentId, UserId
from parking.domain.ledger import DISPUTES, STRIPE, WALLET, Entry, Transaction, TransactionKind, moved, record
from parking.domain.payment import Dispute, DisputeStatus, Payment, Purpose
from parking.services.card_payments import settle
from parking.services.commit import until_committed
from parking.services.owned import wallet_of
from parking.services.ports import Aggregate, CardDispute, CardError, CardGateway, Store

# An inquiry (`warning_…`) takes no money: https://docs.stripe.com/disputes/how-disputes-work#inquiries
_STATUS = {
    "needs_response": DisputeStatus.OPEN,
    "under_review": DisputeStatus.OPEN,
    "won": DisputeStatus.WON,
    "lost": DisputeStatus.LOST,
}


def settle_dispute(store: Store, cards: CardGateway, shown: CardDispute, now: datetime) -> Payment | None:
    """Book what a dispute has taken or given back; None if it took nothing, or is not about a payment of ours.

    What a disputed deposit still has in the wallet is taken out until it is decided: the bank has it already.
    Raises CardError.
    """
    status = _STATUS.get(shown.status)
    if status is None or shown.intent_id is None:
        return None
    intent = cards.intent(shown.intent_id)
    if intent.user_id is None or intent.payment_id is None:
        return None
    settle(store, intent, now)  # the dispute's event may be faster than the payment's own
    owner, payment_id = UserId(intent.user_id), PaymentId(intent.payment_id)

    def attempt() -> Payment | None:
        payment = store.get(Payment, owner, payment_id)
        if payment is None:
            return None
        if not payment.charged:
            raise CardError(f"{shown.stripe_id} disputes {payment_id}, which is {payment.status}")
        known = payment.dispute
        if known and (known.stripe_id != shown.stripe_id or known.status is not DisputeStatus.OPEN):
            return payment
        if known and known.status is status:
            return payment
        saves = _decided(store, payment, known, status, now) if known else _opened(store, payment, shown, status, now)
        store.commit(*saves)
        return payment

    return until_committed(attempt)


def _opened(
    store: Store, payment: Payment, shown: CardDispute, status: DisputeStatus, now: datetime
) -> list[Aggregate]:
    dispute = Dispute(
        stripe_id=shown.stripe_id, amount_minor=shown.amount_minor, from_wallet_minor=0, status=status, opened_at=now
    )
    if status is DisputeStatus.WON:  # opened and won before we heard of it: nothing is missing
        return [replace(payment, dispute=dispute)]
    if payment.purpose is not Purpose.DEPOSIT:
        entries = moved(shown.amount_minor, debit=DISPUTES, credit=STRIPE)
        transaction = _transaction(TransactionKind.DISPUTE, payment, dispute, entries, now)
        return [replace(payment, dispute=dispute), transaction]
    wallet = wallet_of(store, payment.user_id, payment.currency)
    taken = min(wallet.balance_minor, shown.amount_minor)
    sides = (Entry(WALLET, -taken), Entry(DISPUTES, taken - shown.amount_minor), Entry(STRIPE, shown.amount_minor))
    entries = tuple(entry for entry in sides if entry.amount_minor)
    transaction = _transaction(TransactionKind.DISPUTE, payment, dispute, entries, now)
    kept = replace(dispute, from_wallet_minor=taken)
    return [replace(payment, dispute=kept), transaction, wallet.after(transaction)]


def _decided(store: Store, payment: Payment, dispute: Dispute, status: DisputeStatus, now: datetime) -> list[Aggregate]:
    decided = replace(payment, dispute=replace(dispute, status=status))
    if status is not DisputeStatus.WON:
        return [decided]
    back = dispute.from_wallet_minor
    sides = (
        Entry(WALLET, back),
        Entry(DISPUTES, dispute.amount_minor - back),
        Entry(STRIPE, -dispute.amount_minor),
    )
    entries = tuple(entry for entry in sides if entry.amount_minor)
    transaction = _transaction(TransactionKind.DISPUTE_WON, payment, dispute, entries, now)
    if not back:
        return [decided, transaction]
    return [decided, transaction, wallet_of(store, payment.user_id, payment.currency).after(transaction)]


def _transaction(
    kind: TransactionKind, payment: Payment, dispute: Dispute, entries: tuple[Entry, ...], now: datetime
) -> Transaction:
    return record(
        kind,
        user_id=payment.user_id,
        payment_id=payment.payment_id,
        reservation_id=payment.reservation_id,
        entries=entries,
        currency=payment.currency,
        now=now,
        stripe_id=dispute.stripe_id,
        subject=dispute.stripe_id,
    )
