"""How a blocker is: the words for it, and what is kept on the blocker about it. domain/watching.py has the rules."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Health(StrEnum):
    """Whether the blocker can be relied on to answer."""

    ONLINE = "ONLINE"
    SUSPECT = "SUSPECT"
    """Connected, and it says nothing or leaves commands unanswered."""
    OFFLINE = "OFFLINE"
    MISSING = "MISSING"
    """Nothing was heard of it for a day, or ever."""


class Condition(StrEnum):
    """What is wrong with the machine by its own reports. Several may be."""

    LOW_BATTERY = "LOW_BATTERY"
    TAMPER = "TAMPER"
    LEFT_OPEN = "LEFT_OPEN"
    """Down over a vacant spot that it is to keep."""
    JAMMED = "JAMMED"
    SENSOR_FAULT = "SENSOR_FAULT"


@dataclass(frozen=True, slots=True)
class Symptom:
    """The sign of a condition, and since when it is there: what passes soon is no condition yet."""

    condition: Condition
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What operators were told of a blocker's health, and what is seen since."""

    health: Health = Health.MISSING
    conditions: frozenset[Condition] = frozenset()
    told_at: datetime | None = None
    """When operators were last told something new."""
    symptoms: tuple[Symptom, ...] = ()
    due_at: datetime | None = None
    """When to look again, because something is to be told or time alone may change it; None: it has to speak first."""


NEVER_SEEN = Watch()
