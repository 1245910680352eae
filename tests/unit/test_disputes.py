"""Chargebacks: what a bank calls back, and gives back when we win."""

from dataclasses import replace
from typing import Any

import pytest

from parking.domain.ids import ReservationId
from parking.domain.ledger import DISPUTES, REVENUE, STRIPE, TransactionKind
from parking.domain.payment import DisputeStatus, Payment, PaymentStatus, RefundStatus
from parking.services import bookings
from parking.services.disputes import settle_dispute
from parking.services.ports import CardDispute, CardError, RefundRefused
from tests.unit.till import Till, intent_of
from tests.unit.world import ANNA, at, english

P, D = PaymentStatus, DisputeStatus


def _stay(till: Till) -> Payment:
    """The card payment of a stay."""
    return till.completes(till.pay_by_card(till.reserve(ANNA)), 2)


def _disputed(till: Till, payment: Payment, now: float = 10) -> str:
    dispute = till.cards.open_dispute(intent_of(payment))
    till.dispute_webhook(dispute.stripe_id, now)
    return dispute.stripe_id


def test_a_disputed_stay_is_booked_and_not_refundable(till: Till) -> None:
    payment = _stay(till)
    _disputed(till, payment)
    disputed = till.stored_payment(payment)
    assert disputed.dispute
    assert (disputed.dispute.status, disputed.dispute.amount_minor, disputed.refundable_minor) == (D.OPEN, 480, 0)
    assert (till.on(STRIPE), till.on(DISPUTES), till.on(REVENUE)) == (0, -480, 480)
    assert till.ledger()[0].kind is TransactionKind.DISPUTE
    assert till.ledger()[0].stripe_id == disputed.dispute.stripe_id


def test_a_dispute_that_we_win_gives_the_money_back(till: Till) -> None:
    payment = _stay(till)
    stripe_id = _disputed(till, payment)
    till.cards.close_dispute(stripe_id, won=True)
    for minute in (20, 21):
        till.dispute_webhook(stripe_id, minute)
    assert (till.on(STRIPE), till.on(DISPUTES)) == (-480, 0)
    assert [t.kind for t in till.ledger()].count(TransactionKind.DISPUTE_WON) == 1
    assert till.stored_payment(payment).refundable_minor == 480


def test_a_dispute_that_we_lose_leaves_the_loss_in_its_account(till: Till) -> None:
    payment = _stay(till)
    stripe_id = _disputed(till, payment)
    till.cards.close_dispute(stripe_id, won=False)
    till.dispute_webhook(stripe_id, 20)
    lost = till.stored_payment(payment)
    assert lost.dispute
    assert (lost.dispute.status, lost.refundable_minor) == (D.LOST, 0)
    assert (till.on(STRIPE), till.on(DISPUTES)) == (0, -480)


@pytest.mark.parametrize("won", [True, False])
def test_the_decision_before_the_opening_ends_the_same(till: Till, won: bool) -> None:
    payment = _stay(till)
    opened = till.cards.open_dispute(intent_of(payment))
    decided = till.cards.close_dispute(opened.stripe_id, won=won)
    settle_dispute(till.store, till.cards, decided, at(10))
    settle_dispute(till.store, till.cards, opened, at(11))
    dispute = till.stored_payment(payment).dispute
    assert dispute
    assert dispute.status is (D.WON if won else D.LOST)
    assert till.on(DISPUTES) == (0 if won else -480)


def test_a_disputed_deposit_is_taken_out_of_the_wallet_until_it_is_decided(till: Till) -> None:
    deposit = till.fund(ANNA, 2_000)
    stripe_id = _disputed(till, deposit)
    assert (till.balance(), till.on(STRIPE), till.on(DISPUTES)) == (0, 0, 0)
    till.cards.close_dispute(stripe_id, won=True)
    till.dispute_webhook(stripe_id, 20)
    assert (till.balance(), till.on(STRIPE), till.on(DISPUTES)) == (2_000, -2_000, 0)


