"""A spot that is taken out of service: who is booked there is told, and may move or have all money back."""

from dataclasses import replace
from typing import Any

import pytest

from parking.domain.audit import Action, Word
from parking.domain.blocker import Blocker, Occupancy
from parking.domain.errors import SpotUnavailable, WrongState
from parking.domain.ids import UserId
from parking.domain.payment import Payment, PaymentStatus
from parking.domain.reservation import EndReason, Reservation, ReservationStatus
from parking.domain.spot import Location, Spot
from parking.services import bookings, displaced, operating
from parking.services.ports import Aggregate, Busy
from tests.builders import a_blocker, a_report, a_spot
from tests.unit.till import Till
from tests.unit.world import ANNA, BORIS, World, at, english

S = ReservationStatus
KIND = "SPOT_OUT_OF_SERVICE"


def said(world: World, action: Action, now: float) -> None:
    """An operator's word."""
    word = Word(operator="Olga", reason="roadworks", request_id=f"{action}-{now}", at=at(now))
    operating.obey(world.store, world.shadows, world.spot.blocker_id, action, word)


def close(world: World, now: float) -> None:
    """Out of service."""
    said(world, Action.OUT_OF_SERVICE, now)


def rises(world: World, stay: Reservation) -> None:
    """The barrier stands for a stay from 60 on."""
    world.device_reports(50)
    look(world, 50, 51)
    world.device_obeys(51.5)
    look(world, 52, 52)
    assert world.stored(stay).guard_due_at is None


def closed_and_put_back(world: World) -> Reservation:
    """A stay from 60 to 180 whose driver was told of a closing; the spot is back, and the barrier guards it."""
    stay = world.booked(ANNA, 60, 180)
    close(world, 10)
    said(world, Action.IN_SERVICE, 20)
    rises(world, stay)
    return stay


def look(world: World, since: int, until: int) -> None:
    """Every schedule, every minute."""
    for minute in range(since, until + 1):
        world.tick(minute)


def another_spot(world: World) -> Spot:
    """A hundred metres away; its machine is silent, which is no matter days ahead."""
    here = world.spot.location
    spot = a_spot(location=Location(here.latitude + 0.001, here.longitude))
    world.store.commit(spot, a_blocker(blocker_id=spot.blocker_id, spot_id=spot.spot_id, report=None))
    return spot


def told(world: World, user: UserId = ANNA) -> list[str]:
    """What a driver was told of the spot."""
    return [english(notice) for notice in world.inbox(user) if notice.kind == KIND]


# Told


def test_everybody_who_is_booked_is_told_at_once_however_far_ahead(world: World) -> None:
    days = 24 * 60
    near, far = world.booked(ANNA, 60, 180), world.booked(BORIS, 80 * days, 80 * days + 120)
    close(world, 10)
    assert told(world) == [
        "Marktplatz 7 is out of service, and your stay is from 11:00. Choose another spot for the same price in the "
        "app, or cancel free of charge. If you do neither, you get all your money back at 11:05."
    ]
    assert len(told(world, BORIS)) == 1
    assert (world.stored(near).unserved_at, world.stored(far).unserved_at) == (at(10), at(10))


