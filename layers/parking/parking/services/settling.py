"""What Stripe and we have yet to settle: done from the payments stream at once, and by a schedule until it is done."""

from collections.abc import Callable
from datetime import datetime, timedelta

from parking.domain.due import Step
from parking.domain.errors import NotFound
from parking.domain.payment import Payment, PaymentStatus, Purpose
from parking.services.card_payments import charge, close_unpaid, settle
from parking.services.commit import until_committed
from parking.services.ports import CardGateway, Key, RefundRefused, Store
from parking.services.refunds import KEYS_LIVE_FOR, carry_out_refund
from parking.services.sweeping import ONE_BY_ONE, Pace, Swept, is_due, sweep

FORM_OPEN_FOR = timedelta(hours=1)  # what no hold limits, a deposit or a debt, waits this long for the driver's card


def carry_out(store: Store, cards: CardGateway, key: Key, now: datetime) -> None:
    """Ask Stripe for what the payment wants of it: cancel it, charge the absent driver's card, give money back.

    Level, not edge: call it as often as you like. Raises CardError, RefundRefused; the schedule tries again.
    """
    payment = _load(store, key)
    if payment.status is PaymentStatus.CANCELLING:
        _cancel(store, cards, payment, now)
    elif payment.open and payment.off_session:
        _charge_absent_driver(store, cards, payment, now)
    refusals = list[RefundRefused]()
    for refund in payment.pending_refunds:
        try:
            carry_out_refund(store, cards, payment, refund, now)
        except RefundRefused as refusal:  # one card that refuses its part must not keep the others waiting
            refusals.append(refusal)
    if refusals:
        raise refusals[0]


def _nobody(_: Payment) -> None:
    """Who is told of what is still unsettled, if nobody is."""


def settle_due(
    store: Store,
    cards: CardGateway,
    now: datetime,
    pace: Pace = ONE_BY_ONE,
    tell: Callable[[Payment], None] = _nobody,
) -> Swept:
    """Look after every payment that has been unsettled for a while: every five minutes, a refused refund seldom.

    `tell` hears of each that the look has not settled.
    """
    return sweep(store, Step.SETTLE, now, lambda key: _look_after(store, cards, key, now, tell), pace)


def _look_after(store: Store, cards: CardGateway, key: Key, now: datetime, tell: Callable[[Payment], None]) -> bool:
    payment = _load(store, key)
    if not is_due(payment.due, Step.SETTLE, now):
        return False
    try:
        unlimited = payment.purpose in (Purpose.DEPOSIT, Purpose.OVERSTAY) and not payment.off_session
        if unlimited and payment.open and now - payment.created_at >= FORM_OPEN_FOR:
            _abandon(store, key, now)
        elif payment.open and not payment.off_session and payment.intent_id:
            settle(store, cards.intent(payment.intent_id), now)
        carry_out(store, cards, key, now)
    finally:
        left = _put_off(store, key, now)
        if left.unsettled:
            tell(left)
    return True


def _charge_absent_driver(store: Store, cards: CardGateway, payment: Payment, now: datetime) -> None:
    """A charge that Stripe may have forgotten the key of is not asked for again: it could be a second one."""
    if payment.intent_id is None and now - payment.created_at >= KEYS_LIVE_FOR:
        _abandon(store, payment.key, now)
    else:
        settle(store, charge(store, cards, payment, now), now)


def _abandon(store: Store, key: Key, now: datetime) -> None:
    def attempt() -> None:
        payment = _load(store, key)
        if payment.open:
            store.commit(payment.abandoned(now))

    until_committed(attempt)


def _cancel(store: Store, cards: CardGateway, payment: Payment, now: datetime) -> None:
    """One whose intent we never heard of gets it by its idempotency key, so that nothing is left to be paid."""
    intent_id = payment.intent_id
    if intent_id is None and now - payment.created_at < KEYS_LIVE_FOR:
        intent_id = cards.create_intent(payment).intent_id
    if intent_id is not None:
        settle(store, cards.cancel_intent(intent_id), now)
        return
    # It cannot be paid: nobody was ever told its secret, and a saved card is charged only by an intent that is stored.
    close_unpaid(store, payment.key, now)


def _put_off(store: Store, key: Key, now: datetime) -> Payment:
    """The payment as the look has left it, with the time of the next one if it needs one."""

    def attempt() -> Payment:
        payment = _load(store, key)
        if payment.due and payment.due.at <= now:
            payment = payment.looked_at(now)
            store.commit(payment)
        return payment

    return until_committed(attempt)


def _load(store: Store, key: Key) -> Payment:
    payment = store.get(Payment, *key)
    if payment is None:
        raise NotFound("The due index or the stream names a payment that is not there.")
    return payment
