"""What stops a motor: edges that come together, bounce, flicker, or never come, before the event loop has run."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from gpiozero.pins.mock import MockFactory

from parking_blocker.contract import Occupancy, Outcome, Position, Reason, Result
from parking_blocker.gpio import END_SWITCH_SETTLES_SECONDS, LETS_GO_SECONDS_MAX
from tests.unit.device_spot import CLOSES, LIMITS, OPENS, PINS, Spot, mock_pins
from tests.unit.virtual_time import run


@pytest.fixture(autouse=True)
def pins() -> Iterator[MockFactory]:
    with mock_pins() as factory:
        yield factory


@pytest.mark.parametrize(
    "contacts",
    [
        pytest.param((PINS.clear, PINS.clear), id="the obstacle bounces"),
        pytest.param((PINS.vacant, PINS.clear), id="the car is seen first"),
        pytest.param((PINS.clear, PINS.vacant), id="the car is felt first"),
    ],
)
def test_what_has_stopped_the_way_up_does_not_stop_the_way_down_however_much_of_it_comes_before_the_loop_runs(
    pins: MockFactory, tmp_path: Path, contacts: tuple[int, int]
) -> None:
    async def story() -> None:
        spot = Spot(pins, tmp_path)
        await spot.rising()
        for contact in contacts:
            spot.close(contact)
            spot.open(contact)
        await asyncio.sleep(0)
        assert (spot.motor, spot.outcome) == ("down", Outcome("c-1", Result.REJECTED, Reason.OBSTRUCTED))
        spot.close(PINS.clear)
        await asyncio.sleep(2)
        assert (spot.motor, spot.blocker.machine.position) == ("down", Position.MOVING)

    run(story)


def test_an_obstacle_that_is_heard_of_when_the_motor_has_turned_already_does_not_stop_it(
    pins: MockFactory, tmp_path: Path
) -> None:
    async def story() -> None:
        spot = Spot(pins, tmp_path)
        await spot.rising()
        spot.open(PINS.clear)
        spot.open(PINS.vacant)
        spot.blocker.look()  # before the loop has told of the obstacle
        assert spot.motor == "down"
        spot.close(PINS.clear)
        await asyncio.sleep(2)
        assert spot.motor == "down"

    run(story)


def test_an_obstacle_that_has_not_let_go_in_time_stops_the_way_down(pins: MockFactory, tmp_path: Path) -> None:
    async def story() -> None:
        spot = Spot(pins, tmp_path)
        await spot.rising()
        spot.open(PINS.clear)
        await asyncio.sleep(LETS_GO_SECONDS_MAX - 0.1)
        assert spot.motor == "down"
        await asyncio.sleep(0.2)
        assert (spot.motor, spot.blocker.machine.motion) == ("off", None)

    run(story)


@pytest.mark.parametrize("seconds", [0.1, LETS_GO_SECONDS_MAX + 0.1])
def test_an_obstacle_stops_a_lower_at_any_time_of_its_way(pins: MockFactory, tmp_path: Path, seconds: float) -> None:
    async def story() -> None:
        spot = Spot(pins, tmp_path)
        await spot.standing()
        await spot.command(Position.LOWERED)
        await asyncio.sleep(LIMITS.warning_seconds + seconds)
        spot.open(PINS.raised)
        assert spot.motor == "down"
        spot.open(PINS.clear)
        assert spot.motor == "off"
        await asyncio.sleep(0)
        assert spot.outcome == Outcome("c-2", Result.REJECTED, Reason.OBSTRUCTED)

    run(story)


def test_a_lower_does_not_start_onto_something_that_is_in_its_way(pins: MockFactory, tmp_path: Path) -> None:
    async def story() -> None:
        spot = Spot(pins, tmp_path)
        await spot.standing()
        spot.open(PINS.clear)
        await spot.command(Position.LOWERED)
        await asyncio.sleep(LIMITS.warning_seconds + 0.1)
        assert (spot.motor, spot.outcome) == ("off", Outcome("c-2", Result.REJECTED, Reason.OBSTRUCTED))

    run(story)


def test_an_obstacle_that_no_edge_has_told_of_comes_to_light_at_the_next_look(
    pins: MockFactory, tmp_path: Path
) -> None:
    async def story() -> None:
        spot = Spot(pins, tmp_path)
        await spot.rising()
        spot.lose_edges(PINS.clear)
        spot.open(PINS.clear)
        assert spot.motor == "up"
        spot.blocker.look()
        assert spot.motor == "off"
        await asyncio.sleep(0)
        assert spot.motor == "down"

    run(story)


@pytest.mark.parametrize(
    ("flickers", "closes", "motor", "reason"),
    [
        pytest.param(PINS.vacant, False, "down", Reason.OBSTRUCTED, id="a car"),
        pytest.param(PINS.occupied, True, "down", Reason.OBSTRUCTED, id="a car, by the second contact"),
        pytest.param(PINS.automatic, False, "off", Reason.MANUAL_OVERRIDE, id="the key"),
    ],
)
def test_what_stops_the_motor_and_is_gone_before_the_loop_looks_is_heard_of_all_the_same(
    pins: MockFactory, tmp_path: Path, flickers: int, closes: bool, motor: str, reason: Reason
) -> None:
    async def story() -> None:
        spot = Spot(pins, tmp_path)
        await spot.rising()
        for move in (spot.close, spot.open) if closes else (spot.open, spot.close):
            move(flickers)
            assert spot.motor == "off"
        await asyncio.sleep(0)
        assert (spot.motor, spot.outcome) == (motor, Outcome("c-1", Result.REJECTED, reason))
        spot.blocker.look()
        readings = spot.blocker.machine.readings
        assert (readings.occupancy, readings.manual_override) == (Occupancy.VACANT, False), "it is said once"

    run(story)


@pytest.mark.parametrize(
    ("pin", "edge", "motor", "reason"),
    [
        pytest.param(PINS.vacant, OPENS, "down", Reason.OBSTRUCTED, id="a car"),
        pytest.param(PINS.occupied, CLOSES, "down", Reason.OBSTRUCTED, id="a car, by the second contact"),
        pytest.param(PINS.automatic, OPENS, "off", Reason.MANUAL_OVERRIDE, id="the key"),
    ],
)
def test_a_flicker_that_is_over_before_even_the_thread_of_its_edge_can_look_stops_the_motor_all_the_same(
    pins: MockFactory, tmp_path: Path, pin: int, edge: int, motor: str, reason: Reason
) -> None:
    async def story() -> None:
        spot = Spot(pins, tmp_path)
        await spot.rising()
        spot.tell_of_edge(pin, edge)
        assert spot.motor == "off"
        await asyncio.sleep(0)
        assert (spot.motor, spot.outcome) == (motor, Outcome("c-1", Result.REJECTED, reason))

    run(story)


def test_an_end_switch_that_flickers_on_the_way_ends_the_motion_and_one_that_bounces_at_its_end_does_not(
    pins: MockFactory, tmp_path: Path
) -> None:
    async def flickers() -> None:
        spot = Spot(pins, tmp_path / "flickers")
        await spot.rising()
        spot.close(PINS.raised)
        spot.open(PINS.raised)
        assert spot.motor == "off"
        await asyncio.sleep(END_SWITCH_SETTLES_SECONDS + 0.1)
        assert (spot.motor, spot.outcome) == ("down", Outcome("c-1", Result.REJECTED, Reason.OBSTRUCTED))

    async def bounces() -> None:
        spot = Spot(pins, tmp_path / "bounces")
        await spot.rising()
        spot.close(PINS.raised)
        spot.open(PINS.raised)
        await asyncio.sleep(0.01)
        spot.close(PINS.raised)
        await asyncio.sleep(END_SWITCH_SETTLES_SECONDS + 0.1)
        assert (spot.motor, spot.outcome) == ("off", Outcome("c-1", Result.DONE))

    for story in (flickers, bounces):
        (tmp_path / story.__name__).mkdir()
        run(story)
        pins.reset()


@pytest.mark.parametrize(
    ("pin", "closes", "outcome"),
    [
        (PINS.vacant, False, Outcome("c-1", Result.REJECTED, Reason.SENSOR_FAULT)),
        (PINS.occupied, True, Outcome("c-1", Result.REJECTED, Reason.SENSOR_FAULT)),
        (PINS.automatic, False, Outcome("c-1", Result.REJECTED, Reason.MANUAL_OVERRIDE)),
    ],
)
def test_the_motor_starts_by_what_the_contacts_say_then_though_no_edge_has_told_of_it(
    pins: MockFactory, tmp_path: Path, pin: int, closes: bool, outcome: Outcome
) -> None:
    async def story() -> None:
        spot = Spot(pins, tmp_path)
        spot.blocker.look()
        await spot.command(Position.RAISED)
        spot.lose_edges(pin)
        spot.close(pin) if closes else spot.open(pin)
        await asyncio.sleep(LIMITS.warning_seconds + 0.1)
        assert (spot.motor, spot.outcome) == ("off", outcome)

    run(story)


@pytest.mark.parametrize(("pin", "closes"), [(PINS.vacant, False), (PINS.occupied, True), (PINS.automatic, False)])
def test_the_actuator_looks_by_itself_before_it_raises(
    pins: MockFactory, tmp_path: Path, pin: int, closes: bool
) -> None:
    async def story() -> None:
        spot = Spot(pins, tmp_path)
        spot.close(pin) if closes else spot.open(pin)
        spot.actuator.start_raising()
        assert spot.motor == "off"

    run(story)
