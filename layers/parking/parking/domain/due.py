"""The next timed step of an item: what a schedule does with it, and when."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Step(StrEnum):
    """SETTLE is a payment's step, WATCH a blocker's, ERASE a closed account's; the others are a reservation's."""

    RELEASE_HOLD = "RELEASE_HOLD"
    GUARD = "GUARD"
    TELL_END = "TELL_END"
    FINISH = "FINISH"
    SETTLE = "SETTLE"
    WATCH = "WATCH"
    ERASE = "ERASE"


@dataclass(frozen=True, slots=True, order=True)
class Due:
    """The next timed step of an item."""

    at: datetime
    step: Step
