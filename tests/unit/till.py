"""The world with cards: what drivers, their banks and Stripe do, and what the stream and the schedule make of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import Any

from parking.domain.customer import Customer
from parking.domain.errors import CardDeclined
from parking.domain.ids import PaymentId, UserId
from parking.domain.ledger import DISPUTES, REFUNDS, STRIPE, WALLET, Transaction, Wallet
from parking.domain.payment import Payment, Purpose
from parking.domain.reservation import Extension, Reservation
from parking.services.card_payments import CardAnswer, deposit_by_card, pay_by_card, settle
from parking.services.disputes import settle_dispute
from parking.services.owned import payment_of
from parking.services.payment_methods import remember_card, start_setup
from parking.services.ports import RefundRefused
from parking.services.reconciling import Comparison, compare
from parking.services.refunds import settle_refund
from parking.services.settling import carry_out, settle_due
from parking.services.sweeping import Swept
from parking.services.wallets import withdraw
from tests.builders import NOW
from tests.unit.world import ANNA, World, at

DAY = 24 * 60
_EVER = (NOW - timedelta(days=400), NOW + timedelta(days=400))


class ProcessDied(BaseException):
    """Lambda ends in the middle of a call; no handler of ours runs any more."""


class _Mortal:
    """A port behind which the process dies at one of the calls to all ports together."""

    def __init__(self, port: Any, dies: Callable[[], str]) -> None:
        self._port, self._dies = port, dies

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            when = self._dies()
            if when == "before":
                raise ProcessDied(name)
            answer = getattr(self._port, name)(*args, **kwargs)
            if when == "after":
                raise ProcessDied(name)
            return answer

        return call


class Till(World):
    """One spot, and drivers who pay by card. Minutes count from NOW; the webhook comes when a test says so."""

    # What drivers do

    def save_card(self, user: UserId = ANNA, key: str = "setup", *, last4: str = "4242", now: float = 0) -> str:
        """A saved card; gives its id. The first becomes the default."""
        setup = start_setup(self.store, self.cards, self.request(user, key, route="POST /payment-methods/setup"))
        card = self.cards.save_card(setup.setup_id, last4=last4)
        remember_card(self.store, self.cards.setup(setup.setup_id, at(now)))
        return card

    def pay_by_card(
        self,
        reservation: Reservation,
        extension: Extension | None = None,
        *,
        card: str | None = None,
        key: str = "card",
        now: float = 1,
        fingerprint: str = "body",
    ) -> CardAnswer:
        """POST /payments with a saved card, or None for a new one."""
        return pay_by_card(
            self.store,
            self.cards,
            self.request(reservation.user_id, key, fingerprint, "POST /payments"),
            reservation_id=reservation.reservation_id,
            extension_id=extension.extension_id if extension else None,
            payment_method_id=card,
            now=at(now),
        )

    def decline_of(self, reservation: Reservation, card: str, *, key: str = "card", now: float = 1) -> str:
        """The decline code with which a saved card is refused; fails if it is not."""
        try:
            self.pay_by_card(reservation, card=card, key=key, now=now)
        except CardDeclined as declined:
            return str(declined.data["decline_code"])
        raise AssertionError("the card paid")

    def deposit(
        self,
        user: UserId = ANNA,
        amount_minor: int = 2_000,
        *,
        card: str | None = None,
        key: str = "deposit",
        now: float = 0,
    ) -> CardAnswer:
        """POST /wallet/deposits with a saved card, or None for a new one."""
        return deposit_by_card(
            self.store,
            self.cards,
            self.request(user, key, str(amount_minor), "POST /wallet/deposits"),
            amount_minor=amount_minor,
            currency="EUR",
            payment_method_id=card,
            now=at(now),
        )

    def withdraw(self, amount_minor: int, user: UserId = ANNA, *, key: str = "withdraw", now: float = 2) -> Payment:
        """POST /wallet/withdrawals."""
        request = self.request(user, key, str(amount_minor), "POST /wallet/withdrawals")
        return withdraw(self.store, request, amount_minor=amount_minor, currency="EUR", now=at(now))

    def completes(self, answer: CardAnswer, now: float) -> Payment:
        """The driver pays with a good card in the PaymentSheet, and the webhook tells."""
        self.cards.pay(intent_of(answer.payment))
        return self.webhook(answer.payment, now)

    # What Stripe tells

    def webhook(self, payment: Payment, now: float) -> Payment:
        """payment_intent.*: the payment afterwards."""
        settled = settle(self.store, self.cards.intent(intent_of(self.stored_payment(payment))), at(now))
        if settled is None:
            raise LookupError(payment.payment_id)
        return self.stored_payment(payment)

    def refund_webhook(self, payment: Payment, now: float) -> Payment:
        """refund.* of every refund that the payment holds and Stripe knows."""
        for refund in self.stored_payment(payment).refunds:
            if refund.stripe_id:
                settle_refund(self.store, self.cards.refund(refund.stripe_id), at(now))
        return self.stored_payment(payment)

    def dispute_webhook(self, stripe_id: str, now: float) -> None:
        """charge.dispute.*"""
        settle_dispute(self.store, self.cards, self.cards.dispute(stripe_id), at(now))

    # What runs by itself

    def stream(self, now: float) -> None:
        """The payments stream: every payment that wants something of Stripe gets it."""
        for payment in self.store.all_of(Payment):
            if payment.asks_stripe:
                carry_out(self.store, self.cards, payment.key, at(now))

    def look(self, now: float) -> Swept:
        """One run of the schedule that settles what is due."""
        return settle_due(self.store, self.cards, at(now))

    def looks(self, since: float, until: float, step: float = 5) -> None:
        """The schedule's runs of a time. Nothing may fail."""
        for n in range(int((until - since) / step) + 1):
            for failure in self.look(since + n * step).failures.values():
                raise failure

    def compared(self, since: float = 0, until: float = DAY, now: float = DAY) -> Comparison:
        """What a reconciliation of that time sees."""
        return compare(self.store, self.cards, at(since), at(until), at(now))

    @contextmanager
    def dying_at(self, nth: int, when: str) -> Iterator[list[int]]:
        """Within this, the process dies "before" or "after" the nth call to a port; yields the calls made so far."""
        store, cards, made = self.store, self.cards, [0]

        def dies() -> str:
            made[0] += 1
            if made[0] > nth:
                return "before"  # a dead process calls nobody
            return when if made[0] == nth else ""

        mortal: Any = self  # the ports of a process that may die look like the others
        mortal.store, mortal.cards = _Mortal(store, dies), _Mortal(cards, dies)
        try:
            with suppress(ProcessDied):
                yield made
        finally:
            self.store, self.cards = store, cards

    # What is there

    def stored_payment(self, payment: Payment) -> Payment:
        """The payment as it is now."""
        return payment_of(self.store, payment.user_id, payment.payment_id)

    def payments(self, purpose: Purpose | None = None, user: UserId = ANNA) -> list[Payment]:
        """A driver's payments, the oldest first."""
        page = self.store.page(Payment, user, limit=100).items
        return [payment for payment in reversed(page) if purpose in (None, payment.purpose)]

    def payment(self, payment_id: PaymentId | None, user: UserId = ANNA) -> Payment:
        """One of a driver's payments."""
        return payment_of(self.store, user, payment_id or PaymentId(""))

    def wallet(self, user: UserId = ANNA) -> Wallet:
        """A driver's wallet."""
        return self.store.get(Wallet, user) or Wallet(user_id=user, currency="EUR")

    def customer(self, user: UserId = ANNA) -> Customer:
        """A driver at Stripe."""
        customer = self.store.get(Customer, user)
        if customer is None:
            raise LookupError(user)
        return customer

    def charges(self) -> list[int]:
        """What Stripe has charged, one amount for each intent that succeeded."""
        intents = self.cards.intents_between(*_EVER)
        return [one.amount_received_minor for one in intents if one.status == "succeeded"]

    def given_back(self) -> list[int]:
        """What Stripe has given back to cards."""
        return [one.amount_minor for one in self.cards.refunds_between(*_EVER) if one.status == "succeeded"]

    def on(self, account: str) -> int:
        """What all drivers' records together credit to an account."""
        return sum(transaction.amount_on(account) for transaction in self.store.all_of(Transaction))

    # What must be true in the end

    def everything_arrives(self, now: float = 30 * DAY) -> None:
        """Every event that Stripe still had to send comes, and the stream does what is left."""
        when: datetime = at(now)
        for intent in self.cards.intents_between(*_EVER):
            settle(self.store, intent, when)
        for dispute in self.cards.disputes_between(*_EVER):
            settle_dispute(self.store, self.cards, dispute, when)
        with suppress(RefundRefused):
            self.stream(now)
        for refund in self.cards.refunds_between(*_EVER):
            settle_refund(self.store, refund, when)

    def books_must_fit(self) -> None:
        """The ledger says what Stripe says, and what the wallets and payments say."""
        disputed = [d.amount_minor for d in self.cards.disputes_between(*_EVER) if d.status != "won"]
        payments = self.store.all_of(Payment)
        owed = sum(one.amount_minor for payment in payments for one in payment.pending_refunds)
        for payment in payments:
            if payment.refunded_minor > payment.amount_minor:
                raise AssertionError(f"{payment} gave back more than it took")
        books = {account: self.on(account) for account in (STRIPE, REFUNDS, WALLET)}
        at_stripe = sum(self.charges()) - sum(self.given_back()) - sum(disputed)
        wallets = sum(wallet.balance_minor for wallet in self.store.all_of(Wallet))
        if books != {STRIPE: -at_stripe, REFUNDS: owed, WALLET: wallets}:
            raise AssertionError(f"{books}, Stripe holds {at_stripe}, {owed} is owed to cards, {wallets} to wallets")
        if -self.on(DISPUTES) > sum(disputed):
            raise AssertionError("more is lost in disputes than banks have called back")


def intent_of(payment: Payment) -> str:
    """Stripe's PaymentIntent of a payment that has one."""
    if payment.intent_id is None:
        raise LookupError(f"{payment.payment_id} has no intent")
    return payment.intent_id
