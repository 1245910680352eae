"""The code that opens a barrier without a network, at the service: who gets one, when, and what it is made of."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parking import wiring
from parking.adapters.entry_codes import DIGITS, DerivedEntryCodes
from parking.adapters.shadow_documents import report_from
from parking.domain import offline_entry
from parking.domain.blocker import Position
from parking.domain.errors import NotFound, OfflineCodeUnavailable, WrongState
from parking.domain.ids import BlockerId, ReservationId
from parking.domain.reservation import Reservation, ReservationStatus
from parking.services import bookings
from parking.services.offline_entry import OfflineCode, offline_code
from parking_blocker import offline_code as device
from reservations import api
from tests.builders import NOW
from tests.lambda_context import CONTEXT
from tests.unit.stays import EVERY_STATUS
from tests.unit.world import ANNA, BORIS, World, at

CODES = DerivedEntryCodes({"present": "of today"})
HALF_A_MINUTE = 0.5
HERE, OTHER = BlockerId("blocker-1"), BlockerId("blocker-2")
STAY = ReservationId("res_1")


@pytest.fixture
def stay(world: World) -> Reservation:
    """From 60 to 180, paid; the driver said at 61 that they are here, and the barrier does not move."""
    stay = world.booked(ANNA)
    bookings.arrive(world.store, ANNA, stay.reservation_id, at(61))
    return stay


def code_at(world: World, stay: Reservation, now: float) -> OfflineCode:
    return offline_code(world.store, CODES, ANNA, stay.reservation_id, at(now))


# Who, and when


def test_a_driver_before_a_barrier_that_does_not_go_down_gets_a_code_half_a_minute_later(
    world: World, stay: Reservation
) -> None:
    with pytest.raises(OfflineCodeUnavailable) as refused:
        code_at(world, stay, 61.49)
    assert refused.value.data == {"available_at": at(61 + HALF_A_MINUTE)}
    given = code_at(world, stay, 61 + HALF_A_MINUTE)
    assert len(given.code) == DIGITS
    assert timedelta(minutes=4) < given.expires_at - at(61 + HALF_A_MINUTE) <= timedelta(minutes=6)
    assert code_at(world, stay, 179.9).code != given.code
    with pytest.raises(WrongState, match="over"):
        code_at(world, stay, 180)


def test_who_did_not_say_that_they_are_here_gets_none(world: World) -> None:
    with pytest.raises(OfflineCodeUnavailable, match="Say first"):
        code_at(world, world.booked(ANNA), 61)


@pytest.mark.parametrize("status", sorted(set(ReservationStatus) - {ReservationStatus.CONFIRMED}))
def test_a_stay_that_does_not_wait_for_its_barrier_has_none(status: ReservationStatus) -> None:
    with pytest.raises(WrongState, match=status):
        offline_entry.check_needs_code(EVERY_STATUS[status], NOW)


def test_somebody_elses_stay_is_not_found(world: World, stay: Reservation) -> None:
    with pytest.raises(NotFound):
        offline_code(world.store, CODES, BORIS, stay.reservation_id, at(63))


def test_asking_writes_nothing_and_the_code_is_the_same_within_its_two_minutes(world: World, stay: Reservation) -> None:
    stored = world.stored(stay)
    assert code_at(world, stay, 64) == code_at(world, stay, 65.9)
    assert world.stored(stay) == stored


Ask = Callable[[float], dict[str, Any]]


@pytest.fixture
def ask(world: World, stay: Reservation, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """The function, as API Gateway calls it."""
    monkeypatch.setattr(wiring, "store", lambda: world.store)
    monkeypatch.setattr(wiring, "entry_codes", lambda: CODES)

    def ask(now: float) -> dict[str, Any]:
        path = f"/reservations/{stay.reservation_id}/offline-code"
        context = {
            "requestId": "request",
            "stage": "$default",
            "timeEpoch": int(at(now).timestamp() * 1000),
            "http": {"method": "GET", "path": path},
            "authorizer": {"jwt": {"claims": {"sub": ANNA}}},
        }
        event = {"version": "2.0", "rawPath": path, "rawQueryString": "", "headers": {}, "requestContext": context}
        return api.handler(event, CONTEXT)

    return ask


def test_the_api_gives_the_code_and_says_when_there_is_none_and_logs_none(
    ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    early = ask(61.1)
    problem = json.loads(early["body"])
    assert (early["statusCode"], problem["code"]) == (409, "offline_code_unavailable")
    assert problem["available_at"]
    given = ask(63)
    document = json.loads(given["body"])
    assert (given["statusCode"], document.keys()) == (200, {"code", "expires_at"})
    logged = repr([vars(record) for record in caplog.records])
    assert "offline code given" in logged
    assert document["code"] not in logged


# What it is made of


def opens(secret: str, reservation_id: str, code: str, step: int) -> int | None:
    return device.step_of(code, secret.split(), reservation_id, range(step - 3, step + 2))


@given(st.text(min_size=1), st.text(min_size=1), st.integers(min_value=4, max_value=2**40))
def test_both_halves_agree(blocker_id: str, reservation_id: str, step: int) -> None:
    code = CODES.code(BlockerId(blocker_id), ReservationId(reservation_id), step)
    assert opens(CODES.secret_of(BlockerId(blocker_id)), reservation_id, code, step) == step


def test_both_halves_count_time_alike() -> None:
    assert (offline_entry.CODE_STEP, offline_entry.CODE_GOOD_FOR_STEPS) == (device.STEP, device.GOOD_FOR_STEPS)
    assert offline_entry.step_at(NOW) == device.step_at(NOW)
    step = device.step_at(NOW)
    last_instant = offline_entry.good_until(step) - timedelta(microseconds=1)
    assert step in device.steps_good_at(last_instant), "what the app shows as good is good"
    assert step not in device.steps_good_at(last_instant + (1 + device.TOLERANCE_STEPS) * device.STEP)


def test_a_code_opens_one_blocker_for_one_reservation_in_one_time() -> None:
    step, secret = 1_000, CODES.secret_of(HERE)
    code = CODES.code(HERE, STAY, step)
    assert opens(secret, STAY, code, step) == step
    assert opens(secret, "res_2", code, step) is None
    assert opens(CODES.secret_of(OTHER), STAY, code, step) is None
    assert opens(secret, STAY, code, step + 10) is None
    assert opens(DerivedEntryCodes({"present": "of another stack"}).secret_of(HERE), STAY, code, step) is None


def test_the_master_is_replaced_without_a_barrier_that_takes_no_code() -> None:
    between = DerivedEntryCodes({"present": "of today", "next": "of tomorrow"})
    after = DerivedEntryCodes({"present": "of tomorrow"})
    old, both, new = (codes.secret_of(HERE) for codes in (CODES, between, after))
    assert opens(old, STAY, between.code(HERE, STAY, 9), 9) == 9, "who has not got the next secret yet"
    for codes in (between, after):
        assert opens(both, STAY, codes.code(HERE, STAY, 9), 9) == 9
    assert opens(new, STAY, CODES.code(HERE, STAY, 9), 9) is None, "the old master opens nothing any more"


# What it comes to


def test_a_report_that_the_code_has_lowered_the_barrier_makes_the_stay_active(world: World, stay: Reservation) -> None:
    world.device_reports(75, opened_for=stay.reservation_id, opened_at=at(64).isoformat())
    arrived = world.stored(stay)
    assert (arrived.status, arrived.arrived_at) == (ReservationStatus.ACTIVE, at(64))


@pytest.mark.parametrize(("told", "believed"), [(10, 61), (64, 64), (900, 75), (None, 75)])
def test_when_that_was_is_believed_as_far_as_it_can_be(
    world: World, stay: Reservation, told: int | None, believed: int
) -> None:
    opened_at = at(told).isoformat() if told else None
    world.device_reports(75, opened_for=stay.reservation_id, opened_at=opened_at)
    assert world.stored(stay).arrived_at == at(believed)


@pytest.mark.parametrize(
    ("position", "opened_for"),
    [(Position.RAISED, "own"), (Position.MOVING, "own"), (Position.UNKNOWN, "own"), (Position.LOWERED, "another's")],
)
def test_a_barrier_that_is_not_down_or_that_opened_for_another_stay_makes_nobody_arrive(
    world: World, stay: Reservation, position: Position, opened_for: str
) -> None:
    name = stay.reservation_id if opened_for == "own" else "res_2"
    world.device_reports(75, position, opened_for=name, opened_at=at(64).isoformat())
    assert world.stored(stay).status is ReservationStatus.CONFIRMED


def test_nobody_arrives_by_a_report_who_did_not_ask_for_it(world: World) -> None:
    stay = world.booked(ANNA)
    world.device_reports(75, opened_for=stay.reservation_id, opened_at=at(64).isoformat())
    assert world.stored(stay).status is ReservationStatus.CONFIRMED


@pytest.mark.parametrize("wrong", [7, "", [], None])
def test_what_a_device_says_badly_of_a_code_is_no_evidence(wrong: Any) -> None:
    report = report_from({"opened_for": wrong, "opened_at": wrong}, NOW)
    assert (report.opened_for, report.opened_at) == (None, None)
