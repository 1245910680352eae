"""The motor, the end switches and the sensors: what the program needs of them."""

from collections.abc import Callable
from typing import Protocol

from parking_blocker.machine import Readings


class Actuator(Protocol):
    """One blocker's hardware. All of it is called on, and calls back on, the event loop's thread."""

    def read(self) -> Readings:
        """What switches and sensors say now."""

    def start_raising(self) -> None:
        """Run the motor upwards until `stop`; returns at once."""

    def start_lowering(self) -> None:
        """Run the motor downwards until `stop`; returns at once."""

    def stop(self) -> None:
        """Stop the motor where it is, and the warning."""

    def warn(self) -> None:
        """Let light and sound warn that the motor will start; until `stop`, the motion included."""

    def watch(self, on_change: Callable[[], None], on_obstruction: Callable[[], None]) -> None:
        """Call `on_change` after readings changed and at each end of a motion, also when the motor started there.

        An end switch that is left changes the readings too.

        Call `on_obstruction` when the motor pushes against something.
        """
