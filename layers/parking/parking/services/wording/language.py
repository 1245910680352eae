"""How a notice's facts become words. What a language needs for that is few enough to be written down in its file.

The plural rules, months and numbers are those of the Unicode CLDR; a test compares them with it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from string import Formatter
from zoneinfo import ZoneInfo

from parking.domain.notification import Notification, NotificationKind

_MINUTES_PER_HOUR = 60


@dataclass(frozen=True, slots=True)
class Words:
    """What a person reads."""

    title: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """A language, and its words for every kind of notice.

    A placeholder names a fact and how it is said: `{spot_name}` as it is, `{amount:money}` in the notice's currency,
    `{ends_at:clock}` by the wall clock at the spot, `{overstay_minutes:duration}` as hours and minutes.
    """

    tag: str
    """BCP 47, lower case: the primary language, with more only where it is needed to tell two of ours apart."""
    notices: Mapping[NotificationKind, Words]
    decimal_separator: str
    group_separator: str
    months: tuple[str, ...]
    """As they stand in a date."""
    clock_of_another_day: str
    """With {clock}, {day} and {month}."""
    plural: Callable[[int], str]
    """The plural category of CLDR that a count belongs to."""
    hours: Mapping[str, str]
    """The word for so many hours, by plural category."""
    minutes: Mapping[str, str]

    def words(self, notification: Notification) -> Words:
        """What the notice says, true at the moment of its writing."""
        said, facts = self.notices[notification.kind], _Facts(self, notification)
        return Words(facts.filled(said.title), facts.filled(said.text))

    def money(self, amount_minor: int, currency: str) -> str:
        """An amount as a person reads it: 4.50 EUR. Every currency we sell in has two decimals."""
        whole, cents = divmod(amount_minor, 100)
        grouped = f"{whole:,}".replace(",", self.group_separator)
        return f"{grouped}{self.decimal_separator}{cents:02d} {currency}"

    def clock(self, instant: datetime, time_zone: str, now: datetime) -> str:
        """The wall clock at the spot: 17:30, with the day where that is not today's: 17:30 on 2 March."""
        zone = ZoneInfo(time_zone)
        local = instant.astimezone(zone)
        clock = f"{local:%H:%M}"
        if local.date() == now.astimezone(zone).date():
            return clock
        return self.clock_of_another_day.format(clock=clock, day=local.day, month=self.months[local.month - 1])

    def duration(self, minutes: int) -> str:
        """A length of time: 2 hours 30 minutes."""
        hours, rest = divmod(minutes, _MINUTES_PER_HOUR)
        parts = [f"{hours} {self.hours[self.plural(hours)]}"] if hours else []
        parts += [f"{rest} {self.minutes[self.plural(rest)]}"] if rest or not hours else []
        return " ".join(parts)


class _Facts(Formatter):
    """Fills the placeholders of one notice."""

    def __init__(self, language: Language, notification: Notification) -> None:
        self._language = language
        self._notification = notification

    def filled(self, template: str) -> str:
        """Raises KeyError for a fact that the notice does not state."""
        return self.vformat(template, (), self._notification.data)

    def format_field(self, value: str, format_spec: str) -> str:
        """The fact as it is said. Raises ValueError for a way of saying that there is not."""
        data = self._notification.data
        match format_spec:
            case "":
                return value
            case "money":
                return self._language.money(int(value), data["currency"])
            case "clock":
                said_at = self._notification.created_at
                return self._language.clock(datetime.fromisoformat(value), data["time_zone"], said_at)
            case "duration":
                return self._language.duration(int(value))
        raise ValueError(f"nothing is said like {format_spec}")
