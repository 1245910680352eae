"""The real hardware's driver on gpiozero's mock pins, under the whole program of a blocker, in virtual time."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from gpiozero import Device
from gpiozero.pins.mock import MockFactory

from parking_blocker.blocker import Blocker
from parking_blocker.clock import ServiceClock
from parking_blocker.config import Pins
from parking_blocker.connection import Endpoint, Identity
from parking_blocker.contract import Desired, Occupancy, Outcome, Position, Reason, Result, Shadow
from parking_blocker.gpio import LETS_GO_SECONDS_MAX, GpioActuator
from parking_blocker.machine import Limits
from parking_blocker.memory_file import MemoryFile
from tests.unit.virtual_time import run

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
LIMITS = Limits(vacant_seconds=2, warning_seconds=3)
PINS = Pins(
    motor_up=17,
    motor_down=27,
    raised=22,
    lowered=23,
    vacant=24,
    clear=25,
    occupied=16,
    automatic=5,
    sealed=6,
    warning=12,
    battery=None,
)
CLOSED_AT_REST = (PINS.lowered, PINS.vacant, PINS.clear, PINS.automatic, PINS.sealed)


@pytest.fixture(autouse=True)
def pins() -> Iterator[MockFactory]:
    factory = MockFactory()
    Device.pin_factory = factory
    yield factory
    factory.reset()
    Device.pin_factory = None


class Spot:
    """A lowered barrier over a vacant spot, and hands that open and close its contacts."""

    def __init__(self, factory: MockFactory, folder: Path, pins: Pins = PINS) -> None:
        self.pins = pins
        self._factory = factory
        loop = asyncio.get_running_loop()
        self.actuator = GpioActuator(pins, loop.time)
        for pin in CLOSED_AT_REST:
            self.close(pin)
        self.blocker = Blocker(
            Identity("blocker-1", folder / "b.crt", folder / "b.key"),
            Endpoint("localhost", 8883, folder / "ca.pem"),
            self.actuator,
            LIMITS,
            MemoryFile(folder / "last_command.json", "blocker-1"),
            ServiceClock(lambda: NOON, loop.time),
        )
        self._started_at = loop.time()
        self._version = 0

    def open(self, pin: int | None) -> None:
        self._pin(pin).drive_high()

    def close(self, pin: int | None) -> None:
        self._pin(pin).drive_low()

    async def car(self, *, present: bool) -> None:
        self.open(self.pins.vacant) if present else self.close(self.pins.vacant)
        self.close(self.pins.occupied) if present else self.open(self.pins.occupied)
        await asyncio.sleep(0)

    async def command(self, position: Position) -> None:
        """A command that the shadow holds; settled is the sensor already."""
        await asyncio.sleep(LIMITS.vacant_seconds)
        self._version += 1
        now = NOON + timedelta(seconds=asyncio.get_running_loop().time() - self._started_at)
        desired = Desired(position, f"c-{self._version}", "r-1", now + timedelta(minutes=1))
        self.blocker.on_shadow(Shadow(self._version, now, desired, None, None))

    async def rising(self) -> None:
        """A RAISE, the warning over, and the lower end switch left."""
        self.blocker.look()
        await self.command(Position.RAISED)
        assert (self.motor, self.warns) == ("off", True)
        await asyncio.sleep(LIMITS.warning_seconds + 0.1)
        assert (self.motor, self.warns) == ("up", True)
        self.open(self.pins.lowered)
        await asyncio.sleep(0.1)

    @property
    def motor(self) -> str:
        return {(0, 0): "off", (1, 0): "up", (0, 1): "down"}[
            (self._pin(self.pins.motor_up).state, self._pin(self.pins.motor_down).state)
        ]

    @property
    def warns(self) -> bool:
        return bool(self._pin(self.pins.warning).state)

    @property
    def outcome(self) -> Outcome | None:
        return self.blocker.machine.outcome

    def _pin(self, number: int | None) -> Any:
        return self._factory.pin(number)


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
        await asyncio.sleep(LETS_GO_SECONDS_MAX)
        assert spot.motor == "down"
        spot.close(PINS.clear)
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
