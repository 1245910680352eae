"""The real hardware's driver on gpiozero's mock pins, under the whole program of a blocker, in virtual time."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from gpiozero.pins.mock import MockFactory

from parking_blocker.config import Pins
from parking_blocker.contract import Occupancy, Outcome, Position, Reason, Result
from parking_blocker.gpio import LETS_GO_SECONDS_MAX, GpioActuator
from tests.unit.device_spot import LIMITS, PINS, Spot, mock_pins
from tests.unit.virtual_time import run


@pytest.fixture(autouse=True)
def pins() -> Iterator[MockFactory]:
    with mock_pins() as factory:
        yield factory


def test_a_raise_warns_runs_the_motor_up_and_stops_it_at_the_end_switch(pins: MockFactory, tmp_path: Path) -> None:
    async def story() -> None:
        spot = Spot(pins, tmp_path)
        await spot.rising()
        assert spot.blocker.machine.position is Position.MOVING
        spot.close(PINS.raised)
        assert spot.motor == "off", "the end switch stops the motor before the event loop hears of it"
        await asyncio.sleep(0)
        assert (spot.outcome, spot.warns) == (Outcome("c-1", Result.DONE), False)
        await spot.command(Position.LOWERED)
        await asyncio.sleep(LIMITS.warning_seconds)
        assert spot.motor == "down"
        spot.open(PINS.raised)
        spot.close(PINS.lowered)
        await asyncio.sleep(0)
        assert (spot.motor, spot.outcome) == ("off", Outcome("c-2", Result.DONE))

    run(story)


def test_a_car_under_a_rising_barrier_stops_the_motor_at_once_and_sends_it_down(
    pins: MockFactory, tmp_path: Path
) -> None:
    async def story() -> None:
        spot = Spot(pins, tmp_path)
        await spot.rising()
        spot.open(PINS.vacant)
        assert spot.motor == "off"
        await asyncio.sleep(0)
        assert (spot.motor, spot.outcome) == ("down", Outcome("c-1", Result.REJECTED, Reason.OBSTRUCTED))
        assert spot.warns
        spot.close(PINS.lowered)
        await asyncio.sleep(0)
        assert (spot.motor, spot.warns) == ("off", False)

    run(story)


def test_an_obstacle_sends_a_rising_barrier_down_though_its_contact_bounces(pins: MockFactory, tmp_path: Path) -> None:
    async def story() -> None:
        spot = Spot(pins, tmp_path)
        await spot.rising()
        spot.open(PINS.clear)
        assert spot.motor == "off"
        await asyncio.sleep(0)
        assert (spot.motor, spot.outcome) == ("down", Outcome("c-1", Result.REJECTED, Reason.OBSTRUCTED))
        spot.close(PINS.clear)
        spot.open(PINS.clear)
        spot.close(PINS.clear)
        await asyncio.sleep(LETS_GO_SECONDS_MAX)
        assert spot.motor == "down"
        spot.open(PINS.clear)
        assert spot.motor == "off", "a second obstacle, on the way down"
        await asyncio.sleep(0)
        assert spot.blocker.machine.motion is None

    run(story)


def test_a_barrier_that_has_something_in_its_way_does_not_rise(pins: MockFactory, tmp_path: Path) -> None:
    async def story() -> None:
        spot = Spot(pins, tmp_path)
        spot.open(PINS.clear)
        await asyncio.sleep(1)
        spot.blocker.look()
        await spot.command(Position.RAISED)
        await asyncio.sleep(LIMITS.warning_seconds + 0.1)
        assert spot.motor == "off"
        assert spot.outcome == Outcome("c-1", Result.REJECTED, Reason.OBSTRUCTED)

    run(story)


def test_a_key_turned_for_work_by_hand_stops_a_rising_barrier_where_it_is(pins: MockFactory, tmp_path: Path) -> None:
    async def story() -> None:
        spot = Spot(pins, tmp_path)
        await spot.rising()
        spot.open(PINS.automatic)
        assert spot.motor == "off"
        await asyncio.sleep(1)
        assert (spot.motor, spot.outcome) == ("off", Outcome("c-1", Result.REJECTED, Reason.MANUAL_OVERRIDE))
        assert spot.blocker.machine.position is Position.UNKNOWN

    run(story)


def test_a_car_that_comes_while_the_warning_sounds_ends_it(pins: MockFactory, tmp_path: Path) -> None:
    async def story() -> None:
        spot = Spot(pins, tmp_path)
        spot.blocker.look()
        await spot.command(Position.RAISED)
        await asyncio.sleep(1)
        await spot.car(present=True)
        assert (spot.motor, spot.warns) == ("off", False)
        assert spot.outcome == Outcome("c-1", Result.REJECTED, Reason.OCCUPIED)

    run(story)


@pytest.mark.parametrize(
    ("opened", "says"),
    [
        (PINS.vacant, {"occupancy": Occupancy.OCCUPIED, "sensor_fault": True}),
        (PINS.automatic, {"manual_override": True}),
        (PINS.sealed, {"tamper": True}),
        (PINS.lowered, {"position": Position.UNKNOWN}),
    ],
)
def test_a_cut_wire_is_the_careful_answer(
    pins: MockFactory, tmp_path: Path, opened: int, says: dict[str, object]
) -> None:
    async def story() -> None:
        spot = Spot(pins, tmp_path)
        at_rest = spot.actuator.read()
        assert (at_rest.position, at_rest.occupancy) == (Position.LOWERED, Occupancy.VACANT)
        assert (at_rest.sensor_fault, at_rest.manual_override, at_rest.tamper) == (False, False, False)
        spot.open(opened)
        cut = spot.actuator.read()
        assert {name: getattr(cut, name) for name in says} == says

    run(story)


def test_two_end_switches_at_once_are_no_position(pins: MockFactory, tmp_path: Path) -> None:
    async def story() -> None:
        spot = Spot(pins, tmp_path)
        spot.close(PINS.raised)
        assert spot.actuator.read().position is Position.UNKNOWN

    run(story)


@pytest.mark.parametrize(("says", "percent"), [("87\n", 87), ("0", 0), ("140", 100), ("much", 0), (None, 0)])
def test_the_battery_is_read_from_the_file_of_the_kernel_and_silence_counts_as_empty(
    pins: MockFactory, tmp_path: Path, says: str | None, percent: int
) -> None:
    capacity = tmp_path / "capacity"
    if says is not None:
        capacity.write_text(says)
    few = Pins(17, 27, 22, 23, 24, 25, occupied=None, automatic=None, sealed=None, warning=None, battery=capacity)

    async def story() -> None:
        readings = GpioActuator(few).read()
        assert readings.battery_percent == percent
        assert (readings.sensor_fault, readings.manual_override, readings.tamper) == (False, False, False)

    run(story)


def test_a_motor_that_a_dead_process_has_left_running_can_be_switched_off(pins: MockFactory, tmp_path: Path) -> None:
    async def story() -> None:
        spot = Spot(pins, tmp_path)
        spot.actuator.start_raising()
        spot.actuator.warn()
        spot.actuator.stop()
        assert (spot.motor, spot.warns) == ("off", False)

    run(story)