def test_of_a_deposit_only_what_is_left_can_be_taken_out(till: Till) -> None:
    deposit = till.fund(ANNA, 2_000)
    till.pay(till.reserve(ANNA))
    stripe_id = _disputed(till, deposit)
    disputed = till.stored_payment(deposit).dispute
    assert disputed
    assert disputed.from_wallet_minor == 2_000 - 480
    assert (till.balance(), till.on(DISPUTES)) == (0, -480)
    till.fund(ANNA, 100, key="later", now=15)
    till.cards.close_dispute(stripe_id, won=True)
    till.dispute_webhook(stripe_id, 20)
    assert (till.balance(), till.on(DISPUTES)) == (100 + 2_000 - 480, 0)


def test_a_deposit_that_is_spent_already_is_all_lost(till: Till) -> None:
    deposit = till.fund(ANNA, 480)
    till.pay(till.reserve(ANNA))
    _disputed(till, deposit)
    assert (till.balance(), till.on(DISPUTES)) == (0, -480)


def test_a_doubled_event_books_a_dispute_once(till: Till) -> None:
    deposit = till.fund(ANNA, 2_000)
    stripe_id = _disputed(till, deposit)
    till.fund(ANNA, 500, key="later", now=11)
    till.dispute_webhook(stripe_id, 12)
    assert till.balance() == 500


def test_two_events_at_once_book_a_dispute_once(till: Till) -> None:
    deposit = till.fund(ANNA, 2_000)
    dispute = till.cards.open_dispute(intent_of(deposit))
    till.store.meanwhile(lambda: till.dispute_webhook(dispute.stripe_id, 10))
    till.dispute_webhook(dispute.stripe_id, 10)
    assert till.store.lost_races == 1
    assert [t.kind for t in till.ledger()].count(TransactionKind.DISPUTE) == 1


def test_a_dispute_that_is_faster_than_the_payments_own_event_settles_both(till: Till) -> None:
    held = till.reserve(ANNA)
    answer = till.pay_by_card(held)
    till.cards.pay(intent_of(answer.payment))
    _disputed(till, answer.payment)
    disputed = till.stored_payment(answer.payment)
    assert disputed.charged
    assert disputed.dispute


def test_a_disputed_stay_that_is_cancelled_gives_nothing_back(till: Till) -> None:
    held = till.reserve(ANNA)
    answer = till.pay_by_card(held)
    till.completes(answer, 2)
    _disputed(till, answer.payment)
    bookings.call_off(till.store, ANNA, held.reservation_id, at(11))
    till.stream(12)
    assert till.given_back() == []
    assert "Refund: 0.00 EUR" in "".join(english(n) for n in till.inbox())


def test_a_refund_that_a_lost_dispute_has_paid_already_is_not_owed_any_more(till: Till) -> None:
    payment = _stay(till)
    dispute = till.cards.open_dispute(intent_of(payment))
    bookings.call_off(till.store, ANNA, payment.reservation_id or ReservationId(""), at(11))
    with pytest.raises(RefundRefused, match="charge_disputed"):
        till.stream(12)
    till.dispute_webhook(dispute.stripe_id, 13)
    till.cards.close_dispute(dispute.stripe_id, won=False)
    till.dispute_webhook(dispute.stripe_id, 20)
    till.look(12 * 60)
    settled = till.stored_payment(payment)
    assert ([one.status for one in settled.refunds], settled.due) == ([RefundStatus.BY_BANK], None)
    assert (till.given_back(), till.on(STRIPE), till.on(DISPUTES), till.on(REVENUE)) == ([], 0, 0, 0)


@pytest.mark.parametrize(
    "change", [{"status": "warning_needs_response"}, {"status": "warning_closed"}, {"intent_id": None}]
)
def test_an_inquiry_takes_no_money(till: Till, change: dict[str, Any]) -> None:
    payment = _stay(till)
    shown = CardDispute("dp_1", "needs_response", 480, intent_of(payment))
    assert settle_dispute(till.store, till.cards, replace(shown, **change), at(10)) is None
    assert till.on(DISPUTES) == 0


def test_a_dispute_of_what_was_never_charged_is_heard_again_later(till: Till) -> None:
    answer = till.pay_by_card(till.reserve(ANNA))
    shown = CardDispute("dp_1", "needs_response", 480, intent_of(answer.payment))
    with pytest.raises(CardError):
        settle_dispute(till.store, till.cards, shown, at(10))
