"""Money from cards. The payment is stored before Stripe is asked, and Stripe's own word decides what became of it.

A crash at any point leaves a payment that the app's retry, the webhook or the schedule carries on: all of them end in
`settle`, so there is one charge or none, and never a charge without a fact.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from parking.domain.customer import Customer
from parking.domain.errors import AmountTooSmallForCard, CardDeclined, InvariantBroken, NotFound, Refused, WrongState
from parking.domain.ids import CreateRequest, ExtensionId, PaymentId, ReservationId, UserId
from parking.domain.ledger import REVENUE, STRIPE, Debt, TransactionKind, moved, record
from parking.domain.payment import LOOK_AFTER, SMALLEST_CHARGE_MINOR, Method, Payment, PaymentStatus, Purpose
from parking.services import notices
from parking.services.commit import until_committed
from parking.services.once import made_once
from parking.services.open_payments import abandoned, payable_of, trying
from parking.services.owned import payment_of, reservation_of, wallet_of
from parking.services.payments import fulfilled
from parking.services.ports import Aggregate, CardError, CardGateway, Intent, Key, Store
from parking.services.refunds import owed_to_card
from parking.services.wallets import check_deposit, credited


@dataclass(frozen=True, slots=True)
class CardAnswer:
    """The payment as the first answer said it, and what the app needs where the driver has something to do."""

    payment: Payment
    client_secret: str | None


def pay_by_card(
    store: Store,
    cards: CardGateway,
    request: CreateRequest,
    *,
    reservation_id: ReservationId,
    extension_id: ExtensionId | None,
    payment_method_id: str | None,
    now: datetime,
) -> CardAnswer:
    """Charge a saved card, or let the app ask for a new one, for what a reservation waits for.

    Another card payment that was open for the same thing is abandoned. Raises NotFound, AlreadyPaid, HoldExpired,
    WrongState, AmountTooSmallForCard, CardDeclined, IdempotencyMismatch, CardError.
    """

    def new() -> list[Aggregate]:
        before = reservation_of(store, request.user_id, reservation_id)
        payable = payable_of(before, extension_id, now)
        if payable.quote.amount_minor < SMALLEST_CHARGE_MINOR:
            raise AmountTooSmallForCard("The amount is too small for a card; pay from the wallet.")
        payment = replace(
            _wanted(store, request, payment_method_id, now),
            purpose=payable.purpose,
            amount_minor=payable.quote.amount_minor,
            currency=payable.quote.currency,
            reservation_id=reservation_id,
            extension_id=extension_id,
        )
        after = trying(before, payment)
        return [payment, after, *abandoned(store, before, after, now), *_owed_meanwhile(store, payment, now)]

    return _opened_and_answered(store, cards, request, new, now)


def deposit_by_card(
    store: Store,
    cards: CardGateway,
    request: CreateRequest,
    *,
    amount_minor: int,
    currency: str,
    payment_method_id: str | None,
    now: datetime,
) -> CardAnswer:
    """Fill the wallet by a saved or a new card; it grows when Stripe says that the money came.

    Raises InvalidField, DailyLimitReached, NotFound, CardDeclined, IdempotencyMismatch, CardError.
    """

    def new() -> list[Aggregate]:
        wallet = wallet_of(store, request.user_id, currency)
        check_deposit(store, wallet, amount_minor, now)
        wanted = _wanted(store, request, payment_method_id, now)
        # The wallet is saved as it is, so that of two forms that are opened at once the second sees the first.
        return [replace(wanted, purpose=Purpose.DEPOSIT, amount_minor=amount_minor, currency=currency), wallet]

    return _opened_and_answered(store, cards, request, new, now)


def charge(store: Store, cards: CardGateway, payment: Payment, now: datetime) -> Intent:
    """Ask Stripe for the money, once however often it is asked. Raises CardError.

    A saved card's intent is stored before it is charged: only then is it found again, to be booked or cancelled, after
    a crash that outlives Stripe's memory of the idempotency key.
    """
    intent = cards.intent(payment.intent_id) if payment.intent_id else cards.create_intent(payment)
    if payment.payment_method_id is None or intent.status != "requires_confirmation":
        return intent
    stored = payment if payment.intent_id else settle(store, intent, now)
    if stored is None or not stored.open:  # abandoned meanwhile: it is cancelled, not charged
        return intent
    return cards.confirm_intent(payment, intent.intent_id, off_session=payment.off_session)


def settle(store: Store, intent: Intent, now: datetime, *, answering: bool = False) -> Payment | None:
    """Bring our payment up to what Stripe says of its PaymentIntent; None if the intent is not ours.

    Events come twice, out of order and late: only the intent as Stripe shows it counts. `answering`: the app waits,
    and what it is told now is what every retry is told. Raises CardError.
    """
    if intent.user_id is None or intent.payment_id is None:
        return None
    owner, payment_id = UserId(intent.user_id), PaymentId(intent.payment_id)

    def attempt() -> Payment | None:
        payment = store.get(Payment, owner, payment_id)
        if payment is None:
            return None
        after, saves, unchanged = _as_stripe_says(store, payment, intent, now)
        if answering and after.first_status is None:
            after = replace(after, first_status=_first_status(after))
        if after != payment:
            store.commit(after, *saves, unchanged=unchanged)
        return after

    return until_committed(attempt)


def close_unpaid(store: Store, key: Key, now: datetime) -> None:
    """End a payment that nobody wants any more and that Stripe cannot take money for."""

    def attempt() -> None:
        payment = store.get(Payment, *key)
        if payment and payment.status is PaymentStatus.CANCELLING:
            after, saves, unchanged = _without_money(store, payment, payment.closed(), now)
            store.commit(after, *saves, unchanged=unchanged)

    until_committed(attempt)


def _owed_meanwhile(store: Store, payment: Payment, now: datetime) -> list[Aggregate]:
    """An overstay that the driver pays in the app is a debt until it is paid, however often a form is left open."""
    if payment.purpose is not Purpose.OVERSTAY or payment.reservation_id is None:
        return []
    wallet = wallet_of(store, payment.user_id, payment.currency)
    if any(debt.reservation_id == payment.reservation_id for debt in wallet.debts):
        return []
    return [wallet.owing(Debt(payment.reservation_id, payment.amount_minor, now))]


def _wanted(store: Store, request: CreateRequest, payment_method_id: str | None, now: datetime) -> Payment:
    """A card payment that waits for Stripe, before it is said what for. Raises NotFound for an unknown card."""
    customer_id = None
    if payment_method_id:
        customer = store.get(Customer, request.user_id)
        if customer is None:
            raise NotFound("There is no such payment method.", field="payment_method_id")
        customer_id = customer.customer_id
        customer.payment_method(payment_method_id)
    return Payment(
        user_id=request.user_id,
        payment_id=PaymentId(request.new_id("pay")),
        purpose=Purpose.DEPOSIT,
        method=Method.CARD,
        amount_minor=0,
        currency="",
        status=PaymentStatus.PENDING,
        reservation_id=None,
        extension_id=None,
        customer_id=customer_id,
        payment_method_id=payment_method_id,
        settle_due_at=now + LOOK_AFTER,
        fingerprint=request.fingerprint,
        created_at=now,
    )


def _opened_and_answered(
    store: Store, cards: CardGateway, request: CreateRequest, new: Callable[[], list[Aggregate]], now: datetime
) -> CardAnswer:
    def make(payment_id: PaymentId) -> Payment:
        store.commit(*new())
        return payment_of(store, request.user_id, payment_id)

    payment = made_once(store, request, make)
    intent = None
    if payment.first_status is None and payment.open:
        intent = charge(store, cards, payment, now)
        payment = settle(store, intent, now, answering=True) or payment
    if payment.first_status is None:
        payment = _note_first_answer(store, payment)
    return _answer(cards, payment, intent)


def _note_first_answer(store: Store, payment: Payment) -> Payment:
    """For a payment that others had settled before it was ever answered."""

    def attempt() -> Payment:
        current = payment_of(store, payment.user_id, payment.payment_id)
        if current.first_status is None:
            current = replace(current, first_status=_first_status(current))
            store.commit(current)
        return current

    return until_committed(attempt)


def _answer(cards: CardGateway, payment: Payment, intent: Intent | None) -> CardAnswer:
    first = payment.first_status or payment.status
    if first is PaymentStatus.FAILED:
        if payment.failure_code is None:
            raise WrongState("Another payment took the place of this one.")
        raise CardDeclined("The card was declined; try another one.", decline_code=payment.failure_code)
    client_secret = None
    if first is PaymentStatus.REQUIRES_ACTION and payment.intent_id:
        client_secret = (intent or cards.intent(payment.intent_id)).client_secret
    return CardAnswer(payment.first_answer(first), client_secret)


def _first_status(payment: Payment) -> PaymentStatus:
    """What the app is told first: with a new card always that it has something to do."""
    if payment.payment_method_id is None and payment.intent_id:
        return PaymentStatus.REQUIRES_ACTION
    if payment.charged:
        return PaymentStatus.SUCCEEDED
    return payment.status if payment.open else PaymentStatus.FAILED


_Change = tuple[Payment, list[Aggregate], list[Aggregate]]
"""The payment afterwards, what else is saved, and what must not have changed."""


def _as_stripe_says(store: Store, payment: Payment, intent: Intent, now: datetime) -> _Change:
    waits = payment.open or payment.status is PaymentStatus.CANCELLING
    if payment.charged or not (waits or intent.status == "succeeded"):
        return payment, [], []
    payment = replace(payment, intent_id=intent.intent_id)
    if intent.status == "succeeded":
        return _money_came(store, payment, intent, now)
    if intent.status == "canceled":
        return _without_money(store, payment, payment.closed(), now)
    if payment.open and intent.decline_code and payment.payment_method_id:  # nobody else can try this one again
        failed = replace(payment, failure_code=intent.decline_code).abandoned(now)
        return _without_money(store, payment, failed, now)
    return (_waiting(payment, intent) if payment.open else payment), [], []


def _waiting(payment: Payment, intent: Intent) -> Payment:
    for_stripe = intent.status in ("processing", "requires_confirmation")
    status = PaymentStatus.PENDING if for_stripe else PaymentStatus.REQUIRES_ACTION
    payment = replace(payment, failure_code=intent.decline_code)
    return payment if payment.status is status else payment.moved_to(status)


def _money_came(store: Store, payment: Payment, intent: Intent, now: datetime) -> _Change:
    if (intent.amount_received_minor, intent.currency) != (payment.amount_minor, payment.currency):
        raise CardError(f"{intent.intent_id} received another amount than {payment.payment_id} asks")
    paid = replace(payment.moved_to(PaymentStatus.SUCCEEDED), failure_code=None)
    if paid.purpose is Purpose.DEPOSIT:
        return paid, credited(store, paid, now), []
    transaction = record(
        TransactionKind.CARD_PAYMENT,
        user_id=paid.user_id,
        payment_id=paid.payment_id,
        reservation_id=paid.reservation_id,
        entries=moved(paid.amount_minor, debit=STRIPE, credit=REVENUE),
        currency=paid.currency,
        now=now,
        stripe_id=intent.intent_id,
    )
    try:
        return paid, [transaction, *fulfilled(store, paid, now)], []
    except (NotFound, Refused):
        # It came too late for what it was for: all of it goes back by itself.
        [owed, *rest] = owed_to_card(paid, "LATE", now)
        if not isinstance(owed, Payment):
            raise InvariantBroken("a refund without its payment") from None
        return owed, [transaction, *rest, notices.late_money(owed, now)], []


def _without_money(store: Store, before: Payment, after: Payment, now: datetime) -> _Change:
    """An overstay that the card did not pay becomes a debt, unless it was paid otherwise meanwhile."""
    if before.purpose is not Purpose.OVERSTAY or before.reservation_id is None:
        return after, [], []
    reservation = reservation_of(store, before.user_id, before.reservation_id)
    overstay = reservation.overstay
    wallet = wallet_of(store, before.user_id, before.currency)
    known = any(debt.reservation_id == reservation.reservation_id for debt in wallet.debts)
    if overstay is None or overstay.payment_id or overstay.card_payment_id != before.payment_id or known:
        return after, [], []
    debt = Debt(reservation.reservation_id, overstay.quote.amount_minor, now)
    return after, [wallet.owing(debt), notices.debt(reservation, debt, now)], [reservation]
