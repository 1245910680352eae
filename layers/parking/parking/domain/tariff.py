"""The terms of parking at a spot, and the shape of a price. Money is integers in minor units."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum

from parking.domain.time import Interval

_MINUTES_PER_HOUR = 60
_HOURS_PER_DAY = 24
_MIDNIGHT = time(0)


class Weekday(StrEnum):
    """In the order of the week."""

    MONDAY = "MONDAY"
    TUESDAY = "TUESDAY"
    WEDNESDAY = "WEDNESDAY"
    THURSDAY = "THURSDAY"
    FRIDAY = "FRIDAY"
    SATURDAY = "SATURDAY"
    SUNDAY = "SUNDAY"


_WEEK = tuple(Weekday)


@dataclass(frozen=True, slots=True)
class PriceLine:
    """One line of a quote or receipt."""

    text: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Quote:
    """What an interval costs, and under which version of the tariff that was said."""

    lines: tuple[PriceLine, ...]
    amount_minor: int
    currency: str
    tariff_version: int


@dataclass(frozen=True, slots=True)
class OverstayTerms:
    """What time after the end costs, by started steps, up to the cap. A reservation keeps the terms it was sold."""

    price_per_hour_minor: int
    cap_minor: int
    step_minutes: int

    def quote(self, overstay: Interval, currency: str, tariff_version: int) -> Quote:
        """The price of the time from the end of the stay until the car had left."""
        step = timedelta(minutes=self.step_minutes)
        steps = -(-overstay.duration // step)
        uncapped = rounded_minor(steps * self.step_minutes * self.price_per_hour_minor)
        amount = min(uncapped, self.cap_minor)
        text = f"Overstay, {spoken(steps * self.step_minutes)}{', capped' if amount < uncapped else ''}"
        return Quote((PriceLine(text, amount),), amount, currency, tariff_version)


@dataclass(frozen=True, slots=True)
class Band:
    """Hours of the week with a price of their own, as the wall clock at the spot shows them; the end does not belong.

    It begins on its weekdays. An end that is not after the start lies on the next day: 20:00-08:00 on a FRIDAY lasts
    until Saturday, 00:00-00:00 is the whole day.
    """

    name: str
    weekdays: frozenset[Weekday]
    start_time: time
    end_time: time
    price_per_hour_minor: int

    @property
    def label(self) -> str:
        """Its name and hours, as a price line says them."""
        if self.start_time == self.end_time == _MIDNIGHT:
            return self.name
        return f"{self.name}, {self.start_time:%H:%M}-{self.end_time:%H:%M}"

    def covers(self, weekday: Weekday, clock: time) -> bool:
        """True if the band applies on that weekday at that time of the day."""
        begins_today = weekday in self.weekdays
        if self.start_time < self.end_time:
            return begins_today and self.start_time <= clock < self.end_time
        began_yesterday = _WEEK[_WEEK.index(weekday) - 1] in self.weekdays
        return (begins_today and clock >= self.start_time) or (began_yesterday and clock < self.end_time)

    def overlaps(self, other: "Band") -> bool:
        """True if a minute of the week lies in both: then one of them starts while the other applies."""
        starts_in_other = any(other.covers(day, self.start_time) for day in self.weekdays)
        return starts_in_other or any(self.covers(day, other.start_time) for day in other.weekdays)


@dataclass(frozen=True, slots=True)
class Tariff:
    """Price per hour in minor units, charged by started steps; a stay lasts at least the minimum.

    A band has its own price in its hours; the cap is the most that the steps of one local day cost. An overstay costs
    twice the hour, and at most a day of it, unless the operator says otherwise. `domain/pricing.py` applies it.
    """

    price_per_hour_minor: int
    currency: str
    step_minutes: int = 15
    minimum_minutes: int = 15
    bands: tuple[Band, ...] = ()
    daily_cap_minor: int | None = None
    overstay_price_per_hour_minor: int | None = None
    overstay_cap_minor: int | None = None
    tax_included: bool = True
    version: int = 1

    @property
    def overstay(self) -> OverstayTerms:
        """What time after the end costs."""
        price, cap = self.overstay_price_per_hour_minor, self.overstay_cap_minor
        price = 2 * self.price_per_hour_minor if price is None else price
        return OverstayTerms(price, _HOURS_PER_DAY * price if cap is None else cap, self.step_minutes)

    @property
    def step(self) -> timedelta:
        """The shortest piece of time that is sold."""
        return timedelta(minutes=self.step_minutes)

    @property
    def minimum(self) -> timedelta:
        """The shortest stay."""
        return timedelta(minutes=self.minimum_minutes)

    def band_at(self, local: datetime) -> Band | None:
        """The first band that applies at a local time; None where the base price does."""
        weekday, clock = _WEEK[local.weekday()], local.time()
        return next((band for band in self.bands if band.covers(weekday, clock)), None)

    def price_in(self, band: Band | None) -> int:
        """The price of an hour in a band, or outside of all of them; in minor units."""
        return band.price_per_hour_minor if band else self.price_per_hour_minor


def rounded_minor(sixtieths: int) -> int:
    """Minutes times the price of an hour, in whole minor units: half a unit rounds up."""
    return (2 * sixtieths + _MINUTES_PER_HOUR) // (2 * _MINUTES_PER_HOUR)


def spoken(minutes: int) -> str:
    """A length of time as a price line says it: 2 h 30 min."""
    hours, rest = divmod(minutes, _MINUTES_PER_HOUR)
    return " ".join(part for part in (f"{hours} h" if hours else "", f"{rest} min" if rest else "") if part)
