"""One blocker on gpiozero's mock pins, and hands that open and close its contacts, in virtual time."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from gpiozero import Device
from gpiozero.pins.mock import MockFactory

from parking_blocker.blocker import Blocker
from parking_blocker.clock import ServiceClock
from parking_blocker.config import Pins
from parking_blocker.connection import Endpoint, Identity
from parking_blocker.contract import Desired, Outcome, Position, Result, Shadow
from parking_blocker.gpio import GpioActuator
from parking_blocker.machine import Limits
from parking_blocker.memory_file import MemoryFile

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
CLOSES, OPENS = 0, 1
CLOSED_AT_REST = (PINS.lowered, PINS.vacant, PINS.clear, PINS.automatic, PINS.sealed)


@contextmanager
def mock_pins() -> Iterator[MockFactory]:
    """Pins that exist in gpiozero only."""
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

    def tell_of_edge(self, pin: int, edge: int) -> None:
        """The edge arrives when the contact is back already."""
        self._pin(pin).when_changed(0, edge)

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

    async def standing(self) -> None:
        """RAISED, and settled."""
        await self.rising()
        self.close(self.pins.raised)
        await asyncio.sleep(1)
        assert (self.motor, self.outcome) == ("off", Outcome("c-1", Result.DONE))

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
