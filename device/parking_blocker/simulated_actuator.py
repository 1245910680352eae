"""A barrier that exists in this process only: it takes its time, a car can come under it, and its parts can fail."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from parking_blocker.contract import Occupancy, Position
from parking_blocker.machine import Readings

JAM_IS_FELT_AFTER_SECONDS = 1.0


class SimulatedActuator:
    """See Actuator. `travel_seconds` is what the barrier takes from one end to the other.

    It outlives the blocker's program, as a barrier outlives a power cut: a new program watches it again.
    """

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
        self._sensor_stuck = False
        self._jammed = False
        self.car = False

    @property
    def rising(self) -> bool:
        """Whether the motor runs upwards."""
        return self._arrival is not None and self._direction > 0

    @property
    def sees(self) -> bool:
        """Whether the sensor says, in one way or another, that a car may be there."""
        return self._readings.occupancy is not Occupancy.VACANT or self._readings.sensor_fault

    def read(self) -> Readings:
        """See Actuator."""
        return self._readings

    def start_raising(self) -> None:
        """See Actuator."""
        self._start(1, self._travel_seconds - self._height_seconds, Position.RAISED)

    def start_lowering(self) -> None:
        """See Actuator."""
        self._start(-1, self._height_seconds, Position.LOWERED)

    def warn(self) -> None:
        """See Actuator: nobody stands in the simulated street."""

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

    # -- what can happen to it

    def meet_obstacle(self) -> None:
        """Let the motor push against something that the sensor does not see."""
        self._on_obstruction()

    def set_car(self, present: bool) -> None:
        """Drive a car onto the spot, or away from it. A sensor that is stuck goes on saying what it said."""
        self.car = present
        self._sense()

    def set_sensor_stuck(self, stuck: bool) -> None:
        """Let the sensor say for ever what it says now, or let it see again."""
        self._sensor_stuck = stuck
        self._sense()

    def set_sensor_fault(self, broken: bool) -> None:
        """Break the sensor in a way that it tells of."""
        self._change(replace(self._readings, sensor_fault=broken))

    def set_jammed(self, jammed: bool) -> None:
        """Put gravel into the hinge: a motion gets nowhere until the motor notices."""
        self._jammed = jammed

    def set_override(self, by_hand: bool) -> None:
        """Turn the key for work by hand."""
        self._change(replace(self._readings, manual_override=by_hand))

    def set_battery(self, percent: int) -> None:
        """Charge or drain the battery."""
        self._change(replace(self._readings, battery_percent=percent))

    def set_tamper(self, opened: bool) -> None:
        """Open or close the housing."""
        self._change(replace(self._readings, tamper=opened))

    def _sense(self) -> None:
        if not self._sensor_stuck:
            seen = Occupancy.OCCUPIED if self.car else Occupancy.VACANT
            self._change(replace(self._readings, occupancy=seen))

    def _start(self, direction: int, seconds: float, end: Position) -> None:
        loop = asyncio.get_running_loop()
        self._direction = 0 if self._jammed else direction
        self._started_at = loop.time()
        if self._jammed and seconds > 0:
            self._arrival = loop.call_later(JAM_IS_FELT_AFTER_SECONDS, self.meet_obstacle)
            return
        self._arrival = loop.call_later(seconds, self._arrive, end)
        if seconds > 0:
            self._readings = replace(self._readings, position=Position.UNKNOWN)
            loop.call_soon(self._on_change)

    def _arrive(self, end: Position) -> None:
        if end is Position.RAISED and self.car:
            # Whatever the sensor says: iron meets iron, and the motor feels it.
            self.meet_obstacle()
            return
        self._arrival = None
        self._height_seconds = self._travel_seconds if end is Position.RAISED else 0.0
        self._change(replace(self._readings, position=end))

    def _change(self, readings: Readings) -> None:
        self._readings = readings
        self._on_change()
