"""Arriving, departing and cancelling."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from parking.domain.errors import (
    NotFound,
    NotPaid,
    OutsideArrivalWindow,
    SpotNotYetFree,
    WrongState,
)
from parking.domain.extending import MOST_EXTENSIONS
from parking.domain.ids import ReservationId
from parking.domain.ledger import TransactionKind
from parking.domain.payment import Payment, PaymentStatus
from parking.domain.reservation import EndReason, ExtensionStatus, Reservation, ReservationStatus
from parking.domain.time import Interval
from parking.services import bookings
from tests.builders import TARIFF
from tests.unit.world import ANNA, BORIS, World, at, english

S = ReservationStatus


def arrive(world: World, reservation: Reservation, now: float) -> Reservation:
    """The owner stands before the spot."""
    return bookings.arrive(world.store, reservation.user_id, reservation.reservation_id, at(now))


def leave(world: World, reservation: Reservation, now: float) -> Reservation:
    """The driver departs."""
    return bookings.leave(world.store, reservation.user_id, reservation.reservation_id, at(now))


def call_off(world: World, reservation: Reservation, now: float) -> Reservation:
    """The driver cancels."""
    return bookings.call_off(world.store, reservation.user_id, reservation.reservation_id, at(now))


def option(
    world: World, reservation: Reservation, ends: float | None = None, now: float = 70
) -> bookings.ExtensionOption:
    """What an extension could be."""
    ends_at = None if ends is None else at(ends)
    return bookings.extension_option(world.store, reservation.user_id, reservation.reservation_id, ends_at, at(now))


# Arrival


@pytest.mark.parametrize(("now", "possible"), [(44.9, False), (45, True), (60, True), (179.9, True), (180, False)])
def test_arrival_is_possible_from_15_minutes_before_the_start_until_the_end(
    world: World, now: float, possible: bool
) -> None:
    stay = world.booked(ANNA)
    if possible:
        assert arrive(world, stay, now).arrival_requested_at == at(now)
    else:
        with pytest.raises(OutsideArrivalWindow):
            arrive(world, stay, now)
        assert world.stored(stay).arrival_requested_at is None


def test_who_has_not_paid_is_not_let_in(world: World) -> None:
    held = world.reserve(ANNA, 5, 60)
    with pytest.raises(NotPaid):
        arrive(world, held, 6)


def test_arriving_twice_changes_nothing(world: World) -> None:
    stay = world.booked(ANNA)
    first = arrive(world, stay, 50)
    stored = world.stored(stay)
    assert arrive(world, stay, 55).arrival_requested_at == first.arrival_requested_at
    assert world.stored(stay) == stored


@pytest.mark.parametrize("act", [arrive, leave, call_off, option])
def test_another_drivers_stay_is_not_found(world: World, act: Callable[[World, Reservation, float], object]) -> None:
    stay = world.booked(ANNA)
    for other in (replace(stay, user_id=BORIS), replace(stay, reservation_id=ReservationId("rsv_none"))):
        with pytest.raises(NotFound):
            act(world, other, 60)
    assert world.stored(stay) == stay


def test_who_comes_early_waits_for_the_end_of_the_stay_before(world: World) -> None:
    world.booked(ANNA, 60, 180)
    next_stay = world.booked(BORIS, 190, 300)
    with pytest.raises(SpotNotYetFree) as refusal:
        arrive(world, next_stay, 179)
    assert refusal.value.data == {"free_at": at(180)}
    assert arrive(world, next_stay, 180).arrival_requested_at == at(180)


def test_who_comes_early_is_let_in_once_the_driver_before_has_left(world: World) -> None:
    earlier = world.active(ANNA, 60, 180)
    next_stay = world.booked(BORIS, 190, 300)
    leave(world, earlier, 176)
    assert arrive(world, next_stay, 176).arrival_requested_at == at(176)


def test_who_comes_early_waits_for_who_may_still_pay_for_the_time_before() -> None:
    """Else two stand at one spot: the hold may be paid a second later."""
    world = World(turnover_minutes=0)
    world.device_reports(169)
    world.reserve(ANNA, 170, 190, now=170)
    next_stay = world.booked(BORIS, 190, 300)
    with pytest.raises(SpotNotYetFree) as refusal:
        arrive(world, next_stay, 176)
    assert refusal.value.data == {"free_at": at(190)}
    assert arrive(world, next_stay, 180).arrival_requested_at == at(180), "the hold has lapsed unpaid"


def test_who_comes_early_waits_also_for_a_stay_that_begins_in_between() -> None:
    world = World(turnover_minutes=0, tariff=replace(TARIFF, minimum_minutes=5))
    world.booked(ANNA, 183, 193)
    next_stay = world.booked(BORIS, 193, 300)
    with pytest.raises(SpotNotYetFree) as refusal:
        arrive(world, next_stay, 178)
    assert refusal.value.data == {"free_at": at(193)}


# Departure


def test_departing_gives_the_rest_back_less_the_turnover(world: World) -> None:
    stay = world.active(ANNA, 60, 180)
    ended = leave(world, stay, 100)
    assert (ended.status, ended.reason, ended.ended_at) == (S.COMPLETED, EndReason.DEPARTED, at(100))
    assert world.claims()[0].blocked == Interval(at(60), at(110))
    assert world.reserve(BORIS, 110, 180, now=100).status is S.HELD
    assert "RESERVATION_COMPLETED" in world.told()


def test_departing_twice_tells_once(world: World) -> None:
    stay = world.active()
    leave(world, stay, 100)
    leave(world, stay, 101)
    assert world.told().count("RESERVATION_COMPLETED") == 1
    assert world.stored(stay).ended_at == at(100)


def test_a_stay_of_several_days_gives_every_day_back(world: World) -> None:
    stay = world.active(ANNA, 60, 60 + 3 * 1440, funds=50_000)
    leave(world, stay, 100)
    assert world.claims()[0].blocked == Interval(at(60), at(110))
    world.reserve(BORIS, 110, 4 * 1440, now=100)


def test_departing_before_the_start_gives_everything_back(world: World) -> None:
    stay = world.booked(ANNA, 60, 180)
    arrive(world, stay, 46)
    world.reconcile(46)
    world.device_obeys(47)
    leave(world, stay, 50)
    assert world.claims() == ()


def test_departing_takes_an_open_extension_back(world: World) -> None:
    stay = world.active()
    world.extend(stay, 240, now=90)
    ended = leave(world, stay, 95)
    assert ended.extensions[0].status is ExtensionStatus.EXPIRED
    assert world.claims()[0].blocked == Interval(at(60), at(105))


def test_who_never_came_cannot_depart(world: World) -> None:
    with pytest.raises(WrongState):
        leave(world, world.booked(ANNA), 100)


# Cancellation


def test_cancelling_before_the_start_refunds_everything_and_frees_the_interval(world: World) -> None:
    stay = world.booked(ANNA)
    extension = world.extend(stay, 240, now=10)
    world.pay(stay, extension, now=11)
    ended = call_off(world, stay, 59.9)
    assert (ended.status, ended.reason) == (S.CANCELLED, EndReason.CANCELLED_BY_DRIVER)
    assert (world.balance(), world.claims()) == (10_000, ())
    assert [t.kind for t in world.ledger()].count(TransactionKind.REFUND) == 2
    paid = world.store.page(Payment, ANNA, limit=10).items
    assert [p.refunded_minor for p in paid if p.reservation_id] == [p.amount_minor for p in paid if p.reservation_id]
    assert {p.status for p in paid if p.reservation_id} == {PaymentStatus.REFUNDED}
    assert any("Refund: 7.20 EUR" in english(n) for n in world.inbox())
    assert world.tick(300) == 0


def test_cancelling_after_the_start_refunds_nothing(world: World) -> None:
    stay = world.booked(ANNA)
    call_off(world, stay, 60)
    assert (world.balance(), world.claims()) == (10_000 - 480, ())
    assert any("Refund: 0.00 EUR" in english(n) for n in world.inbox())


def test_cancelling_a_hold_costs_and_refunds_nothing(world: World) -> None:
    held = world.reserve(ANNA)
    call_off(world, held, 5)
    assert (world.balance(), world.ledger(), world.claims()) == (0, [], ())
    assert world.reserve(BORIS).status is S.HELD


def test_cancelling_twice_refunds_and_tells_once(world: World) -> None:
    stay = world.booked(ANNA)
    call_off(world, stay, 20)
    call_off(world, stay, 30)
    assert world.balance() == 10_000
    assert world.told().count("RESERVATION_CANCELLED") == 1


def test_two_cancellations_at_once_refund_once(world: World) -> None:
    stay = world.booked(ANNA)
    world.store.meanwhile(lambda: call_off(world, stay, 20))
    assert call_off(world, stay, 20).status is S.CANCELLED
    assert world.balance() == 10_000


def test_a_payment_during_a_cancellation_is_refunded_with_it(world: World) -> None:
    world.fund(ANNA)
    held = world.reserve(ANNA)
    world.store.meanwhile(lambda: world.pay(held))
    assert call_off(world, held, 2).status is S.CANCELLED
    assert world.balance() == 10_000


def test_a_cancellation_during_a_payment_stops_it(world: World) -> None:
    world.fund(ANNA)
    held = world.reserve(ANNA)
    world.store.meanwhile(lambda: call_off(world, held, 1))
    with pytest.raises(WrongState):
        world.pay(held)
    assert world.balance() == 10_000


@pytest.mark.parametrize("now", [180, 200])
def test_what_is_over_cannot_be_cancelled(world: World, now: float) -> None:
    stay = world.booked(ANNA)
    with pytest.raises(WrongState):
        call_off(world, stay, now)


def test_a_stay_that_was_extended_as_often_as_it_can_be_is_refunded_whole(world: World) -> None:
    stay = world.booked(ANNA)
    for number in range(MOST_EXTENSIONS):
        extension = world.extend(stay, 195 + 15 * number, key=str(number), now=20)
        world.pay(stay, extension, now=20)
    call_off(world, stay, 30)
    assert (world.balance(), world.claims()) == (10_000, ())
