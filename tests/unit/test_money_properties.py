"""Whatever drivers, banks and schedules do, in any order: in the end the ledger says what Stripe says."""

import random
from collections.abc import Callable
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from parking.domain.errors import ParkingError
from parking.domain.ids import UserId
from parking.domain.payment import Method, Payment, PaymentStatus, Purpose
from parking.domain.receipt import ReceiptLine, receipt_of
from parking.domain.reservation import Reservation, ReservationStatus
from parking.services import bookings
from parking.services.ports import CardError, RefundRefused
from tests.unit.till import DAY, Till
from tests.unit.world import ANNA, BORIS, at

P, S = PaymentStatus, ReservationStatus
STEPS = 60
EXAMPLES = 60


class _Story:
    """One random day of two drivers, told from a seed."""

    def __init__(self, seed: int) -> None:
        self.till = Till()
        self._random = random.Random(seed)  # noqa: S311 - repeatable, nothing secret
        self._now = 0.0
        self._receipts: dict[str, tuple[object, list[ReceiptLine]]] = {}
        self._cards = {user: [self.till.save_card(user, str(n)) for n in range(2)] for user in (ANNA, BORIS)}

    def step(self) -> None:
        """Something happens, or is refused."""
        self._now += self._random.choice((0, 0, 0.5, 1, 3, 8, 20))
        doings: tuple[Callable[[], object], ...] = (
            self._reserve, self._pay_by_card, self._pay_by_card, self._pay_from_wallet, self._cancel, self._extend,
            self._deposit, self._withdraw, self._bank, self._bank, self._bank, self._refund_ends, self._dispute,
            self._card_turns, lambda: self.till.tick(self._now), lambda: self.till.stream(self._now),
            lambda: self.till.look(self._now),
        )  # fmt: skip
        with suppress(ParkingError, CardError, RefundRefused):
            self._random.choice(doings)()
        self._receipts_only_grow()

    def end(self) -> None:
        """The faults stop, the bank decides, and what was under way arrives."""
        for n, dispute in enumerate(self.till.cards.disputes_between(at(-DAY), at(30 * DAY))):
            if dispute.status == "needs_response":
                self.till.cards.close_dispute(dispute.stripe_id, won=n % 2 == 0)
        for intent in self.till.cards.intents_between(at(-DAY), at(30 * DAY)):
            if intent.status == "processing":
                self.till.cards.pay(intent.intent_id)
        for payment in self.till.store.all_of(Payment):
            for refund in payment.pending_refunds:
                if refund.stripe_id and self.till.cards.refund(refund.stripe_id).status == "pending":
                    self.till.cards.end_refund(refund.stripe_id, "succeeded")
        self.till.cards.refunds_start = "succeeded"
        for hours in range(1, 30):
            now = self._now + 60 * hours
            self.till.tick(now)
            self.till.look(now)
        self.till.everything_arrives(self._now + 2 * DAY)

    def _receipts_only_grow(self) -> None:
        """What a sealed receipt said, it goes on saying: a correction is a line more."""
        for stay in self.till.store.all_of(Reservation):
            keys = [(stay.user_id, payment_id) for payment_id in stay.payment_ids]
            receipt = receipt_of(stay, self.till.store.get_many(Payment, keys)) if keys else None
            if receipt is None:
                continue
            now = (receipt.sealed_at, receipt.reason, receipt.tax_included), [*receipt.lines]
            head, lines = self._receipts.get(stay.reservation_id, (now[0], []))
            assert head == now[0]
            rest = iter(now[1])
            assert all(line in rest for line in lines), f"{lines} became {now[1]}"
            self._receipts[stay.reservation_id] = now

    def _user(self) -> UserId:
        return self._random.choice((ANNA, BORIS))

    def _key(self) -> str:
        return str(self._random.randrange(30))

    def _stay(self) -> Reservation:
        stays = self.till.store.all_of(Reservation)
        return self._random.choice(stays) if stays else self._reserve()

    def _payment(self) -> Payment:
        payments = self.till.store.all_of(Payment)
        return self._random.choice(payments) if payments else self._deposit()

    def _reserve(self) -> Reservation:
        starts = self._now + self._random.choice((5, 15, 60, 200))
        length = self._random.choice((30, 90))
        return self.till.reserve(self._user(), starts, starts + length, key=self._key(), now=self._now)

    def _card(self, user: UserId) -> str | None:
        return self._random.choice((None, *self._cards[user]))

    def _pay_by_card(self) -> object:
        stay = self._stay()
        card = self._card(stay.user_id)
        extension = stay.open_extension if self._random.random() < 0.8 else None
        return self.till.pay_by_card(stay, extension, card=card, key=self._key(), now=self._now)

    def _pay_from_wallet(self) -> object:
        stay = self._stay()
        return self.till.pay(stay, stay.open_extension, key=self._key(), now=self._now)

    def _cancel(self) -> object:
        stay = self._stay()
        return bookings.call_off(self.till.store, stay.user_id, stay.reservation_id, at(self._now))

    def _extend(self) -> object:
        stay = self._stay()
        ends = (stay.ends_at - at(0)).total_seconds() / 60 + 30
        return self.till.extend(stay, ends, key=self._key(), now=self._now)

    def _deposit(self) -> Payment:
        user = self._user()
        amount = self._random.choice((300, 1_000))
        return self.till.deposit(user, amount, card=self._card(user), key=self._key(), now=self._now).payment

    def _withdraw(self) -> object:
        return self.till.withdraw(self._random.choice((100, 400, 900)), self._user(), key=self._key(), now=self._now)

    def _bank(self) -> None:
        """Something becomes of an intent, and perhaps we hear of it."""
        payment = self._payment()
        if payment.method is not Method.CARD or payment.intent_id is None:
            return
        cards = self.till.cards
        fates: tuple[Callable[[str], object], ...] = (
            cards.pay, cards.pay, cards.processing, cards.cancel_intent, lambda it: cards.fail(it, "do_not_honor"),
        )  # fmt: skip
        self._random.choice(fates)(payment.intent_id)
        if self._random.random() < 0.7:
            self.till.webhook(payment, self._now)

    def _refund_ends(self) -> None:
        payment = self._payment()
        for refund in payment.refunds:
            failed = refund.stripe_id and self.till.cards.refund(refund.stripe_id).status == "failed"  # for good
            if refund.stripe_id and not failed and self._random.random() < 0.5:
                self.till.cards.end_refund(refund.stripe_id, self._random.choice(("succeeded", "failed")))
        self.till.refund_webhook(payment, self._now)

    def _dispute(self) -> None:
        payment = self._payment()
        if payment.charged and payment.intent_id and not payment.dispute:
            self.till.dispute_webhook(self.till.cards.open_dispute(payment.intent_id).stripe_id, self._now)

    def _card_turns(self) -> None:
        """A saved card stops paying, or pays again; Stripe takes its time with refunds, or not."""
        card = self._random.choice(self._cards[self._user()])
        if self.till.cards.declines.pop(card, None) is None:
            self.till.cards.declines[card] = "insufficient_funds"
        self.till.cards.refunds_start = self._random.choice(("succeeded", "pending", "failed"))


@given(st.integers(0, 10**9))
@settings(max_examples=EXAMPLES)
def test_after_any_day_the_books_fit_and_every_charge_has_one_fact(seed: int) -> None:
    story = _Story(seed)
    for _ in range(STEPS):
        story.step()
    story.end()
    till = story.till
    till.books_must_fit()
    assert till.compared(-DAY, 3 * DAY, 4 * DAY).differences == []
    payments = till.store.all_of(Payment)
    assert [one for one in payments if one.open or one.status is P.CANCELLING] == []
    paid_for = {one for stay in till.store.all_of(Reservation) for one in stay.payment_ids}
    for payment in payments:
        if payment.charged and payment.purpose in (Purpose.RESERVATION, Purpose.EXTENSION):
            assert payment.payment_id in paid_for or payment.refunded_minor == payment.amount_minor
        assert payment.charged or payment.payment_id not in paid_for
    for user in (ANNA, BORIS):
        assert till.balance(user) >= 0
