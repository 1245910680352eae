"""Money back: decided in the commit of its cause, to the wallet at once, to a card when Stripe says so."""

from dataclasses import replace
from typing import Any

import pytest

from parking.domain.errors import InvariantBroken
from parking.domain.ledger import REFUNDS, REVENUE, STRIPE, WALLET, TransactionKind
from parking.domain.payment import Payment, PaymentStatus, RefundStatus
from parking.domain.reservation import Reservation, ReservationStatus
from parking.services import bookings
from parking.services.ports import CardError, CardRefund, RefundRefused
from parking.services.refunds import settle_refund
from tests.unit.till import Till
from tests.unit.world import ANNA, at, english

S, P, R = ReservationStatus, PaymentStatus, RefundStatus


def _by_card(till: Till, starts: float = 60) -> Reservation:
    """A stay that Anna's card has paid."""
    held = till.reserve(ANNA, starts, starts + 120)
    till.completes(till.pay_by_card(held), 2)
    return till.stored(held)


def _cancelled(till: Till, now: float = 5) -> Payment:
    """The card payment of a stay that Anna has cancelled before its start."""
    stay = _by_card(till)
    bookings.call_off(till.store, ANNA, stay.reservation_id, at(now))
    return till.payments()[0]


def test_wallet_money_is_back_in_the_commit_of_the_cancellation(till: Till) -> None:
    stay = till.booked(ANNA)
    bookings.call_off(till.store, ANNA, stay.reservation_id, at(5))
    assert till.payment(stay.payment_id).status is P.REFUNDED
    assert till.balance() == 10_000
    assert till.ledger()[0].kind is TransactionKind.REFUND


def test_card_money_is_owed_at_once_and_booked_when_stripe_has_given_it_back(till: Till) -> None:
    payment = _cancelled(till)
    assert (payment.status, payment.refunded_minor) == (P.REFUND_PENDING, 480)
    assert (till.on(REVENUE), till.on(REFUNDS), till.on(STRIPE)) == (0, 480, -480)
    assert "Refund: 4.80 EUR" in "".join(english(n) for n in till.inbox())
    till.stream(5)
    assert till.stored_payment(payment).status is P.REFUNDED
    assert (till.on(REVENUE), till.on(REFUNDS), till.on(STRIPE)) == (0, 0, 0)
    booked = till.ledger()[0]
    assert (booked.kind, booked.stripe_id) == (TransactionKind.CARD_REFUND, f"re_{payment.refunds[0].refund_id}")


def test_after_the_start_nothing_goes_back(till: Till) -> None:
    stay = _by_card(till)
    bookings.call_off(till.store, ANNA, stay.reservation_id, at(60))
    assert till.payments()[0].status is P.SUCCEEDED
    till.stream(61)
    assert till.given_back() == []


def test_our_fault_gives_everything_back_after_the_start_too(till: Till) -> None:
    stay = _by_card(till)
    bookings.arrive(till.store, ANNA, stay.reservation_id, at(61))
    till.tick(180)  # the barrier never went down
    assert till.stored(stay).status is S.CANCELLED
    till.stream(181)
    assert till.given_back() == [480]


def test_each_payment_of_a_stay_goes_back_the_way_that_it_came(till: Till) -> None:
    stay = _by_card(till)
    till.fund(ANNA, 1_000)
    till.pay(stay, till.extend(stay, 240, now=5), now=6)
    by_card = till.extend(stay, 300, key="second", now=7)
    till.completes(till.pay_by_card(stay, by_card, key="second", now=8), 9)
    bookings.call_off(till.store, ANNA, stay.reservation_id, at(10))
    assert till.balance() == 1_000
    till.stream(10)
    assert sorted(till.given_back()) == [240, 480]


def test_a_refund_that_stripe_calls_pending_waits_for_its_event(till: Till) -> None:
    till.cards.refunds_start = "pending"
    payment = _cancelled(till)
    till.stream(5)
    waiting = till.stored_payment(payment)
    assert (waiting.status, waiting.refunds[0].status) == (P.REFUND_PENDING, R.PENDING)
    assert waiting.refunds[0].stripe_id
    till.stream(6)
    till.cards.end_refund(waiting.refunds[0].stripe_id, "succeeded")
    for minute in (7, 8):
        assert till.refund_webhook(payment, minute).status is P.REFUNDED
    assert till.given_back() == [480]


@pytest.mark.parametrize("status", ["failed", "canceled"])
def test_a_refund_that_the_card_does_not_take_goes_to_the_wallet(till: Till, status: str) -> None:
    till.cards.refunds_start = "pending"
    payment = _cancelled(till)
    till.stream(5)
    till.cards.end_refund(till.stored_payment(payment).refunds[0].stripe_id or "", status)
    for minute in (6, 7):
        after = till.refund_webhook(payment, minute)
        assert (after.status, after.refunds[0].status) == (P.REFUNDED, R.TO_WALLET)
    assert till.balance() == 480
    assert (till.on(REFUNDS), till.on(STRIPE)) == (0, -480)
    assert till.told().count("REFUNDED_TO_WALLET") == 1


