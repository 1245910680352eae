"""A process that dies at any call to a port: in the end there is one charge or none, and a fact for each charge."""

import pytest

from parking.domain.blocker import Occupancy, Position
from parking.domain.errors import CardDeclined
from parking.domain.payment import Payment, PaymentStatus, Purpose
from parking.domain.reservation import Reservation, ReservationStatus
from parking.services import bookings
from parking.services.settling import carry_out
from tests.unit.dying import WHEN, at_each_call, must_fit
from tests.unit.till import DAY, Till, intent_of
from tests.unit.world import ANNA, at

S, P = ReservationStatus, PaymentStatus


@WHEN
@pytest.mark.parametrize("saved", [True, False])
@pytest.mark.parametrize("tries_again", [True, False])
def test_a_card_payment_that_dies_anywhere_charges_once_or_not_at_all(
    when: str, saved: bool, tries_again: bool
) -> None:
    def story(nth: int) -> bool:
        till = Till()
        card = till.save_card() if saved else None
        held = till.reserve(ANNA)
        with till.dying_at(nth, when) as made:
            till.pay_by_card(held, card=card)
        if tries_again:
            answer = till.pay_by_card(held, card=card, now=2)
            assert saved or answer.client_secret
            if not saved:
                till.completes(answer, 3)
        till.tick(11)
        till.looks(12, 90)
        must_fit(till)
        charged = sum(till.charges()) - sum(till.given_back())
        assert till.charges() in ([], [480])
        assert (till.stored(held).status is S.CONFIRMED) is (charged == 480)
        assert not tries_again or till.stored(held).status is S.CONFIRMED
        return made[0] >= nth

    at_each_call(when, story)


@WHEN
def test_a_saved_card_charged_right_before_a_dead_week_is_given_back_not_called_cancelled(when: str) -> None:
    """No webhook, no schedule, and Stripe has forgotten the key: only the intent that was stored leads to the money."""

    def story(nth: int) -> bool:
        till = Till()
        card = till.save_card()
        held = till.reserve(ANNA)
        with till.dying_at(nth, when) as made:
            till.pay_by_card(held, card=card)
        till.tick(7 * DAY)
        till.looks(7 * DAY + 1, 7 * DAY + 30)
        paid = till.stored(held).payment_id is not None
        assert sum(till.charges()) - sum(till.given_back()) == (480 if paid else 0)
        assert till.charges() or all(one.status is P.CANCELLED for one in till.payments(Purpose.RESERVATION))
        return made[0] >= nth

    at_each_call(when, story)


@WHEN
def test_a_declined_card_that_dies_anywhere_leaves_the_hold_to_the_next_method(when: str) -> None:
    def story(nth: int) -> bool:
        till = Till()
        till.fund(ANNA)
        card = till.save_card()
        till.cards.declines[card] = "insufficient_funds"
        held = till.reserve(ANNA)
        with till.dying_at(nth, when) as made, pytest.raises(CardDeclined):
            till.pay_by_card(held, card=card)
        with pytest.raises(CardDeclined):
            till.pay_by_card(held, card=card, now=2)
        till.pay(held, now=3)
        till.looks(8, 90)
        must_fit(till)
        assert [payment.status for payment in till.payments(Purpose.RESERVATION)] == [P.FAILED, P.SUCCEEDED]
        return made[0] >= nth

    at_each_call(when, story)


@WHEN
def test_a_webhook_that_dies_anywhere_books_the_money_once_when_it_comes_again(when: str) -> None:
    def story(nth: int) -> bool:
        till = Till()
        held = till.reserve(ANNA)
        answer = till.pay_by_card(held)
        till.cards.pay(intent_of(answer.payment))
        with till.dying_at(nth, when) as made:
            till.webhook(answer.payment, 2)
        till.looks(6, 20)  # the webhook never comes again
        must_fit(till)
        assert till.stored(held).status is S.CONFIRMED
        assert till.told() == ["PAYMENT_SUCCEEDED"]
        return made[0] >= nth

    at_each_call(when, story)


def _cancelled(till: Till) -> Reservation:
    held = till.reserve(ANNA)
    till.completes(till.pay_by_card(held), 2)
    return bookings.call_off(till.store, ANNA, held.reservation_id, at(5))


def _owed(till: Till) -> Payment:
    return next(one for one in till.store.all_of(Payment) if one.pending_refunds or one.status is P.CANCELLING)


def _dies_carrying_out(till: Till, nth: int, when: str, now: float) -> bool:
    key = _owed(till).key
    with till.dying_at(nth, when) as made:
        carry_out(till.store, till.cards, key, at(now))
    return made[0] >= nth


@WHEN
@pytest.mark.parametrize("status", ["succeeded", "failed"])
def test_a_refund_that_dies_anywhere_is_made_once(when: str, status: str) -> None:
    def story(nth: int) -> bool:
        till = Till()
        _cancelled(till)
        till.cards.refunds_start = status
        died = _dies_carrying_out(till, nth, when, 5)
        till.looks(6, 40)
        must_fit(till)
        assert (sum(till.given_back()), till.balance()) == ((480, 0) if status == "succeeded" else (0, 480))
        return died

    at_each_call(when, story)


@WHEN
def test_a_withdrawal_over_two_cards_that_dies_anywhere_reaches_each_once(when: str) -> None:
    def story(nth: int) -> bool:
        till = Till()
        till.fund(ANNA, 300, key="one")
        till.fund(ANNA, 700, key="two", now=1)
        till.withdraw(1_000)
        died = _dies_carrying_out(till, nth, when, 3)
        till.looks(8, 40)
        must_fit(till)
        assert sorted(till.given_back()) == [300, 700]
        return died

    at_each_call(when, story)


@WHEN
def test_a_cancellation_at_stripe_that_dies_anywhere_ends_cancelled(when: str) -> None:
    def story(nth: int) -> bool:
        till = Till()
        held = till.reserve(ANNA)
        answer = till.pay_by_card(held)
        till.tick(10)
        died = _dies_carrying_out(till, nth, when, 11)
        till.looks(12, 60)
        must_fit(till)
        assert till.stored_payment(answer.payment).status is P.CANCELLED
        return died

    at_each_call(when, story)


@WHEN
@pytest.mark.parametrize("declined", [False, True])
def test_an_overstay_charge_that_dies_anywhere_charges_once_or_leaves_one_debt(when: str, declined: bool) -> None:
    def story(nth: int) -> bool:
        till = Till()
        card = till.save_card()
        if declined:
            till.cards.declines[card] = "insufficient_funds"
        stay = till.active(funds=480)
        for minute in (180, 191):
            till.device_reports(minute, Position.LOWERED, Occupancy.OCCUPIED)
            till.tick(minute)
        bookings.leave(till.store, ANNA, stay.reservation_id, at(210))
        [payment] = till.payments(Purpose.OVERSTAY)
        with till.dying_at(nth, when) as made:
            carry_out(till.store, till.cards, payment.key, at(210))
        till.looks(216, 300)
        must_fit(till)
        assert till.charges().count(240) == (0 if declined else 1)
        assert len(till.wallet().debts) == (1 if declined else 0)
        return made[0] >= nth

    at_each_call(when, story)
