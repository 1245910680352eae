"""Our ledger against Stripe's list: equal books, each kind of difference, and what was charged and lost."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from parking.domain.ledger import REVENUE, STRIPE, TransactionKind, moved, record
from parking.domain.payment import PaymentStatus, Purpose, RefundStatus
from parking.domain.reservation import ReservationStatus
from parking.services import bookings
from parking.services.ports import CardDispute, Intent
from parking.services.reconciling import Difference, DifferenceKind
from tests.builders import a_payment
from tests.unit.till import DAY, Till, intent_of
from tests.unit.world import ANNA, BORIS, at

P, K = PaymentStatus, DifferenceKind


def _a_days_business(till: Till) -> None:
    """A deposit, a stay by card and its refund, a withdrawal, a dispute that is won and one that is lost."""
    till.fund(ANNA, 2_000)
    held = till.reserve(ANNA)
    till.completes(till.pay_by_card(held), 2)
    bookings.call_off(till.store, ANNA, held.reservation_id, at(5))
    till.withdraw(500, now=6)
    for minute, won in ((7, True), (8, False)):
        deposit = till.fund(BORIS, 1_000, key=str(minute), now=minute)
        dispute = till.cards.open_dispute(intent_of(deposit))
        till.dispute_webhook(dispute.stripe_id, minute)
        till.cards.close_dispute(dispute.stripe_id, won=won)
        till.dispute_webhook(dispute.stripe_id, minute + 0.5)
    till.stream(9)


def test_equal_books_show_no_difference(till: Till) -> None:
    _a_days_business(till)
    seen = till.compared()
    assert (seen.differences, seen.difference_minor, seen.settled) == ([], 0, 0)
    assert (seen.charges, seen.refunds, seen.disputes) == (4, 2, 1)
    assert seen.stripe_minor == seen.ledger_minor == 2_000 + 480 - 480 - 500 + 1_000


def test_another_day_has_its_own_books(till: Till) -> None:
    _a_days_business(till)
    seen = till.compared(DAY, 2 * DAY, 2 * DAY)
    assert (seen.charges, seen.refunds, seen.stripe_minor, seen.ledger_minor, seen.differences) == (0, 0, 0, 0, [])


def test_only_the_records_of_the_period_are_summed(till: Till) -> None:
    for minute in (1, 5, 9):
        till.fund(ANNA, 1_000, key=str(minute), now=minute)
    seen = till.compared(5, 9)
    assert (seen.charges, seen.stripe_minor, seen.ledger_minor, seen.differences) == (1, 1_000, 1_000, [])


def test_a_fact_that_reached_us_after_midnight_is_no_difference_on_either_day(till: Till) -> None:
    before, after = 14 * 60 + 59, 15 * 60 + 1  # NOW is 9:00
    answer = till.deposit(now=before)
    till.completes(answer, after)
    midnight = 15 * 60
    for since in (midnight - DAY, midnight):
        assert till.compared(since, since + DAY, 2 * DAY).differences == []


def test_what_was_charged_and_lost_is_settled_and_no_difference(till: Till) -> None:
    held = till.reserve(ANNA)
    answer = till.pay_by_card(held)
    till.cards.pay(intent_of(answer.payment))
    seen = till.compared(now=30)
    assert (seen.charges, seen.settled, seen.differences) == (1, 1, [])
    assert till.stored(held).status is ReservationStatus.CONFIRMED
    assert till.compared(now=31).settled == 0


def test_a_refund_whose_event_was_lost_is_settled(till: Till) -> None:
    held = till.reserve(ANNA)
    till.completes(till.pay_by_card(held), 2)
    bookings.call_off(till.store, ANNA, held.reservation_id, at(5))
    till.cards.refunds_start = "pending"
    till.stream(5)
    [payment] = till.payments()
    till.cards.end_refund(payment.refunds[0].stripe_id or "", "succeeded")
    seen = till.compared(now=30)
    assert (seen.settled, seen.refunds, seen.differences) == (1, 1, [])
    assert till.stored_payment(payment).refunds[0].status is RefundStatus.SUCCEEDED


def test_a_refund_that_failed_days_later_without_an_event_is_settled(till: Till) -> None:
    held = till.reserve(ANNA)
    till.completes(till.pay_by_card(held), 2)
    bookings.call_off(till.store, ANNA, held.reservation_id, at(5))
    till.stream(5)
    till.cards.end_refund(till.payments()[0].refunds[0].stripe_id or "", "failed")
    seen = till.compared(now=3 * DAY)
    assert (seen.settled, seen.differences) == (1, [])
    assert till.balance() == 480


def test_a_dispute_whose_event_was_lost_is_booked(till: Till) -> None:
    deposit = till.fund(ANNA, 2_000)
    till.cards.open_dispute(intent_of(deposit))
    seen = till.compared(now=30)
    assert (seen.disputes, seen.stripe_minor, seen.differences) == (1, 0, [])
    assert till.balance() == 0
    assert till.stored_payment(deposit).dispute


def test_a_dispute_of_an_earlier_day_that_was_won_is_no_difference(till: Till) -> None:
    deposit = till.fund(ANNA, 2_000)
    dispute = till.cards.open_dispute(intent_of(deposit), at(DAY))
    till.dispute_webhook(dispute.stripe_id, DAY)
    till.cards.close_dispute(dispute.stripe_id, won=True)
    till.dispute_webhook(dispute.stripe_id, 3 * DAY)
    for day in (0, 1, 3):
        assert till.compared(day * DAY, (day + 1) * DAY, 5 * DAY).differences == []


@pytest.mark.parametrize("nameless", [{"user_id": None}, {"payment_id": None}, {"payment_id": "pay_none"}])
def test_money_that_names_no_payment_of_ours_is_reported(
    nameless: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    till = Till()
    payment = till.fund(ANNA, 2_000)
    by_hand = replace(till.cards.intent(intent_of(payment)), intent_id="pi_by_hand", **nameless)
    intents_between = till.cards.intents_between

    def with_one_more(since: datetime, until: datetime) -> Any:
        yield from intents_between(since, until)
        yield by_hand

    monkeypatch.setattr(till.cards, "intents_between", with_one_more)
    seen = till.compared()
    assert seen.differences == [Difference(K.NOT_OURS, "pi_by_hand", 2_000)]
    assert (seen.difference_minor, seen.stripe_minor - seen.ledger_minor) == (2_000, 2_000)


def test_a_refund_by_hand_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    till = Till()
    held = till.reserve(ANNA)
    till.completes(till.pay_by_card(held), 2)
    bookings.call_off(till.store, ANNA, held.reservation_id, at(5))
    till.stream(5)
    [ours] = till.cards.refunds_between(at(0), at(DAY))
    by_hand = replace(ours, stripe_id="re_by_hand", user_id=None, payment_id=None, refund_id=None)
    monkeypatch.setattr(till.cards, "refunds_between", lambda *_: iter([ours, by_hand]))
    seen = till.compared()
    assert seen.differences == [Difference(K.NOT_OURS, "re_by_hand", -480)]


def test_a_dispute_of_a_charge_that_is_not_ours_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    till = Till()
    payment = till.fund(ANNA, 2_000)
    foreign = replace(till.cards.intent(intent_of(payment)), intent_id="pi_f", user_id=None, payment_id=None)
    intent = till.cards.intent

    def known(intent_id: str) -> Intent:
        return foreign if intent_id == "pi_f" else intent(intent_id)

    monkeypatch.setattr(till.cards, "intent", known)
    dispute = CardDispute("dp_f", "needs_response", 2_000, "pi_f")
    monkeypatch.setattr(till.cards, "disputes_between", lambda *_: iter([dispute]))
    assert till.compared().differences == [Difference(K.NOT_OURS, "dp_f", -2_000)]


def test_a_second_refund_of_one_that_is_booked_is_not_in_the_ledger(monkeypatch: pytest.MonkeyPatch) -> None:
    till = Till()
    held = till.reserve(ANNA)
    till.completes(till.pay_by_card(held), 2)
    bookings.call_off(till.store, ANNA, held.reservation_id, at(5))
    till.stream(5)
    [payment] = till.payments()
    till.cards.end_refund(payment.refunds[0].stripe_id or "", "failed")
    till.refund_webhook(payment, 6)
    [failed] = till.cards.refunds_between(at(0), at(DAY))
    again = replace(failed, stripe_id="re_again", status="succeeded")
    monkeypatch.setattr(till.cards, "refunds_between", lambda *_: iter([failed, again]))
    assert till.compared().differences == [Difference(K.NOT_IN_LEDGER, "re_again", -480)]


def test_what_the_ledger_says_and_stripe_does_not_is_reported() -> None:
    till = Till()
    paid = till.fund(ANNA, 2_000)
    intent = till.cards.intent(intent_of(paid))
    till.cards._intents[intent.intent_id] = replace(intent, status="canceled", amount_received_minor=0)
    seen = till.compared()
    assert seen.differences == [Difference(K.NOT_AT_STRIPE, intent.intent_id, 2_000)]
    assert (seen.stripe_minor, seen.ledger_minor) == (0, 2_000)


def test_a_record_without_its_payment_is_reported() -> None:
    till = Till()
    lost = a_payment(user_id=ANNA)
    transaction = record(
        TransactionKind.CARD_PAYMENT,
        user_id=ANNA,
        payment_id=lost.payment_id,
        reservation_id=None,
        entries=moved(480, debit=STRIPE, credit=REVENUE),
        currency="EUR",
        now=at(1),
        stripe_id=intent_of(till.fund(BORIS)),
    )
    till.store.commit(transaction)
    [difference] = till.compared().differences
    assert (difference.kind, difference.amount_minor) == (K.NOT_AT_STRIPE, -10_000)


def test_an_intent_that_took_no_money_is_nothing(till: Till) -> None:
    till.deposit()
    seen = till.compared()
    assert (seen.charges, seen.stripe_minor, seen.settled, seen.differences) == (0, 0, 0, [])


def test_a_charge_of_another_amount_than_was_asked_is_reported_and_the_rest_is_settled() -> None:
    till = Till()
    odd = intent_of(till.deposit(ANNA, 2_000, key="odd").payment)
    lost = intent_of(till.deposit(BORIS, 700, key="lost").payment)
    till.cards._intents[odd] = replace(till.cards.pay(odd), amount_received_minor=1_999)
    till.cards.pay(lost)
    seen = till.compared()
    assert seen.differences == [Difference(K.NOT_IN_LEDGER, odd, 1_999)]
    assert (seen.settled, till.balance(BORIS), till.balance(ANNA)) == (1, 700, 0)


def test_a_refund_of_another_amount_than_is_owed_is_reported_and_the_rest_is_settled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    till = Till()
    held = till.reserve(ANNA)
    till.completes(till.pay_by_card(held), 2)
    till.cards.refunds_start = "pending"
    bookings.call_off(till.store, ANNA, held.reservation_id, at(5))
    till.stream(5)
    [shown] = till.cards.refunds_between(at(0), at(DAY))
    odd = replace(shown, status="succeeded", amount_minor=100)
    monkeypatch.setattr(till.cards, "refunds_between", lambda *_: iter([odd]))
    till.cards.open_dispute(intent_of(till.fund(BORIS, 700)))
    seen = till.compared()
    assert seen.differences == [Difference(K.NOT_IN_LEDGER, shown.stripe_id, -100)]
    assert (seen.settled, till.balance(BORIS)) == (0, 0)
    assert till.payments(Purpose.RESERVATION)[0].status is P.REFUND_PENDING
