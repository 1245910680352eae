"""The motor, the end switches and the occupancy sensor: what the program needs of them, and a simulated set."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from parking_blocker.contract import Occupancy, Position
from parking_blocker.controller import Readings


class Actuator(Protocol):
    """One blocker's hardware. All of it is called on, and calls back on, the event loop's thread."""

    def read(self) -> Readings:
        """What switches and sensors say now."""

    def start_raising(self) -> None:
        """Run the motor upwards until `stop`; returns at once."""

    def start_lowering(self) -> None:
        """Run the motor downwards until `stop`; returns at once."""

    def stop(self) -> None:
        """Stop the motor where it is."""

    def watch(self, on_change: Callable[[], None], on_obstruction: Callable[[], None]) -> None:
        """Call `on_change` after readings changed and at each end of a motion, also when the motor started there.

        Call `on_obstruction` when the motor pushes against something.
        """


class SimulatedActuator:
    """A barrier that takes `travel_seconds` from one end to the other, and a car that can be put under it."""

    def __init__(self, travel_seconds: float) -> None:
        self._travel_seconds = travel_seconds
        self._readings = Readings(Position.LOWERED, Occupancy.VACANT)
        self._on_change: Callable[[], None] = lambda: None
        self._on_obstruction: Callable[[], None] = lambda: None
        # Seconds of motor time above the lower end when the motor last stopped.
        self._height_seconds = 0.0
        self._direction = 0
        self._started_at = 0.0
        self._arrival: asyncio.TimerHandle | None = None

    def read(self) -> Readings:
        """See Actuator."""
        return self._readings

    def start_raising(self) -> None:
        """See Actuator."""
        self._start(1, self._travel_seconds - self._height_seconds, Position.RAISED)

    def start_lowering(self) -> None:
        """See Actuator."""
        self._start(-1, self._height_seconds, Position.LOWERED)

    def stop(self) -> None:
        """See Actuator."""
        if self._arrival is None:
            return
        self._arrival.cancel()
        self._arrival = None
        moved_seconds = self._direction * (asyncio.get_running_loop().time() - self._started_at)
        self._height_seconds = min(max(self._height_seconds + moved_seconds, 0.0), self._travel_seconds)

    def watch(self, on_change: Callable[[], None], on_obstruction: Callable[[], None]) -> None:
        """See Actuator."""
        self._on_change = on_change
        self._on_obstruction = on_obstruction

    def meet_obstacle(self) -> None:
        """Let the motor push against something that the sensor does not see."""
        self._on_obstruction()

    def set_car(self, present: bool) -> None:
        """Drive a car onto the spot, or away from it."""
        self._change(replace(self._readings, occupancy=Occupancy.OCCUPIED if present else Occupancy.VACANT))

    def _start(self, direction: int, seconds: float, end: Position) -> None:
        loop = asyncio.get_running_loop()
        self._direction = direction
        self._started_at = loop.time()
        self._arrival = loop.call_later(seconds, self._arrive, end)
        if seconds > 0:
            self._readings = replace(self._readings, position=Position.UNKNOWN)

    def _arrive(self, end: Position) -> None:
        self._arrival = None
        self._height_seconds = self._travel_seconds if end is Position.RAISED else 0.0
        self._change(replace(self._readings, position=end))

    def _change(self, readings: Readings) -> None:
        self._readings = readings
        self._on_change()
