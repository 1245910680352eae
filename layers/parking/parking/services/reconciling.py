"""Our ledger against Stripe's list of a period: what was charged and not committed is settled, the rest reported."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from parking.domain.ids import UserId
from parking.domain.ledger import STRIPE, Transaction, TransactionKind
from parking.domain.payment import DisputeStatus, Payment, Refund, RefundStatus
from parking.services.card_payments import settle
from parking.services.disputes import settle_dispute
from parking.services.ports import CardDispute, CardGateway, CardRefund, Intent, Store
from parking.services.refunds import settle_refund

_REFUNDS_WITHOUT_MONEY = ("failed", "canceled", "pending", "requires_action")
_DISPUTES_WITH_MONEY = ("needs_response", "under_review", "lost")


class DifferenceKind(StrEnum):
    """What does not fit."""

    NOT_IN_LEDGER = "NOT_IN_LEDGER"
    """Stripe moved money for a payment of ours, and settling it did not bring it into the ledger."""
    NOT_OURS = "NOT_OURS"
    """Stripe moved money that names no payment of ours: somebody used the account by hand."""
    NOT_AT_STRIPE = "NOT_AT_STRIPE"
    """The ledger says that Stripe moved money, and Stripe says otherwise."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One object of Stripe's, and by how much the ledger is wrong about it, in minor units."""

    kind: DifferenceKind
    stripe_id: str
    amount_minor: int


@dataclass(slots=True)
class Comparison:
    """What a reconciliation saw. Amounts are in minor units; to Stripe's account a charge is positive."""

    since: datetime
    until: datetime
    charges: int = 0
    refunds: int = 0
    disputes: int = 0
    settled: int = 0
    """Facts that were missing and are committed now."""
    stripe_minor: int = 0
    ledger_minor: int = 0
    differences: list[Difference] = field(default_factory=list)

    @property
    def difference_minor(self) -> int:
        """The sum of all differences, whichever their direction."""
        return sum(abs(one.amount_minor) for one in self.differences)


def compare(store: Store, cards: CardGateway, since: datetime, until: datetime, now: datetime) -> Comparison:
    """Every charge, refund and dispute that Stripe has of [since, until), and every ledger record of those days.

    Stripe's time and ours differ by the way that a fact needs, so each object is looked up on the other side by its id.
    Raises CardError, Busy: nothing is half done, run it again.
    """
    seen = Comparison(since, until)
    at_stripe = dict[str, int]()
    for intent in cards.intents_between(since, until):
        at_stripe[intent.intent_id] = _compare_charge(store, seen, intent, now)
    for refund in cards.refunds_between(since, until):
        at_stripe[refund.stripe_id] = _compare_refund(store, seen, refund, now)
    for dispute in cards.disputes_between(since, until):
        at_stripe[dispute.stripe_id] = _compare_dispute(store, cards, seen, dispute, now)
    _compare_ledger(store, cards, seen, at_stripe)
    return seen


def _compare_charge(store: Store, seen: Comparison, intent: Intent, now: datetime) -> int:
    amount = intent.amount_received_minor if intent.status == "succeeded" else 0
    if not amount:
        return 0
    seen.charges += 1
    seen.stripe_minor += amount
    payment = _payment_of(store, intent.user_id, intent.payment_id)
    # Another amount than was asked is never booked: a difference, and no reason to leave the rest uncompared.
    as_asked = payment and (amount, intent.currency) == (payment.amount_minor, payment.currency)
    if payment and not payment.charged and as_asked:
        settle(store, intent, now)
        payment = _payment_of(store, intent.user_id, intent.payment_id)
        seen.settled += bool(payment and payment.charged)
    _judge(seen, intent.intent_id, amount, payment, booked=bool(payment and payment.charged))
    return amount


def _compare_refund(store: Store, seen: Comparison, shown: CardRefund, now: datetime) -> int:
    amount = 0 if shown.status in _REFUNDS_WITHOUT_MONEY else -shown.amount_minor
    before = _refund_of(store, shown)
    if before and before.amount_minor == shown.amount_minor:
        settle_refund(store, shown, now)
    after = _refund_of(store, shown)
    booked = bool(after and after.status is RefundStatus.SUCCEEDED and after.amount_minor == shown.amount_minor)
    seen.settled += bool(before and after and before.status is not after.status)
    if not amount:
        return 0
    seen.refunds += 1
    seen.stripe_minor += amount
    holder = _payment_of(store, shown.user_id, shown.payment_id)
    _judge(seen, shown.stripe_id, amount, holder, booked=booked)
    return amount


