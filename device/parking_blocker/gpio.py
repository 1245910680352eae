"""The hardware of a real spot, on the pins of a single-board computer, through gpiozero.

Every input is a contact that is closed to ground when all is well: at an end switch, over a vacant spot, with nothing
in the way. A cut wire reads as an open contact, which is always the careful answer.

gpiozero calls back on threads of its own. What must not wait for the event loop happens there at once: the motor stops
at its end switch, before an obstacle, and under a car. What to do then is the state machine's decision, and it hears of
everything that has stopped its motor: also of a contact that is closed again before the event loop can look at it.
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
# An end switch that bounces is closed for good by then; one that is not has only flickered on the way.
END_SWITCH_SETTLES_SECONDS = 0.5


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
        self._monotonic = monotonic
        self._guard = threading.Lock()
        self._running_to: Position | None = None
        self._last_way: Position | None = None
        self._starts = 0  # what has stopped one motion must not be told of the next
        self._lets_go_until = 0.0
        # Seen since the state machine last looked, however short.
        self._car_seen = False
        self._hand_seen = False

    def read(self) -> Readings:
        """See Actuator. A car or a hand at the key that came and went since the last reading is in this one."""
        self._feel()
        with self._guard:
            car_seen, self._car_seen = self._car_seen, False
            hand_seen, self._hand_seen = self._hand_seen, False
        vacant = self._vacant.is_active and not car_seen
        return Readings(
            position=self._position(),
            occupancy=Occupancy.VACANT if vacant else Occupancy.OCCUPIED,
            battery_percent=100 if self._battery is None else _percent(self._battery),
            tamper=self._sealed is not None and not self._sealed.is_active,
            manual_override=hand_seen or self._worked_by_hand(),
            sensor_fault=self._contradicts_itself(),
        )

    def start_raising(self) -> None:
        """See Actuator. It looks first: what forbids to rise is told as if it had stopped the motor."""
        with self._guard:
            self._begin(Position.RAISED)
            if self._must_not_rise():
                self._halt()
            elif not self._clear.is_active:
                self._stop_at_obstacle()
            else:
                self._motor.forward()
        self._on_edge()

    def start_lowering(self) -> None:
        """See Actuator. A barrier that turns round on its way up may flee from something that it still presses against.

        That gets half a second to let go. Else nothing may be in the way.
        """
        turns_round = self._last_way is Position.RAISED and self._position() is not Position.RAISED
        with self._guard:
            self._begin(Position.LOWERED)
            if turns_round:
                self._lets_go_until = self._monotonic() + LETS_GO_SECONDS_MAX
                self._loop.call_later(LETS_GO_SECONDS_MAX, self._has_let_go, self._starts)
            if turns_round or self._clear.is_active:
                self._motor.backward()
            else:
                self._stop_at_obstacle()
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
        # By the edge and not by the level: the contact may be closed again when the thread comes to it.
        self._vacant.when_deactivated = self._on_car
        if self._occupied is not None:
            self._occupied.when_activated = self._on_car
        if self._automatic is not None:
            self._automatic.when_deactivated = self._on_hand
        self._clear.when_deactivated = self._on_obstacle

    # -- on gpiozero's threads

    def _on_car(self) -> None:
        """A contact of the sensor says that a car may be there."""
        with self._guard:
            self._car_seen = True
        self._on_edge()

    def _on_hand(self) -> None:
        """Somebody has turned the key for work by hand."""
        with self._guard:
            self._hand_seen = True
        self._on_edge()

    def _on_edge(self) -> None:
        """A contact has changed."""
        with self._guard:
            end = self._running_to
            if end is not None and self._position() is end:
                self._halt()
                self._loop.call_soon_threadsafe(self._look_when_settled, self._starts, end)
            elif end is Position.RAISED and self._must_not_rise():
                self._halt()
        self._loop.call_soon_threadsafe(self._on_change)

    def _on_obstacle(self) -> None:
        """The barrier presses against something."""
        with self._guard:
            if self._running_to is not None and self._monotonic() >= self._lets_go_until:
                self._stop_at_obstacle()

    # -- on the event loop's thread

    def _tell_obstruction(self, start: int) -> None:
        if start == self._starts:
            self._on_obstruction()

    def _has_let_go(self, start: int) -> None:
        """The time for it is over: what is pressed against now is in the way."""
        if start == self._starts:
            self._lets_go_until = 0.0
            self._feel()

    def _look_when_settled(self, start: int, end: Position) -> None:
        self._loop.call_later(END_SWITCH_SETTLES_SECONDS, self._has_settled, start, end)

    def _has_settled(self, start: int, end: Position) -> None:
        """A switch that has flickered on the way stopped a motor that is not there: the motion came to no end."""
        if self._position() is not end:
            self._tell_obstruction(start)

    def _feel(self) -> None:
        """The level of the contact: of an obstacle that has not let go, and of a lost edge, nobody else tells."""
        if not self._clear.is_active:
            self._on_obstacle()

    # -- on either, behind the guard

    def _begin(self, way: Position) -> None:
        self._starts += 1
        self._running_to = self._last_way = way
        self._lets_go_until = 0.0

    def _halt(self) -> None:
        self._motor.stop()
        self._running_to = None

    def _stop_at_obstacle(self) -> None:
        self._halt()
        self._loop.call_soon_threadsafe(self._tell_obstruction, self._starts)

    def _must_not_rise(self) -> bool:
        """What forbids it is kept until the state machine has read it."""
        self._car_seen |= not self._vacant.is_active or self._contradicts_itself()
        self._hand_seen |= self._worked_by_hand()
        return self._car_seen or self._hand_seen

    def _contradicts_itself(self) -> bool:
        """A sensor with two contacts always has one closed and one open."""
        return self._occupied is not None and self._occupied.is_active == self._vacant.is_active

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
