"""What holds for every tariff, every stay, in every time zone and over every change of the clock."""

from collections import defaultdict
from datetime import date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from hypothesis import assume, given
from hypothesis import strategies as st

from parking.domain.pricing import quote_extension, quote_stay
from parking.domain.tariff import Tariff, Weekday
from parking.domain.time import Interval, local_day
from tests.unit.tariffs import LENGTHS_S, STARTS, TARIFFS, ZONES, lasting

ZONE = st.sampled_from(ZONES)
HALF = Fraction(1, 2)


def _price_minor(tariff: Tariff, sold: Interval, time_zone: str) -> int:
    return quote_stay(tariff, sold, time_zone).amount_minor


def _exact_by_day(tariff: Tariff, sold: Interval, time_zone: str) -> dict[date, Fraction]:
    """The rules once more: each started step at the price of its first minute, and each local day up to the cap."""
    by_day = defaultdict[date, Fraction](Fraction)
    starts_at = sold.starts_at
    while starts_at < sold.ends_at:
        # The wall clock by its distance from UTC, not by a conversion.
        wall = starts_at.replace(tzinfo=None) + (starts_at.astimezone(ZoneInfo(time_zone)).utcoffset() or timedelta(0))
        by_day[wall.date()] += Fraction(tariff.step_minutes * _hour_minor(tariff, wall), 60)
        starts_at += timedelta(minutes=tariff.step_minutes)
    cap = tariff.daily_cap_minor
    return {day: price if cap is None else min(price, Fraction(cap)) for day, price in by_day.items()}


def _hour_minor(tariff: Tariff, wall: datetime) -> int:
    """The price of an hour: of the first band one of whose evenings of the last two days holds this minute."""
    for band in tariff.bands:
        for opened in (wall.date(), wall.date() - timedelta(days=1)):
            opens = datetime.combine(opened, band.start_time)
            closes = datetime.combine(opened, band.end_time)
            closes += timedelta(days=1) if closes <= opens else timedelta(0)
            if list(Weekday)[opened.weekday()] in band.weekdays and opens <= wall < closes:
                return band.price_per_hour_minor
    return tariff.price_per_hour_minor


@given(TARIFFS, STARTS, LENGTHS_S, ZONE)
def test_the_price_is_that_of_every_started_step_rounded_once_half_up(
    tariff: Tariff, starts_at: datetime, seconds: int, time_zone: str
) -> None:
    sold = lasting(starts_at, seconds)
    exact = sum(_exact_by_day(tariff, sold, time_zone).values(), Fraction(0))
    assert -HALF < _price_minor(tariff, sold, time_zone) - exact <= HALF


@given(TARIFFS, STARTS, LENGTHS_S, LENGTHS_S, ZONE)
def test_a_price_is_never_negative_and_a_longer_stay_never_cheaper(
    tariff: Tariff, starts_at: datetime, seconds: int, more: int, time_zone: str
) -> None:
    shorter = _price_minor(tariff, lasting(starts_at, seconds), time_zone)
    assert 0 <= shorter <= _price_minor(tariff, lasting(starts_at, seconds + more), time_zone)


@given(TARIFFS, STARTS, LENGTHS_S, LENGTHS_S, LENGTHS_S, ZONE)
def test_extending_in_parts_costs_what_booking_the_whole_would(
    tariff: Tariff, starts_at: datetime, first: int, second: int, third: int, time_zone: str
) -> None:
    booked, longer, longest = (
        lasting(starts_at, seconds) for seconds in (first, first + second, first + second + third)
    )
    parts = [
        quote_stay(tariff, booked, time_zone),
        quote_extension(tariff, booked, longer, time_zone),
        quote_extension(tariff, longer, longest, time_zone),
    ]
    assert sum(part.amount_minor for part in parts) == _price_minor(tariff, longest, time_zone)
    assert all(part.amount_minor >= 0 for part in parts)


@given(TARIFFS, STARTS, LENGTHS_S, LENGTHS_S, ZONE)
def test_the_lines_add_up_to_the_amount_and_name_currency_and_version(
    tariff: Tariff, starts_at: datetime, seconds: int, more: int, time_zone: str
) -> None:
    sold, longer = lasting(starts_at, seconds), lasting(starts_at, seconds + more)
    for quote in (quote_stay(tariff, sold, time_zone), quote_extension(tariff, sold, longer, time_zone)):
        assert sum(line.amount_minor for line in quote.lines) == quote.amount_minor
        assert (quote.currency, quote.tariff_version) == (tariff.currency, tariff.version)
        assert all("Daily cap" in line.text for line in quote.lines if line.amount_minor < 0)


@given(TARIFFS, STARTS, ZONE, st.data())
def test_a_local_day_never_costs_more_than_its_cap(
    tariff: Tariff, starts_at: datetime, time_zone: str, data: st.DataObject
) -> None:
    assume(tariff.daily_cap_minor is not None)
    day = local_day(starts_at.astimezone(ZoneInfo(time_zone)).date(), time_zone)
    starts = data.draw(st.integers(0, int(day.duration.total_seconds()) - 1))
    ends = data.draw(st.integers(starts + 1, int(day.duration.total_seconds())))
    sold = Interval(day.starts_at + timedelta(seconds=starts), day.starts_at + timedelta(seconds=ends))
    assert _price_minor(tariff, sold, time_zone) <= (tariff.daily_cap_minor or 0)
    until_later = lasting(starts_at, 3 * 86_400)
    days = len(_exact_by_day(tariff, until_later, time_zone))
    assert _price_minor(tariff, until_later, time_zone) <= days * (tariff.daily_cap_minor or 0)


@given(TARIFFS, STARTS, LENGTHS_S, st.sampled_from(["UTC", "Asia/Kolkata"]))
def test_where_no_clock_changes_the_same_stay_costs_the_same_each_week(
    tariff: Tariff, starts_at: datetime, seconds: int, time_zone: str
) -> None:
    this_week, next_week = lasting(starts_at, seconds), lasting(starts_at + timedelta(days=7), seconds)
    assert _price_minor(tariff, this_week, time_zone) == _price_minor(tariff, next_week, time_zone)
