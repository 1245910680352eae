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
from parking_blocker.gpio import END_SWITCH_SETTLES_SECONDS, LETS_GO_SECONDS_MAX, GpioActuator
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

    def lose_edges(self, pin: int) -> None:
        """The contact still moves, and nobody is called."""
        self._pin(pin).when_changed = None

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


async def standing(spot: Spot) -> None:
    """RAISED, and settled."""
    await spot.rising()
    spot.close(PINS.raised)
    await asyncio.sleep(1)
    assert (spot.motor, spot.outcome) == ("off", Outcome("c-1", Result.DONE))


@pytest.mark.parametrize("seconds", [0.1, LETS_GO_SECONDS_MAX + 0.1])
def test_an_obstacle_stops_a_lower_at_any_time_of_its_way(pins: MockFactory, tmp_path: Path, seconds: float) -> None:
    async def story() -> None:
        spot = Spot(pins, tmp_path)
        await standing(spot)
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
        await standing(spot)
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
