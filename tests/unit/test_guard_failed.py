"""A barrier that does not stand for the stay at its start: its driver is told, and may cancel or move for nothing."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from blockers import prepare_upcoming
from parking import wiring
from parking.domain.blocker import Blocker, Occupancy
from parking.domain.errors import SpotNotYetFree, WrongState
from parking.domain.guarding import arrival_has_failed
from parking.domain.reservation import EndReason, Reservation, ReservationStatus
from parking.domain.spot import Location
from parking.schedule import SweepFailed
from parking.services import bookings, displaced, schedules
from parking.services.blockers import reconcile
from parking.services.ports import Aggregate, Conflict, ShadowUnavailable
from tests.builders import a_blocker, a_report, a_spot
from tests.lambda_context import CONTEXT
from tests.unit.stays import ARRIVING, CONFIRMED, MINUTE, STARTS
from tests.unit.world import ANNA, BORIS, World, at, english

S = ReservationStatus
KIND = "GUARD_FAILED"


@pytest.fixture
def stay(world: World) -> Reservation:
    """From 60 to 180, paid with 4.80; its blocker has not been heard of."""
    return world.booked(ANNA)


def look(world: World, since: int, until: int) -> None:
    """Every schedule, every minute."""
    for minute in range(since, until + 1):
        world.tick(minute)


def cancelled(world: World, stay: Reservation, now: float) -> Reservation:
    """The driver takes the money."""
    return bookings.call_off(world.store, ANNA, stay.reservation_id, at(now))


# Told


def test_a_driver_whose_barrier_has_not_risen_is_told_at_the_start_once(world: World, stay: Reservation) -> None:
    look(world, 45, 59)
    assert (KIND in world.told(), world.guard_failures) == (False, [])
    look(world, 60, 75)
    [told] = [notice for notice in world.inbox() if notice.kind == KIND]
    assert english(told) == (
        "The barrier at Marktplatz 7 could not be raised, so somebody may stand there. Come all the same, choose "
        "another spot in the app, or cancel free of charge until 13:00."
    )
    assert world.stored(stay).guard_failed_at == told.created_at == at(60)
    assert [one.key for one in world.guard_failures] == [stay.key]


def test_a_strangers_car_that_keeps_the_barrier_down_is_a_guard_that_failed(world: World, stay: Reservation) -> None:
    world.device_reports(59, occupancy=Occupancy.OCCUPIED)
    look(world, 59, 60)
    assert world.stored(stay).guard_failed_at == at(60)


def test_whose_barrier_stands_is_told_nothing(world: World, stay: Reservation) -> None:
    world.device_reports(50)
    look(world, 50, 51)
    world.device_obeys(51.5)
    look(world, 52, 70)
    assert (KIND in world.told(), world.stored(stay).guard_failed_at) == (False, None)


def test_whose_barrier_comes_down_again_is_told_as_well(world: World, stay: Reservation) -> None:
    world.device_reports(50)
    look(world, 50, 51)
    world.device_obeys(51.5)
    look(world, 52, 58)
    assert world.stored(stay).guard_due_at is None
    world.device_reports(58.5, manual_override=True)
    assert world.stored(stay).guard_due_at == at(60.5)
    look(world, 59, 62)
    assert world.stored(stay).guard_failed_at == at(61)
    assert world.told().count(KIND) == 1


def test_a_barrier_that_comes_down_and_rises_again_within_two_minutes_is_not_told_of(
    world: World, stay: Reservation
) -> None:
    world.device_reports(50)
    look(world, 50, 51)
    world.device_obeys(51.5)
    look(world, 52, 70)
    world.device_reports(70.5)
    world.device_obeys(71)
    look(world, 71, 75)
    assert (KIND in world.told(), world.stored(stay).guard_due_at) == (False, None)


def test_who_has_parked_does_not_need_the_barrier_any_more(world: World) -> None:
    stay = world.active(ANNA, 60, 180)
    world.device_reports(70, occupancy=Occupancy.OCCUPIED)
    assert world.stored(stay).guard_due_at is None


def test_the_barrier_has_two_minutes_from_the_payment_on(world: World) -> None:
    world.device_reports(0, occupancy=Occupancy.OCCUPIED)
    stay = world.booked(ANNA, 0, 120)
    look(world, 0, 1)
    assert world.stored(stay).guard_failed_at is None
    look(world, 2, 2)
    assert world.stored(stay).guard_failed_at == at(2)


def test_who_has_asked_to_be_let_in_is_not_told_that_the_barrier_is_down(world: World, stay: Reservation) -> None:
    bookings.arrive(world.store, ANNA, stay.reservation_id, at(50))
    look(world, 50, 70)
    assert KIND not in world.told()


def test_a_tick_after_the_end_tells_nothing(world: World, stay: Reservation) -> None:
    world.tick(180)
    assert (KIND in world.told(), world.stored(stay).status) == (False, S.NO_SHOW)


def test_who_is_kept_out_by_the_stay_before_is_told_of_that_instead(world: World) -> None:
    world.active(ANNA, 60, 180)
    kept_out = world.booked(BORIS, 190, 300)
    for minute in range(180, 200, 5):
        world.device_reports(minute, occupancy=Occupancy.OCCUPIED)
        look(world, minute, minute + 4)
    assert (KIND in world.told(BORIS), world.stored(kept_out).guard_failed_at) == (False, None)
    assert "SPOT_STILL_OCCUPIED" in world.told(BORIS)


def test_the_car_of_one_who_came_early_is_a_guard_that_failed(world: World) -> None:
    """Anna's card was slower than her hold: her time was free for Boris to come early, and then it was hers again."""
    world.device_reports(164)
    lapsed = world.reserve(ANNA, 165, 180, now=164)
    early = world.booked(BORIS, 190, 300)
    bookings.arrive(world.store, BORIS, early.reservation_id, at(176))
    world.reconcile(176)
    world.device_obeys(176.1)
    world.device_reports(176.5, occupancy=Occupancy.OCCUPIED)
    paid_late = replace(lapsed, status=S.CONFIRMED, guard_due_at=at(177), guard_by=at(178), version=1)
    world.store.commit(paid_late)
    look(world, 177, 178)
    assert (KIND in world.told(ANNA), world.stored(lapsed).guard_failed_at) == (True, at(178))
    with pytest.raises(SpotNotYetFree):
        bookings.arrive(world.store, ANNA, lapsed.reservation_id, at(178.5))


