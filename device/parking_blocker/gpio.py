"""The hardware of a real spot, on the pins of a single-board computer, through gpiozero.

Every input is a contact that is closed to ground when all is well: at an end switch, over a vacant spot, with nothing
in the way. A cut wire reads as an open contact, which is always the careful answer.

gpiozero calls back on threads of its own. What must not wait for the event loop happens there at once: the motor stops
at its end switch, before an obstacle, and under a car. What to do then is the state machine's decision.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from pathlib import Path

from gpiozero import DigitalInputDevice, DigitalOutputDevice, Motor

from parking_blocker.config import Pins
from parking_blocker.contract import Occupancy, Position
from parking_blocker.machine import Readings

# A barrier that turns away from an obstacle lets go of it with a few bounces of the contact.
LETS_GO_SECONDS_MAX = 0.5


class GpioActuator:
    """See parking_blocker.actuator.Actuator."""

    def __init__(self, pins: Pins, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._motor = Motor(forward=pins.motor_up, backward=pins.motor_down, pwm=False)
        self._warning = None if pins.warning is None else DigitalOutputDevice(pins.warning)
        self._raised = _contact(pins.raised)
        self._lowered = _contact(pins.lowered)
        self._vacant = _contact(pins.vacant)
        self._clear = _contact(pins.clear)
        self._occupied = None if pins.occupied is None else _contact(pins.occupied)
        self._automatic = None if pins.automatic is None else _contact(pins.automatic)
        self._sealed = None if pins.sealed is None else _contact(pins.sealed)
        self._battery = pins.battery
        self._on_change: Callable[[], None] = lambda: None
        self._on_obstruction: Callable[[], None] = lambda: None
        self._loop = asyncio.get_running_loop()
        self._guard = threading.Lock()
        self._running_to: Position | None = None
        self._monotonic = monotonic
        self._lets_go_until = 0.0

    def read(self) -> Readings:
        """See Actuator."""
        return Readings(
            position=self._position(),
            occupancy=Occupancy.VACANT if self._vacant.is_active else Occupancy.OCCUPIED,
            battery_percent=100 if self._battery is None else _percent(self._battery),
            tamper=self._sealed is not None and not self._sealed.is_active,
            manual_override=self._worked_by_hand(),
            # A sensor with two contacts always has one closed and one open.
            sensor_fault=self._occupied is not None and self._occupied.is_active == self._vacant.is_active,
        )

    def start_raising(self) -> None:
        """See Actuator."""
        with self._guard:
            self._running_to = Position.RAISED
            self._motor.forward()
        self._on_edge()
        if not self._clear.is_active:
            self._on_obstacle()

    def start_lowering(self) -> None:
        """See Actuator. An obstacle that is felt already is what the barrier flees from: only a new one stops it."""
        with self._guard:
            self._running_to = Position.LOWERED
            self._lets_go_until = self._monotonic() + LETS_GO_SECONDS_MAX
            self._motor.backward()
        self._on_edge()

    def warn(self) -> None:
        """See Actuator."""
        if self._warning is not None:
            self._warning.on()

    def stop(self) -> None:
        """See Actuator."""
        with self._guard:
            self._halt()
        if self._warning is not None:
            self._warning.off()

    def watch(self, on_change: Callable[[], None], on_obstruction: Callable[[], None]) -> None:
        """See Actuator."""
        self._on_change, self._on_obstruction = on_change, on_obstruction
        contacts = (self._raised, self._lowered, self._vacant, self._occupied, self._automatic, self._sealed)
        for contact in contacts:
            if contact is not None:
                contact.when_activated = contact.when_deactivated = self._on_edge
        self._clear.when_deactivated = self._on_obstacle

    def _on_edge(self) -> None:
        """On gpiozero's thread: a contact has changed."""
        with self._guard:
            if self._has_arrived() or (self._running_to is Position.RAISED and self._must_not_rise()):
                self._halt()
        self._loop.call_soon_threadsafe(self._on_change)

    def _on_obstacle(self) -> None:
        """On gpiozero's thread: the barrier presses against something."""
        with self._guard:
            if self._running_to is Position.LOWERED and self._monotonic() < self._lets_go_until:
                return
            self._halt()
        self._loop.call_soon_threadsafe(self._on_obstruction)

    def _halt(self) -> None:
        self._motor.stop()
        self._running_to = None

    def _has_arrived(self) -> bool:
        return self._running_to is not None and self._position() is self._running_to

    def _must_not_rise(self) -> bool:
        return not self._vacant.is_active or self._worked_by_hand()

    def _worked_by_hand(self) -> bool:
        return self._automatic is not None and not self._automatic.is_active

    def _position(self) -> Position:
        """Neither, or both at once (a short circuit), is no position."""
        if self._raised.is_active == self._lowered.is_active:
            return Position.UNKNOWN
        return Position.RAISED if self._raised.is_active else Position.LOWERED


def _contact(pin: int) -> DigitalInputDevice:
    return DigitalInputDevice(pin, pull_up=True)


def _percent(capacity: Path) -> int:
    """What the kernel's power supply class says; a battery that says nothing counts as empty."""
    try:
        return min(max(int(capacity.read_text()), 0), 100)
    except (OSError, ValueError):
        return 0
