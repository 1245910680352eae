"""Instants, half-open intervals and the days that they touch. Every instant is an aware UTC datetime."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from parking.domain.errors import InvalidField, InvariantBroken


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """Half-open: `starts_at` belongs to it, `ends_at` does not."""

    starts_at: datetime
    ends_at: datetime

    def __post_init__(self) -> None:
        """Refuses an empty or backward interval and naive times."""
        if self.starts_at.tzinfo is None or self.ends_at.tzinfo is None or self.starts_at >= self.ends_at:
            raise InvariantBroken(f"not an interval: [{self.starts_at}, {self.ends_at})")

    @property
    def duration(self) -> timedelta:
        """How long it lasts."""
        return self.ends_at - self.starts_at

    def overlaps(self, other: "Interval") -> bool:
        """True if the two share an instant."""
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at

    def contains(self, instant: datetime) -> bool:
        """True if the instant lies in it."""
        return self.starts_at <= instant < self.ends_at

    def utc_days(self) -> list[date]:
        """Every UTC day that it touches, in order."""
        last = (self.ends_at - timedelta(microseconds=1)).astimezone(UTC).date()
        first = self.starts_at.astimezone(UTC).date()
        return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def local_day(day: date, time_zone: str) -> Interval:
    """The UTC interval of one local calendar day: 23 or 25 hours long when the clock changes.

    Raises InvalidField for a day that the zone left out, as Samoa did when it crossed the date line.
    """
    zone = ZoneInfo(time_zone)
    following = day + timedelta(days=1)
    start, end = (datetime(one.year, one.month, one.day, tzinfo=zone).astimezone(UTC) for one in (day, following))
    if start >= end:
        raise InvalidField("day", "does not exist in the time zone of the spot")
    return Interval(start, end)