def test_a_barrier_that_rises_at_that_moment_is_not_told_to_have_failed(world: World, stay: Reservation) -> None:
    world.device_reports(58)
    look(world, 58, 59)
    world.store.meanwhile(lambda: world.device_obeys(60))
    world.tick(60)
    assert world.store.lost_races == 1
    assert (KIND in world.told(), world.stored(stay).guard_failed_at) == (False, None)


def test_a_barrier_that_has_just_risen_is_not_told_to_have_failed(
    world: World, stay: Reservation, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.device_reports(58)
    look(world, 58, 59)

    def reconcile_then_rise(*asked: Any) -> tuple[Blocker | None, None]:
        known = reconcile(*asked)
        world.device_obeys(60)
        return known, None

    monkeypatch.setattr(schedules, "reconciled", reconcile_then_rise)
    world.tick_once(60)
    assert world.blocker.guards(stay.reservation_id)
    assert (KIND in world.told(), world.stored(stay).guard_failed_at) == (False, None)


def test_a_stay_before_that_has_moved_away_keeps_nobody_out(world: World, stay: Reservation) -> None:
    world.device_reports(58)
    look(world, 58, 58)
    elsewhere = a_blocker()
    world.store.commit(
        replace(world.stored(stay), status=S.ACTIVE, spot_id=elsewhere.spot_id, blocker_id=elsewhere.blocker_id)
    )
    next_stay = world.booked(BORIS, 190, 300)
    world.device_reports(190, occupancy=Occupancy.OCCUPIED)
    world.tick(190)
    assert world.stored(next_stay).guard_failed_at == at(190)


# What may be done then


def test_a_driver_without_a_guard_gets_everything_back_also_after_the_start(world: World, stay: Reservation) -> None:
    look(world, 45, 60)
    before = world.balance()
    after = cancelled(world, stay, 179)
    assert (after.status, after.reason, world.balance() - before) == (S.CANCELLED, EndReason.BLOCKER_FAILED, 480)
    assert "CREDIT_GRANTED" not in world.told()


def test_a_driver_with_a_guard_gets_nothing_back_after_the_start(world: World, stay: Reservation) -> None:
    world.device_reports(50)
    look(world, 50, 51)
    world.device_obeys(51.5)
    before = world.balance()
    after = cancelled(world, stay, 60)
    assert (after.reason, world.balance() - before) == (EndReason.CANCELLED_BY_DRIVER, 0)


def test_the_machine_is_tried_on_and_the_promise_holds_when_it_stands(world: World, stay: Reservation) -> None:
    look(world, 45, 65)
    world.device_reports(66)
    look(world, 66, 66)
    world.device_obeys(66.5)
    look(world, 67, 70)
    assert world.blocker.guards(stay.reservation_id)
    assert world.stored(stay).guard_due_at is None
    assert cancelled(world, stay, 100).reason is EndReason.BLOCKER_FAILED


def test_who_does_nothing_is_refunded_at_the_end_and_no_no_show(world: World, stay: Reservation) -> None:
    look(world, 45, 60)
    before = world.balance()
    world.tick(180)
    ended = world.stored(stay)
    assert (ended.status, ended.reason, world.balance() - before) == (S.CANCELLED, EndReason.BLOCKER_FAILED, 480)


def test_who_has_parked_all_the_same_cannot_cancel(world: World, stay: Reservation) -> None:
    look(world, 45, 60)
    bookings.arrive(world.store, ANNA, stay.reservation_id, at(61))
    world.device_reports(61)
    world.reconcile(61)
    world.device_obeys(61.5)
    assert world.stored(stay).status is S.ACTIVE
    with pytest.raises(WrongState):
        cancelled(world, stay, 62)


def test_a_driver_without_a_guard_may_move_and_everything_begins_anew_there(world: World, stay: Reservation) -> None:
    here = world.spot.location
    spot = a_spot(location=Location(here.latitude + 0.001, here.longitude))
    report = a_report(occupancy=Occupancy.VACANT, received_at=at(59))
    world.store.commit(spot, a_blocker(blocker_id=spot.blocker_id, spot_id=spot.spot_id, report=report))
    with pytest.raises(WrongState):
        displaced.alternatives(world.store, ANNA, stay.reservation_id, at(59))
    look(world, 45, 60)
    [found] = displaced.alternatives(world.store, ANNA, stay.reservation_id, at(61))
    moved = displaced.move(world.store, ANNA, stay.reservation_id, found.spot.spot_id, at(61))
    assert (moved.spot_id, moved.guard_failed_at, moved.guard_by) == (spot.spot_id, None, at(63))
    assert displaced.move(world.store, ANNA, stay.reservation_id, spot.spot_id, at(61)).version == moved.version + 1
    before = world.balance()
    assert cancelled(world, stay, 62).reason is EndReason.CANCELLED_BY_DRIVER
    assert world.balance() == before


# Operators


Call = Callable[[float], list[dict[str, object]]]


@pytest.fixture
def call(world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Calls the handler as of a minute; the lines that count failed guards."""
    monkeypatch.setattr(wiring, "store", lambda: world.store)
    monkeypatch.setattr(wiring, "shadows", lambda: world.shadows)

    def call(now: float) -> list[dict[str, object]]:
        prepare_upcoming.handler({"time": at(now).isoformat()}, CONTEXT)
        return [json.loads(line) for line in capsys.readouterr().out.splitlines() if "Failures" in line]

    return call


def test_operators_hear_of_it_once(
    world: World, stay: Reservation, call: Call, caplog: pytest.LogCaptureFixture
) -> None:
    assert call(59) == []
    [line] = call(60)
    assert line["GuardFailures"] == [1]
    assert call(61) == []
    [said] = [record.__dict__ for record in caplog.records if record.message == "guard failed"]
    assert (said["reservation_id"], said["blocker_id"]) == (stay.reservation_id, world.spot.blocker_id)


def arrives(world: World, stay: Reservation, now: float) -> None:
    """The driver stands there."""
    bookings.arrive(world.store, ANNA, stay.reservation_id, at(now))


def test_a_barrier_that_does_not_go_down_rings_once_within_a_minute_and_a_half(
    world: World, stay: Reservation, call: Call
) -> None:
    arrives(world, stay, 60.6)
    assert call(61) == []
    [line] = call(62)
    assert line["ArrivalFailures"] == [1]
    assert call(63) == []
    assert world.stored(stay).arrival_failed_at == at(62)


def test_a_machine_that_cannot_be_told_keeps_nobody_from_its_driver(
    world: World, stay: Reservation, call: Call, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The barrier is up, and IoT refuses us: that is when a driver needs somebody most."""
    world.device_reports(50)
    look(world, 50, 51)
    world.device_obeys(51.5)
    arrives(world, stay, 60.6)

    def refuse(*_: object) -> None:
        raise ShadowUnavailable

    monkeypatch.setattr(world.shadows, "desire", refuse)
    call(61)
    with pytest.raises(SweepFailed):
        call(62)
    assert '"ArrivalFailures":[1.0]' in capsys.readouterr().out.replace(" ", "")
    assert world.stored(stay).arrival_failed_at == at(62)


@pytest.mark.parametrize("arrival", [True, False])
def test_an_answer_that_the_store_has_lost_keeps_no_failure_from_the_operators(
    world: World, stay: Reservation, monkeypatch: pytest.MonkeyPatch, arrival: bool
) -> None:
    """It was written, and the next try finds it written: that one would have nothing to tell any more."""
    if arrival:
        arrives(world, stay, 60)
    commit = world.store.commit

    def written_and_refused(*saves: Aggregate, **more: Any) -> None:
        commit(*saves, **more)
        if any(isinstance(one, Reservation) and (one.arrival_failed_at or one.guard_failed_at) for one in saves):
            monkeypatch.undo()
            raise Conflict

    monkeypatch.setattr(world.store, "commit", written_and_refused)
    look(world, 60, 62)
    failed = world.stored(stay)
    assert (failed.arrival_failed_at is not None, failed.guard_failed_at is not None) == (arrival, not arrival)
    assert {one.key for one in world.guard_failures} == {stay.key}


def test_a_barrier_has_half_a_minute_to_go_down() -> None:
    second = MINUTE / 60
    assert not arrival_has_failed(ARRIVING, STARTS + 29 * second)
    assert arrival_has_failed(ARRIVING, STARTS + 30 * second)
    assert not arrival_has_failed(CONFIRMED, STARTS + 30 * second)


def test_a_barrier_that_has_gone_down_in_time_rings_nowhere(world: World, stay: Reservation, call: Call) -> None:
    world.device_reports(60)
    arrives(world, stay, 60.1)
    world.reconcile(60.1)
    world.device_obeys(60.5)
    assert (call(61), world.stored(stay).status) == ([], S.ACTIVE)


def test_who_stands_before_a_stuck_barrier_has_everything_back(world: World, stay: Reservation) -> None:
    arrives(world, stay, 60)
    before = world.balance()
    look(world, 61, 61)
    after = cancelled(world, stay, 62)
    assert (after.reason, world.balance() - before) == (EndReason.BLOCKER_FAILED, 480)


def test_a_barrier_that_goes_down_late_lets_the_stay_begin(world: World, stay: Reservation) -> None:
    arrives(world, stay, 60)
    look(world, 61, 65)
    world.device_reports(66)
    look(world, 66, 66)
    world.device_obeys(66.5)
    assert world.stored(stay).status is S.ACTIVE
    with pytest.raises(WrongState):
        cancelled(world, stay, 67)


def test_a_stay_whose_blocker_is_gone_is_told_too(world: World, stay: Reservation) -> None:
    world.store.commit(replace(stay, blocker_id=a_blocker().blocker_id))
    world.tick(60)
    assert KIND in world.told()
