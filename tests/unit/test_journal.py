"""What the log says of a commit: by it a story is found, and business is counted."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from parking import journal
from parking.domain.blocker import Occupancy, Position
from parking.domain.reservation import Reservation
from parking.services import bookings
from parking.services.ports import Aggregate
from tests.builders import a_blocker, a_command, a_push_device, a_report, a_wallet, an_endpoint_owner
from tests.unit.world import ANNA, BORIS, World, at

type Line = dict[str, Any]


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> list[Line]:
    """What the log says."""
    said = list[Line]()
    monkeypatch.setattr(journal.logger, "info", lambda message, **keys: said.append({"message": message, **keys}))
    return said


@pytest.fixture
def numbers(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """The sums of the business metrics."""
    sums = Counter[str]()

    def count(added: Mapping[str, int]) -> None:
        for name, number in added.items():
            sums[name] += number

    monkeypatch.setattr(journal, "count", count)
    return sums


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, lines: list[Line], numbers: Counter[str]) -> World:
    """A world whose store tells the journal, as wiring's does."""
    made = World()
    commit = made.store.commit

    def telling(*saves: Aggregate, unchanged: Sequence[Aggregate] = ()) -> None:
        commit(*saves, unchanged=unchanged)
        journal.tell(saves)

    monkeypatch.setattr(made.store, "commit", telling)
    return made


def facts_of(lines: list[Line], stay: Reservation) -> list[str]:
    """The story of a stay: every fact of every commit that names it."""
    return [fact for line in lines if stay.reservation_id in line["reservation_ids"] for fact in line["facts"]]


def test_a_stay_is_followed_from_the_hold_to_the_end_by_its_id(world: World, lines: list[Line]) -> None:
    stay = world.active()
    bookings.leave(world.store, ANNA, stay.reservation_id, at(90))
    story = facts_of(lines, stay)
    states = [fact.split()[2] for fact in story if fact.startswith("Reservation ")]
    assert list(dict.fromkeys(states)) == ["HELD", "CONFIRMED", "ACTIVE", "COMPLETED"]
    kinds = {" ".join(fact.split()[:1] + fact.split()[2:-1]) for fact in story}
    assert {
        "Payment RESERVATION SUCCEEDED",
        "Transaction WALLET_PAYMENT",
        "Notification PAYMENT_SUCCEEDED",
        "Notification RESERVATION_COMPLETED",
        "Reservation COMPLETED DEPARTED",
    } <= kinds
    command_id = stay.evidence.entries[-1].command_id
    assert [f"{command_id} LOWERED {status}" in " ".join(story) for status in ("PENDING", "SUCCEEDED")] == [True, True]


def test_each_fact_is_named_by_its_address_and_the_version_that_it_has_since(world: World, lines: list[Line]) -> None:
    stay = world.reserve(ANNA)
    assert f"Reservation anna/{stay.reservation_id} HELD v1" in lines[-1]["facts"]
    assert f"CalendarDay {world.spot.spot_id}/2026-12-01 v1" in lines[-1]["facts"]
    assert world.stored(stay).version == 1


def test_a_heartbeat_is_no_part_of_the_stay_that_the_blocker_served_last(world: World, lines: list[Line]) -> None:
    stay = world.active()
    lines.clear()
    world.device_reports(70, Position.LOWERED, Occupancy.OCCUPIED)
    assert [line["reservation_ids"] for line in lines] == [[]]
    assert stay.reservation_id not in str(lines)


def test_a_command_without_a_stay_is_nobodys_story(lines: list[Line]) -> None:
    journal.tell([a_blocker(command=a_command(reservation_id=None), report=a_report())])
    assert lines[0]["reservation_ids"] == []


def test_nothing_of_what_a_fact_holds_is_said(world: World, lines: list[Line]) -> None:
    world.reserve(ANNA, vehicle_plate="B-AB 123")
    assert "B-AB" not in str(lines)


def test_what_a_phone_calls_itself_and_its_endpoint_are_not_said(lines: list[Line]) -> None:
    phone, owner = a_push_device(), an_endpoint_owner()
    journal.tell([phone, owner])
    assert lines[0]["facts"] == [f"PushDevice {phone.user_id} v1", f"EndpointOwner {owner.user_id} v1"]
    assert phone.device_id not in str(lines)
    assert owner.endpoint not in str(lines)


def test_a_reservation_is_counted_once_and_its_price_is_earned_once(world: World, numbers: Counter[str]) -> None:
    stay = world.active()
    assert numbers == {"Reservations": 1, "RevenueMinor": stay.quote.amount_minor}


def test_what_is_refunded_is_not_earned(world: World, numbers: Counter[str]) -> None:
    stay = world.booked(ANNA)
    bookings.call_off(world.store, ANNA, stay.reservation_id, at(5))
    assert numbers["RevenueMinor"] == 0


@pytest.mark.parametrize("taker", [None, BORIS])
def test_a_hold_that_lapses_is_counted_once_whoever_ends_it(world: World, numbers: Counter[str], taker: Any) -> None:
    world.reserve(ANNA)
    if taker:
        world.reserve(taker, now=11, key="taker")
    world.tick(12)
    assert numbers["HoldsExpired"] == 1
    assert numbers["Reservations"] == (2 if taker else 1)


def test_a_commit_that_adds_to_no_number_counts_nothing(numbers: Counter[str], lines: list[Line]) -> None:
    journal.tell([replace(a_wallet(), version=3)])
    assert not numbers
    assert len(lines) == 1
