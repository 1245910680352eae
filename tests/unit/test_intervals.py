"""Intervals, and local days on the nights when the clock changes."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parking.domain.errors import InvalidField, InvariantBroken
from parking.domain.time import Interval, local_day

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
TALLINN = "Europe/Tallinn"


def hours(start: float, end: float) -> Interval:
    """An interval in hours from noon."""
    return Interval(NOON + timedelta(hours=start), NOON + timedelta(hours=end))


instants = st.integers(0, 10_000).map(lambda minutes: NOON + timedelta(minutes=minutes))
intervals = st.tuples(instants, st.integers(1, 5_000)).map(lambda p: Interval(p[0], p[0] + timedelta(minutes=p[1])))


@pytest.mark.parametrize("length_minutes", [0, -1])
def test_an_interval_that_is_empty_or_runs_backward_cannot_be_made(length_minutes: int) -> None:
    with pytest.raises(InvariantBroken):
        Interval(NOON, NOON + timedelta(minutes=length_minutes))


def test_an_interval_of_naive_times_cannot_be_made() -> None:
    naive = NOON.replace(tzinfo=None)
    with pytest.raises(InvariantBroken):
        Interval(naive, naive + timedelta(hours=1))


@pytest.mark.parametrize(
    ("one", "other", "overlap"),
    [
        (hours(0, 1), hours(1, 2), False),
        (hours(0, 1), hours(0.99, 2), True),
        (hours(0, 4), hours(1, 2), True),
        (hours(0, 1), hours(0, 1), True),
        (hours(0, 1), hours(3, 4), False),
    ],
)
def test_intervals_overlap_only_if_they_share_an_instant(one: Interval, other: Interval, overlap: bool) -> None:
    assert one.overlaps(other) is overlap
    assert other.overlaps(one) is overlap


@given(intervals, intervals)
def test_overlapping_means_that_some_start_lies_in_the_other(one: Interval, other: Interval) -> None:
    assert one.overlaps(other) == (one.contains(other.starts_at) or other.contains(one.starts_at))


def test_the_start_belongs_to_an_interval_and_the_end_does_not() -> None:
    assert hours(0, 1).contains(NOON)
    assert not hours(0, 1).contains(NOON + timedelta(hours=1))


@pytest.mark.parametrize(
    ("interval", "days"),
    [
        (hours(0, 12), [date(2026, 11, 23)]),  # midnight is the next day's
        (hours(0, 12.001), [date(2026, 11, 23), date(2026, 11, 24)]),
        (hours(-13, 37), [date(2026, 11, 22), date(2026, 11, 23), date(2026, 11, 24), date(2026, 11, 25)]),
    ],
)
def test_an_interval_touches_every_utc_day_that_it_has_an_instant_in(interval: Interval, days: list[date]) -> None:
    assert interval.utc_days() == days


@given(intervals)
def test_the_days_of_an_interval_are_exactly_those_that_overlap_it(interval: Interval) -> None:
    day_before = interval.starts_at.date() - timedelta(days=1)
    candidates = [day_before + timedelta(days=n) for n in range(interval.duration.days + 4)]
    assert interval.utc_days() == [day for day in candidates if local_day(day, "UTC").overlaps(interval)]


@pytest.mark.parametrize(
    ("time_zone", "day", "starts_at", "length_hours"),
    [
        (TALLINN, date(2026, 3, 28), "2026-03-27T22:00:00+00:00", 24),
        (TALLINN, date(2026, 3, 29), "2026-03-28T22:00:00+00:00", 23),
        (TALLINN, date(2026, 3, 30), "2026-03-29T21:00:00+00:00", 24),
        (TALLINN, date(2026, 10, 25), "2026-10-24T21:00:00+00:00", 25),
        (TALLINN, date(2026, 10, 26), "2026-10-25T22:00:00+00:00", 24),
        ("America/New_York", date(2026, 3, 8), "2026-03-08T05:00:00+00:00", 23),
        ("America/New_York", date(2026, 11, 1), "2026-11-01T04:00:00+00:00", 25),
        # by half an hour
        ("Australia/Lord_Howe", date(2026, 10, 4), "2026-10-03T13:30:00+00:00", 23.5),
        ("Australia/Lord_Howe", date(2026, 4, 5), "2026-04-04T13:00:00+00:00", 24.5),
        # at midnight: the day begins at 01:00, or has its first hour twice
        ("America/Havana", date(2026, 3, 8), "2026-03-08T05:00:00+00:00", 23),
        ("America/Havana", date(2026, 11, 1), "2026-11-01T04:00:00+00:00", 25),
        # Samoa left out 30 December 2011
        ("Pacific/Apia", date(2011, 12, 29), "2011-12-29T10:00:00+00:00", 24),
        ("Pacific/Apia", date(2011, 12, 31), "2011-12-30T10:00:00+00:00", 24),
    ],
)
def test_a_local_day_is_as_long_as_the_clock_at_the_spot_makes_it(
    time_zone: str, day: date, starts_at: str, length_hours: float
) -> None:
    local = local_day(day, time_zone)
    assert local.starts_at == datetime.fromisoformat(starts_at)
    assert local.duration == timedelta(hours=length_hours)


def test_a_day_that_the_zone_left_out_is_named_as_what_it_is() -> None:
    with pytest.raises(InvalidField, match="day: does not exist in the time zone of the spot"):
        local_day(date(2011, 12, 30), "Pacific/Apia")


@given(
    st.dates(date(2020, 1, 1), date(2035, 1, 1)),
    st.sampled_from([TALLINN, "UTC", "America/Havana", "Australia/Lord_Howe", "Africa/Cairo", "Pacific/Chatham"]),
)
def test_local_days_follow_each_other_without_a_gap_or_an_overlap(day: date, time_zone: str) -> None:
    today, tomorrow = local_day(day, time_zone), local_day(day + timedelta(days=1), time_zone)
    assert today.ends_at == tomorrow.starts_at
    assert timedelta(hours=23) <= today.duration <= timedelta(hours=25)
