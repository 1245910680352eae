"""Money that a card pays after the hold ended: it makes the stay if it still can, else all of it goes back."""

import pytest

from parking.domain.paying import LATE_MONEY
from parking.domain.payment import PaymentStatus
from parking.domain.reservation import ExtensionStatus, Reservation, ReservationStatus
from parking.services import bookings
from tests.unit.till import Till
from tests.unit.world import ANNA, BORIS, at

S, P = ReservationStatus, PaymentStatus


def _lapsed(till: Till, starts: float = 60, ends: float = 180) -> Reservation:
    """Anna's reservation from `starts`, whose hold lapsed at minute 10 while her card was asked."""
    held = till.reserve(ANNA, starts, ends)
    till.pay_by_card(held)
    till.tick(10)
    assert till.stored(held).status is S.EXPIRED
    return held


def _pays(till: Till, now: float) -> PaymentStatus:
    [payment] = till.payments()
    till.cards.pay(payment.intent_id or "")
    return till.webhook(payment, now).status


def _must_be_given_back(till: Till, now: float) -> None:
    till.stream(now)
    [payment] = till.payments()
    assert (payment.status, payment.refunded_minor) == (P.REFUNDED, 480)
    assert till.given_back() == [480]
    assert "LATE_PAYMENT_REFUNDED" in till.told()
    assert "PAYMENT_SUCCEEDED" not in till.told()


def test_late_money_confirms_a_stay_that_is_still_free(till: Till) -> None:
    held = _lapsed(till)
    assert till.claims() == ()
    assert _pays(till, 30) is P.SUCCEEDED
    stay = till.stored(held)
    assert (stay.status, stay.reason, stay.ended_at) == (S.CONFIRMED, None, None)
    assert till.claims()[0].reservation_id == held.reservation_id
    assert till.told() == ["PAYMENT_SUCCEEDED", "RESERVATION_EXPIRED"]
    till.tick(45)
    assert till.stored(held).guard_due_at is not None


def test_money_in_the_last_minute_of_a_lapsed_hold_that_nobody_swept_confirms(till: Till) -> None:
    held = till.reserve(ANNA)
    till.pay_by_card(held)
    assert _pays(till, 15) is P.SUCCEEDED
    assert till.stored(held).status is S.CONFIRMED
    till.tick(16)
    assert till.stored(held).status is S.CONFIRMED


def test_late_money_for_an_interval_that_somebody_else_has_goes_back(till: Till) -> None:
    held = _lapsed(till)
    till.reserve(BORIS, 120, 200, now=11)
    assert _pays(till, 12) is P.REFUND_PENDING
    assert till.stored(held).status is S.EXPIRED
    _must_be_given_back(till, 13)


def test_the_turnover_of_somebody_else_is_respected_too(till: Till) -> None:
    _lapsed(till)
    till.reserve(BORIS, 185, 245, now=11)
    assert _pays(till, 12) is P.REFUND_PENDING


def test_late_money_for_a_cancelled_reservation_goes_back(till: Till) -> None:
    held = till.reserve(ANNA)
    till.pay_by_card(held)
    bookings.call_off(till.store, ANNA, held.reservation_id, at(2))
    assert _pays(till, 3) is P.REFUND_PENDING
    assert till.stored(held).status is S.CANCELLED
    _must_be_given_back(till, 4)


def test_money_up_to_the_start_confirms_however_late_it_is(till: Till) -> None:
    held = _lapsed(till)
    assert _pays(till, 59) is P.SUCCEEDED
    assert till.stored(held).status is S.CONFIRMED


def test_money_at_the_start_is_too_late(till: Till) -> None:
    held = _lapsed(till)
    assert _pays(till, 60) is P.REFUND_PENDING
    assert till.stored(held).status is S.EXPIRED
    _must_be_given_back(till, 61)


@pytest.mark.parametrize(("minutes_after_the_hold", "status"), [(9, P.SUCCEEDED), (10, P.REFUND_PENDING)])
def test_a_stay_that_began_meanwhile_is_confirmed_for_ten_minutes(
    till: Till, minutes_after_the_hold: float, status: PaymentStatus
) -> None:
    assert at(10) - at(0) == LATE_MONEY
    _lapsed(till, starts=5)
    assert _pays(till, 10 + minutes_after_the_hold) is status


