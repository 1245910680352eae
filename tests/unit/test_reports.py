"""What is going on at a spot: enough to answer the phone, and nothing that names a driver."""

import json
from dataclasses import asdict

import pytest
from pydantic_core import to_jsonable_python

from parking.domain.audit import Action, Word
from parking.domain.blocker import CommandStatus, Occupancy, Position
from parking.domain.errors import NotFound
from parking.domain.ids import SpotId
from parking.domain.reservation import ReservationStatus
from parking.services.operating import obey
from parking.services.reports import ENTRIES_SHOWN, report
from tests.unit.world import ANNA, BORIS, World, at


def test_it_shows_the_stays_of_the_next_days_by_id_and_state(world: World) -> None:
    over = world.booked(ANNA, 60, 180)
    first = world.booked(ANNA, 200, 300)
    second = world.reserve(BORIS, 400, 500, now=190)
    later = world.booked(BORIS, 8 * 1440, 8 * 1440 + 60)
    shown = report(world.store, world.spot.spot_id, 7, at(200))
    assert [(one.reservation_id, one.user_id, one.status) for one in shown.booked] == [
        (first.reservation_id, ANNA, ReservationStatus.CONFIRMED),
        (second.reservation_id, BORIS, ReservationStatus.HELD),
    ]
    assert not shown.more_booked
    ids = [one.reservation_id for one in report(world.store, world.spot.spot_id, 10, at(0)).booked]
    assert ids == [one.reservation_id for one in (over, first, second, later)]


def test_it_shows_whose_car_is_still_there_after_its_time_also_past_midnight(world: World) -> None:
    world.booked(ANNA, 12 * 60, 13 * 60)
    parked = world.active(BORIS, 13.5 * 60, 15 * 60)
    for minute in (15 * 60, 15 * 60 + 11):
        world.device_reports(minute, Position.LOWERED, Occupancy.OCCUPIED)
        world.tick(minute)
    shown = report(world.store, world.spot.spot_id, 7, at(15 * 60 + 12))
    [still_there] = shown.booked
    assert (still_there.reservation_id, still_there.status) == (parked.reservation_id, ReservationStatus.ACTIVE)
    assert still_there.overstayed_since == at(15 * 60)


def test_it_shows_the_commands_newest_first_and_what_became_of_them(world: World) -> None:
    world.device_reports(44)
    world.booked(ANNA, 60, 180)
    world.reconcile(46)
    world.device_obeys(47)
    word = Word(operator="Olga", reason="ticket 4711", request_id="one", at=at(48))
    obey(world.store, world.shadows, world.spot.blocker_id, Action.LOWER, word)
    shown = report(world.store, world.spot.spot_id, 1, at(49))
    assert [(one.position, one.status) for one in shown.commands] == [
        (Position.LOWERED, CommandStatus.PENDING),
        (Position.RAISED, CommandStatus.SUCCEEDED),
    ]
    [said] = shown.audit
    assert said.word == word
    assert shown.blocker == world.blocker


def test_what_the_sensor_said_long_ago_is_not_believed(world: World) -> None:
    world.device_reports(0)
    assert report(world.store, world.spot.spot_id, 1, at(5)).occupancy is Occupancy.VACANT
    assert report(world.store, world.spot.spot_id, 1, at(60)).occupancy is Occupancy.UNKNOWN


def test_no_number_plate_is_shown(world: World) -> None:
    held = world.reserve(ANNA, vehicle_plate="B-AB 123")
    text = json.dumps(to_jsonable_python(asdict(report(world.store, world.spot.spot_id, 1, at(0)))))
    assert held.reservation_id in text
    assert "AB 123" not in text


def test_the_audit_is_shown_newest_first_up_to_a_limit(world: World) -> None:
    for n in range(ENTRIES_SHOWN + 2):
        word = Word(operator="Olga", reason="of the test", request_id=f"{n}", at=at(n))
        obey(world.store, world.shadows, world.spot.blocker_id, Action.IN_SERVICE, word)
    shown = report(world.store, world.spot.spot_id, 1, at(100)).audit
    assert [one.word.at for one in shown] == [at(n) for n in range(ENTRIES_SHOWN + 1, 1, -1)]


def test_there_is_no_report_of_a_spot_that_is_not_there(world: World) -> None:
    with pytest.raises(NotFound):
        report(world.store, SpotId("nowhere"), 1, at(0))