def _compare_dispute(store: Store, cards: CardGateway, seen: Comparison, shown: CardDispute, now: datetime) -> int:
    amount = -shown.amount_minor if shown.status in _DISPUTES_WITH_MONEY else 0
    payment = settle_dispute(store, cards, shown, now)
    if payment:
        payment = store.get(Payment, *payment.key)
    if not amount:
        return 0
    seen.disputes += 1
    seen.stripe_minor += amount
    dispute = payment.dispute if payment else None
    booked = bool(dispute and dispute.stripe_id == shown.stripe_id and dispute.status is not DisputeStatus.WON)
    _judge(seen, shown.stripe_id, amount, payment, booked=booked)
    return amount


def _judge(seen: Comparison, stripe_id: str, amount_minor: int, payment: Payment | None, *, booked: bool) -> None:
    if payment is None:
        seen.differences.append(Difference(DifferenceKind.NOT_OURS, stripe_id, amount_minor))
    elif not booked:
        seen.differences.append(Difference(DifferenceKind.NOT_IN_LEDGER, stripe_id, amount_minor))


def _compare_ledger(store: Store, cards: CardGateway, seen: Comparison, at_stripe: dict[str, int]) -> None:
    """Every object that the ledger names is worth to Stripe now what it is worth to us now.

    What it was worth when the record was written does not count: a dispute of the period may be won by today.
    """
    named = dict[str, Transaction]()
    for transaction in _records(store, seen.since, seen.until):
        # A debit of the account `stripe` is money that Stripe holds for us: the sign turns.
        seen.ledger_minor -= transaction.amount_on(STRIPE)
        if transaction.stripe_id:
            named[transaction.stripe_id] = transaction
    for stripe_id, transaction in named.items():
        payment = store.get(Payment, transaction.user_id, transaction.payment_id)
        ours = _worth(payment, stripe_id) if payment else 0
        known = stripe_id in at_stripe
        theirs = at_stripe[stripe_id] if known else _worth_at_stripe(cards, transaction.kind, stripe_id)
        if ours != theirs:
            seen.differences.append(Difference(DifferenceKind.NOT_AT_STRIPE, stripe_id, ours - theirs))


def _worth(payment: Payment, stripe_id: str) -> int:
    """What one of the payment's objects at Stripe has added to our money there."""
    if stripe_id == payment.intent_id:
        return payment.amount_minor if payment.charged else 0
    if payment.dispute and stripe_id == payment.dispute.stripe_id:
        return -payment.dispute.amount_minor if payment.dispute.status is not DisputeStatus.WON else 0
    refund = next((one for one in payment.refunds if one.stripe_id == stripe_id), None)
    return -refund.amount_minor if refund and refund.status is RefundStatus.SUCCEEDED else 0


def _worth_at_stripe(cards: CardGateway, kind: TransactionKind, stripe_id: str) -> int:
    match kind:
        case TransactionKind.CARD_PAYMENT | TransactionKind.DEPOSIT:
            return cards.intent(stripe_id).amount_received_minor
        case TransactionKind.DISPUTE | TransactionKind.DISPUTE_WON:
            dispute = cards.dispute(stripe_id)
            return -dispute.amount_minor if dispute.status in _DISPUTES_WITH_MONEY else 0
        case _:
            refund = cards.refund(stripe_id)
            return 0 if refund.status in _REFUNDS_WITHOUT_MONEY else -refund.amount_minor


def _records(store: Store, since: datetime, until: datetime) -> Iterator[Transaction]:
    last = (until - timedelta(microseconds=1)).date()
    for n in range((last - since.date()).days + 1):
        day: date = since.date() + timedelta(n)
        for one in store.stripe_transactions(day):
            if since <= one.created_at < until:
                yield one


def _payment_of(store: Store, user_id: str | None, payment_id: str | None) -> Payment | None:
    return store.get(Payment, UserId(user_id), payment_id) if user_id and payment_id else None


def _refund_of(store: Store, shown: CardRefund) -> Refund | None:
    holder = _payment_of(store, shown.user_id, shown.payment_id)
    return holder.refund(shown.refund_id) if holder and shown.refund_id else None