def test_late_money_for_a_stay_whose_time_is_over_goes_back(till: Till) -> None:
    held = till.reserve(ANNA, 1, 16)
    assert held.quote.amount_minor == 60
    till.pay_by_card(held)
    till.tick(10)
    assert _pays(till, 16) is P.REFUND_PENDING


def test_late_money_of_a_cancelled_intent_that_the_bank_was_faster_with_is_booked(till: Till) -> None:
    held = _lapsed(till)
    [payment] = till.payments()
    till.cards.pay(payment.intent_id or "")
    till.stream(11)  # Stripe cannot cancel what has succeeded, and says so
    assert till.stored_payment(payment).status is P.SUCCEEDED
    assert till.stored(held).status is S.CONFIRMED


def test_a_doubled_event_of_late_money_gives_it_back_once(till: Till) -> None:
    _lapsed(till)
    till.reserve(BORIS, now=11)
    for minute in (12, 13, 14):
        _pays(till, minute)
        till.stream(minute)
    assert till.given_back() == [480]
    assert till.told().count("LATE_PAYMENT_REFUNDED") == 1


def test_late_money_for_an_extension_moves_the_end_while_its_time_is_free(till: Till) -> None:
    stay = till.booked(ANNA)
    extension = till.extend(stay, 240, now=70)
    answer = till.pay_by_card(stay, extension, now=71)
    till.tick(80)
    assert till.stored(stay).extensions[0].status is ExtensionStatus.EXPIRED
    assert till.completes(answer, 100).status is P.SUCCEEDED
    after = till.stored(stay)
    assert (after.ends_at, after.extensions[0].status) == (at(240), ExtensionStatus.CONFIRMED)
    assert till.claims()[0].stay.ends_at == at(240)


def test_late_money_for_an_extension_goes_back_if_its_time_is_taken(till: Till) -> None:
    stay = till.booked(ANNA)
    extension = till.extend(stay, 240, now=70)
    answer = till.pay_by_card(stay, extension, now=71)
    till.tick(80)
    till.reserve(BORIS, 200, 260, now=81)
    assert till.completes(answer, 100).status is P.REFUND_PENDING
    assert till.stored(stay).ends_at == at(180)


def test_late_money_for_an_extension_goes_back_if_the_stay_was_extended_otherwise(till: Till) -> None:
    stay = till.booked(ANNA)
    extension = till.extend(stay, 240, now=70)
    answer = till.pay_by_card(stay, extension, now=71)
    till.tick(80)
    other = till.extend(stay, 210, key="shorter", now=82)
    till.pay(stay, other, now=83)
    assert till.completes(answer, 100).status is P.REFUND_PENDING
    assert till.stored(stay).ends_at == at(210)


def test_late_money_for_an_extension_goes_back_while_another_one_is_held(till: Till) -> None:
    stay = till.booked(ANNA)
    extension = till.extend(stay, 240, now=70)
    answer = till.pay_by_card(stay, extension, now=71)
    till.tick(80)
    till.extend(stay, 210, key="shorter", now=82)
    assert till.completes(answer, 83).status is P.REFUND_PENDING


def test_late_money_for_an_extension_of_an_ended_stay_goes_back(till: Till) -> None:
    stay = till.active()
    extension = till.extend(stay, 240, now=70)
    answer = till.pay_by_card(stay, extension, now=71)
    bookings.leave(till.store, ANNA, stay.reservation_id, at(75))
    assert till.completes(answer, 76).status is P.REFUND_PENDING
    assert till.stored(stay).status is S.COMPLETED


def test_who_reserves_at_the_same_moment_wins_or_loses_the_interval_whole(till: Till) -> None:
    held = _lapsed(till)
    till.store.meanwhile(lambda: till.reserve(BORIS, now=12))
    assert _pays(till, 12) is P.REFUND_PENDING
    assert till.stored(held).status is S.EXPIRED
    assert [claim.user_id for claim in till.claims()] == [BORIS]
