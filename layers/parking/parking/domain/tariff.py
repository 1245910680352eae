"""What a stay costs. Money is integers in minor units."""

from dataclasses import dataclass
from datetime import timedelta

from parking.domain.time import Interval

_MINUTES_PER_HOUR = 60
_HOURS_PER_DAY = 24


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
        uncapped = _rounded(steps * self.step_minutes * self.price_per_hour_minor)
        amount = min(uncapped, self.cap_minor)
        text = f"Overstay, {_spoken(steps * self.step_minutes)}{', capped' if amount < uncapped else ''}"
        return Quote((PriceLine(text, amount),), amount, currency, tariff_version)


@dataclass(frozen=True, slots=True)
class Tariff:
    """Price per hour in minor units, charged by started steps; a stay lasts at least the minimum.

    An overstay costs twice the hour, and at most a day of it, unless the operator says otherwise.
    """

    price_per_hour_minor: int
    currency: str
    step_minutes: int = 15
    minimum_minutes: int = 15
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

    def amount_minor(self, duration: timedelta) -> int:
        """The price of a duration: every started step counts; half a minor unit rounds up."""
        steps = -(-duration // self.step)
        return _rounded(steps * self.step_minutes * self.price_per_hour_minor)

    def quote(self, stay: Interval) -> Quote:
        """The price of a whole stay."""
        minutes = -(-stay.duration // self.step) * self.step_minutes
        return self._quote(f"Parking, {_spoken(minutes)}", self.amount_minor(stay.duration))

    def quote_extension(self, stay: Interval, longer: Interval) -> Quote:
        """What the longer stay costs more than the shorter one, so that extending is never dearer than booking."""
        amount = self.amount_minor(longer.duration) - self.amount_minor(stay.duration)
        extra_minutes = -(-(longer.ends_at - stay.ends_at) // timedelta(minutes=1))
        return self._quote(f"Extension, {_spoken(extra_minutes)}", amount)

    def _quote(self, text: str, amount_minor: int) -> Quote:
        return Quote((PriceLine(text, amount_minor),), amount_minor, self.currency, self.version)


def _rounded(minutes_times_hourly_minor: int) -> int:
    return (2 * minutes_times_hourly_minor + _MINUTES_PER_HOUR) // (2 * _MINUTES_PER_HOUR)


def _spoken(minutes: int) -> str:
    hours, rest = divmod(minutes, _MINUTES_PER_HOUR)
    return " ".join(part for part in (f"{hours} h" if hours else "", f"{rest} min" if rest else "") if part)