def test_the_command_said_again_tells_nobody_twice_and_goes_on_where_it_was_stopped(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.booked(ANNA, 60, 180)
    world.booked(BORIS, 300, 400)
    commit, left = world.store.commit, [2]

    def dies(*saves: Aggregate, **more: Any) -> None:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        commit(*saves, **more)

    monkeypatch.setattr(world.store, "commit", dies)
    with pytest.raises(KeyboardInterrupt):
        close(world, 10)
    monkeypatch.undo()
    assert (len(told(world)), len(told(world, BORIS))) == (1, 0)
    close(world, 11)
    assert (len(told(world)), len(told(world, BORIS))) == (1, 1)


def test_who_was_missed_is_told_a_quarter_of_an_hour_ahead(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    stay = world.booked(ANNA, 60, 180)
    monkeypatch.setattr(operating, "tell_who_is_booked", lambda *_: None)
    close(world, 10)
    look(world, 40, 44)
    assert told(world) == []
    look(world, 45, 60)
    assert (len(told(world)), world.stored(stay).unserved_at) == (1, at(45))


def test_one_that_cannot_be_told_keeps_no_other_waiting(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    stay = world.booked(ANNA, 60, 180)
    world.booked(BORIS, 300, 400)
    commit = world.store.commit

    def throttled(*saves: Aggregate, **more: Any) -> None:
        if stay.key in [one.key for one in saves]:
            raise Busy
        commit(*saves, **more)

    monkeypatch.setattr(world.store, "commit", throttled)
    with pytest.raises(Busy):
        close(world, 10)
    assert (len(told(world)), len(told(world, BORIS))) == (0, 1)


def test_a_stay_that_is_guarded_and_was_missed_is_told_with_the_next_word_of_its_barrier(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    stay = world.booked(ANNA, 60, 180)
    rises(world, stay)
    monkeypatch.setattr(operating, "tell_who_is_booked", lambda *_: None)
    close(world, 53)
    look(world, 54, 54)
    assert (len(told(world)), world.stored(stay).unserved_at) == (1, at(54))


def test_a_spot_that_is_closed_again_is_told_again_and_gives_five_minutes_anew(world: World) -> None:
    stay = closed_and_put_back(world)
    close(world, 90)
    assert told(world)[-1].endswith("you get all your money back at 11:35.")
    assert len(told(world)) == 2
    look(world, 91, 94)
    assert world.stored(stay).status is S.CONFIRMED
    before = world.balance()
    look(world, 95, 95)
    ended = world.stored(stay)
    assert (ended.status, ended.reason, world.balance() > before) == (S.CANCELLED, EndReason.SPOT_OUT_OF_SERVICE, True)


def test_a_spot_that_is_put_back_meanwhile_is_not_told_to_be_closed(world: World) -> None:
    stay = world.booked(ANNA, 60, 180)
    commit = world.store.commit
    calls = list[int]()

    def put_back_before_the_second(*saves: Aggregate, **more: Any) -> None:
        calls.append(1)
        if len(calls) == 2:
            said(world, Action.IN_SERVICE, 10)
        commit(*saves, **more)

    world.store.commit = put_back_before_the_second  # type: ignore[method-assign]  # a race in the middle of the command
    close(world, 10)
    assert (told(world), world.stored(stay).unserved_at) == ([], None)


def test_who_has_parked_stays_to_the_end(world: World) -> None:
    stay = world.active(ANNA, 60, 180)
    close(world, 100)
    look(world, 100, 110)
    assert (told(world), world.stored(stay).status) == ([], S.ACTIVE)


def test_who_has_asked_to_be_let_in_is_let_in(world: World) -> None:
    stay = world.booked(ANNA, 60, 180)
    bookings.arrive(world.store, ANNA, stay.reservation_id, at(60))
    close(world, 61)
    look(world, 61, 70)
    assert (told(world), world.stored(stay).status) == ([], S.CONFIRMED)


# Holds


def test_an_unpaid_hold_ends_with_the_spot(till: Till) -> None:
    held = till.reserve(ANNA)
    started = till.pay_by_card(held, now=1)
    close(till, 2)
    ended = till.stored(held)
    assert (ended.status, ended.reason, till.claims()) == (S.CANCELLED, EndReason.SPOT_OUT_OF_SERVICE, ())
    [payment] = till.store.all_of(Payment)
    assert payment.status is PaymentStatus.CANCELLING
    assert started is not None


def test_nobody_new_can_book_it(world: World) -> None:
    close(world, 10)
    world.fund(ANNA)
    with pytest.raises(SpotUnavailable):
        world.reserve(ANNA, now=11)


# What may be done then


def test_a_stay_days_ahead_moves_to_a_spot_that_is_free_then(world: World) -> None:
    stay = world.booked(ANNA, 3_000, 3_120)
    spot = another_spot(world)
    close(world, 10)
    [found] = displaced.alternatives(world.store, ANNA, stay.reservation_id, at(11))
    moved = displaced.move(world.store, ANNA, stay.reservation_id, found.spot.spot_id, at(11))
    assert (moved.spot_id, moved.unserved_at, moved.guard_due_at) == (spot.spot_id, None, at(2_985))
    assert moved.claim is not None
    assert moved.claim.stay == stay.stay
    assert world.claims() == ()


def test_a_stay_that_is_near_moves_only_to_a_spot_that_is_seen_empty(world: World) -> None:
    stay = world.booked(ANNA, 60, 180)
    spot = another_spot(world)
    close(world, 10)
    assert displaced.alternatives(world.store, ANNA, stay.reservation_id, at(45)) == []
    with pytest.raises(SpotUnavailable):
        displaced.move(world.store, ANNA, stay.reservation_id, spot.spot_id, at(45))
    stored = world.store.get(Blocker, spot.blocker_id)
    assert stored is not None
    world.store.commit(replace(stored, report=a_report(occupancy=Occupancy.VACANT, received_at=at(44))))
    assert displaced.move(world.store, ANNA, stay.reservation_id, spot.spot_id, at(45)).spot_id == spot.spot_id


@pytest.mark.parametrize("now", [11, 59, 62])
def test_a_cancellation_gives_everything_back_and_no_credit(world: World, now: float) -> None:
    stay = world.booked(ANNA, 60, 180)
    close(world, 10)
    before = world.balance()
    after = bookings.call_off(world.store, ANNA, stay.reservation_id, at(now))
    assert (after.reason, world.balance() - before) == (EndReason.SPOT_OUT_OF_SERVICE, 480)
    assert "CREDIT_GRANTED" not in world.told()


def test_who_does_nothing_has_the_money_back_five_minutes_after_the_start(world: World) -> None:
    stay = world.booked(ANNA, 60, 180)
    close(world, 10)
    before = world.balance()
    look(world, 45, 64)
    assert world.stored(stay).status is S.CONFIRMED
    look(world, 65, 65)
    after = world.stored(stay)
    assert (after.status, after.reason) == (S.CANCELLED, EndReason.SPOT_OUT_OF_SERVICE)
    assert world.balance() - before == 480
    assert "GUARD_FAILED" not in world.told()


def test_who_is_told_in_the_middle_of_the_stay_has_five_minutes_too(world: World) -> None:
    stay = world.booked(ANNA, 60, 180)
    rises(world, stay)
    look(world, 53, 99)
    close(world, 100)
    look(world, 100, 104)
    assert world.stored(stay).status is S.CONFIRMED
    look(world, 105, 105)
    assert world.stored(stay).status is S.CANCELLED


def test_a_spot_that_is_back_in_service_is_the_drivers_again_and_the_promise_holds(world: World) -> None:
    stay = closed_and_put_back(world)
    look(world, 53, 70)
    assert world.stored(stay).status is S.CONFIRMED
    assert world.blocker.guards(stay.reservation_id)
    after = bookings.call_off(world.store, ANNA, stay.reservation_id, at(71))
    assert after.reason is EndReason.SPOT_OUT_OF_SERVICE


def test_nothing_is_offered_to_who_was_not_told(world: World) -> None:
    stay = world.booked(ANNA, 60, 180)
    with pytest.raises(WrongState):
        displaced.alternatives(world.store, ANNA, stay.reservation_id, at(20))
