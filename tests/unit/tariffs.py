"""Tariffs and stays for the tests of prices."""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from parking.domain.pricing import quote_stay
from parking.domain.tariff import Band, Tariff, Weekday
from parking.domain.time import Interval

BERLIN = "Europe/Berlin"
ZONES = (BERLIN, "Europe/Tallinn", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia")
EVERY_DAY = frozenset(Weekday)

STEPS = st.sampled_from([1, 5, 7, 10, 15, 20, 30, 45, 60, 120, 1440])
HOURS_MINOR = st.integers(0, 10_000)
CLOCK_TIMES = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 59]))
PLAIN = st.builds(Tariff, price_per_hour_minor=st.integers(1, 100_000), currency=st.just("EUR"), step_minutes=STEPS)
BANDS = st.builds(
    Band,
    name=st.sampled_from(["Day", "Night", "Weekend"]),
    weekdays=st.frozensets(st.sampled_from(Weekday), min_size=1),
    start_time=CLOCK_TIMES,
    end_time=CLOCK_TIMES,
    price_per_hour_minor=HOURS_MINOR,
)
TARIFFS = st.builds(
    Tariff,
    price_per_hour_minor=HOURS_MINOR,
    currency=st.just("EUR"),
    step_minutes=STEPS,
    bands=st.lists(BANDS, max_size=3).map(tuple),
    daily_cap_minor=st.none() | st.integers(1, 50_000),
    version=st.integers(1, 99),
)

CLOCK_CHANGES = tuple(
    datetime(2026, month, day, tzinfo=UTC) for month, day in [(3, 8), (3, 29), (4, 5), (10, 4), (10, 25), (11, 1)]
)
"""The days of 2026 on which a clock of ZONES is put forward or back."""
STARTS: SearchStrategy[datetime] = st.builds(
    lambda day, seconds: day + timedelta(seconds=seconds),
    st.sampled_from(CLOCK_CHANGES),
    st.integers(-3 * 86_400, 3 * 86_400),
)
LENGTHS_S = st.integers(1, 3 * 86_400)


def band(name: str, hours: str, price_per_hour_minor: int, *weekdays: Weekday) -> Band:
    """A band from its hours, as 08:00-20:00; every day of the week unless some are named."""
    start, end = (time.fromisoformat(one) for one in hours.split("-"))
    return Band(name, frozenset(weekdays) or EVERY_DAY, start, end, price_per_hour_minor)


def a_tariff(price_per_hour_minor: int = 200, **over: Any) -> Tariff:
    """2.00 EUR an hour by started quarters."""
    return Tariff(price_per_hour_minor=price_per_hour_minor, currency="EUR", **over)


def local(clock: str, time_zone: str) -> datetime:
    """A time on the wall clock, in UTC: "2026-10-25 03:30"; with " again" the second time that the clock shows it."""
    shown = datetime.fromisoformat(clock.removesuffix(" again")).replace(fold=int(clock.endswith(" again")))
    return shown.replace(tzinfo=ZoneInfo(time_zone)).astimezone(UTC)


def stay(starts: str, ends: str, time_zone: str = BERLIN) -> Interval:
    """A stay from and to two times on the wall clock."""
    return Interval(local(starts, time_zone), local(ends, time_zone))


def lasting(starts_at: datetime, seconds: float) -> Interval:
    """A stay of so many seconds."""
    return Interval(starts_at, starts_at + timedelta(seconds=seconds))


def lines(tariff: Tariff, sold: Interval, time_zone: str = BERLIN) -> list[tuple[str, int]]:
    """The lines of a stay's price."""
    return [(line.text, line.amount_minor) for line in quote_stay(tariff, sold, time_zone).lines]