def test_a_refund_that_fails_days_after_it_succeeded_goes_to_the_wallet(till: Till) -> None:
    payment = _cancelled(till)
    till.stream(5)
    till.cards.end_refund(till.stored_payment(payment).refunds[0].stripe_id or "", "failed")
    after = till.refund_webhook(payment, 7_000)
    assert after.refunds[0].status is R.TO_WALLET
    assert (till.balance(), till.on(REFUNDS), till.on(STRIPE)) == (480, 0, -480)
    assert till.ledger()[0].stripe_id == after.refunds[0].stripe_id


def test_events_in_the_wrong_order_end_where_stripe_ended(till: Till) -> None:
    payment = _cancelled(till)
    till.stream(5)
    stripe_id = till.stored_payment(payment).refunds[0].stripe_id or ""
    succeeded = till.cards.refund(stripe_id)
    settle_refund(till.store, till.cards.end_refund(stripe_id, "failed"), at(6))
    settle_refund(till.store, succeeded, at(7))
    assert till.stored_payment(payment).refunds[0].status is R.TO_WALLET
    assert till.balance() == 480


def test_a_refund_that_stripe_refuses_stays_owed_and_is_tried_again(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = _cancelled(till)

    def refused(holder: Payment, refund: object) -> CardRefund:
        raise RefundRefused("charge_disputed")

    monkeypatch.setattr(till.cards, "create_refund", refused)
    for minute in (5, 6):
        with pytest.raises(RefundRefused, match="charge_disputed"):
            till.stream(minute)
    owed = till.stored_payment(payment)
    assert (owed.status, owed.refunds[0].refused) == (P.REFUND_PENDING, "charge_disputed")
    assert till.on(REFUNDS) == 480
    [failure] = till.look(11).failures.values()
    assert isinstance(failure, RefundRefused)
    monkeypatch.undo()
    till.looks(12, 12 + 6 * 60)
    done = till.stored_payment(payment)
    assert (done.status, done.refunds[0].refused) == (P.REFUNDED, None)


def test_a_refund_whose_answer_was_lost_is_made_once(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    payment = _cancelled(till)
    create_refund = till.cards.create_refund

    def forgetful(holder: Payment, refund: object) -> CardRefund:
        create_refund(holder, holder.refunds[0])
        raise CardError("the answer was lost")

    monkeypatch.setattr(till.cards, "create_refund", forgetful)
    with pytest.raises(CardError):
        till.stream(5)
    monkeypatch.undo()
    till.stream(6)
    assert till.stored_payment(payment).status is P.REFUNDED
    assert till.given_back() == [480]


def test_of_two_causes_at_once_only_one_refunds(till: Till) -> None:
    stay = _by_card(till)
    till.store.meanwhile(lambda: bookings.call_off(till.store, ANNA, stay.reservation_id, at(5)))
    bookings.call_off(till.store, ANNA, stay.reservation_id, at(5))
    assert till.store.lost_races == 1
    [payment] = till.payments()
    assert (payment.refunded_minor, len(payment.refunds)) == (480, 1)


def test_two_streams_at_once_book_one_refund(till: Till) -> None:
    payment = _cancelled(till)
    till.store.meanwhile(lambda: till.stream(5))
    till.stream(5)
    assert till.stored_payment(payment).status is P.REFUNDED
    assert [t.kind for t in till.ledger()].count(TransactionKind.CARD_REFUND) == 1


def test_a_refund_of_another_amount_than_ours_is_never_booked(till: Till) -> None:
    payment = _cancelled(till)
    till.cards.refunds_start = "pending"
    till.stream(5)
    shown = till.cards.refund(till.stored_payment(payment).refunds[0].stripe_id or "")
    with pytest.raises(InvariantBroken):
        settle_refund(till.store, replace(shown, status="succeeded", amount_minor=479), at(6))
    assert till.stored_payment(payment).status is P.REFUND_PENDING


@pytest.mark.parametrize("nameless", [{"user_id": None}, {"payment_id": None}, {"refund_id": None}])
def test_a_refund_that_somebody_made_by_hand_is_not_ours(till: Till, nameless: dict[str, Any]) -> None:
    payment = _cancelled(till)
    till.cards.refunds_start = "pending"
    till.stream(5)
    shown = till.cards.refund(till.stored_payment(payment).refunds[0].stripe_id or "")
    assert settle_refund(till.store, replace(shown, status="succeeded", **nameless), at(6)) is None
    assert till.on(WALLET) == 0
