"""A spot's calendar: who has it when, and what is free."""

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from parking.domain.calendar import Calendar, CalendarDay, Claim
from parking.domain.errors import InvariantBroken, SpotUnavailable
from parking.domain.ids import ReservationId, SpotId, UserId
from parking.domain.time import Interval, local_day

MIDNIGHT = datetime(2026, 11, 23, tzinfo=UTC)
SPOT = SpotId("spot-a")
DAYS = 3


def calendar(*claims: Claim) -> Calendar:
    """Three days of the spot with these claims in it."""
    days = [CalendarDay(SPOT, MIDNIGHT.date() + timedelta(days=n)) for n in range(DAYS)]
    result = Calendar(SPOT, tuple(days))
    for claim in claims:
        result = result.with_claim(claim)
    return result


def claim(name: str, start_minutes: int, end_minutes: int, turnover_minutes: int = 10) -> Claim:
    """A claim from and to so many minutes after the first midnight."""
    return Claim.of(UserId(f"of-{name}"), ReservationId(name), span(start_minutes, end_minutes), turnover_minutes)


def span(start_minutes: int, end_minutes: int) -> Interval:
    """An interval in minutes after the first midnight."""
    return Interval(MIDNIGHT + timedelta(minutes=start_minutes), MIDNIGHT + timedelta(minutes=end_minutes))


claims = st.builds(
    lambda name, start, length, turnover: claim(name, start, start + length, turnover),
    st.sampled_from("abcdef"),
    st.integers(0, 60 * 24 * DAYS - 60 * 26),
    st.integers(1, 60 * 24),
    st.sampled_from([0, 10, 45]),
)


def booked(wishes: list[Claim]) -> Calendar:
    """The calendar after each of the wishes was tried."""
    result = calendar()
    for wish in wishes:
        with suppress(SpotUnavailable):
            result = result.with_claim(wish)
    return result


@pytest.mark.parametrize("turnover_minutes", [0, 10])
def test_neighbours_fit_exactly_at_the_turnover_distance(turnover_minutes: int) -> None:
    first = claim("a", 600, 660, turnover_minutes)
    after = claim("b", 660 + turnover_minutes, 700, turnover_minutes)
    before = claim("c", 500, 600 - turnover_minutes, turnover_minutes)
    assert calendar(first, after, before).claims == (before, first, after)


@pytest.mark.parametrize(
    "wanted",
    [
        claim("b", 669, 700),
        claim("b", 500, 591),
        claim("b", 600, 660),
        claim("b", 610, 620),
        claim("b", 500, 900),
    ],
    ids=["within the turnover after", "its own turnover reaches in", "the same", "inside", "around"],
)
def test_a_claim_that_overlaps_another_is_refused(wanted: Claim) -> None:
    taken = calendar(claim("a", 600, 660))
    assert [c.reservation_id for c in taken.conflicts(wanted)] == ["a"]
    with pytest.raises(SpotUnavailable):
        taken.with_claim(wanted)


def test_a_reservations_new_claim_takes_the_place_of_its_old_one() -> None:
    longer = claim("a", 600, 720)
    assert calendar(claim("a", 600, 660), longer) == calendar(longer)


def test_a_claim_that_moves_to_another_day_leaves_the_first_one() -> None:
    moved = calendar(claim("a", 600, 660), claim("a", 60 * 24 + 600, 60 * 24 + 660))
    assert [len(day.claims) for day in moved.days] == [0, 1, 0]


def test_a_claim_stands_in_every_utc_day_that_it_or_its_turnover_touches() -> None:
    to_midnight = calendar(claim("a", 600, 60 * 24, turnover_minutes=10))
    assert [len(day.claims) for day in to_midnight.days] == [1, 1, 0]
    to_midnight = calendar(claim("a", 600, 60 * 24, turnover_minutes=0))
    assert [len(day.claims) for day in to_midnight.days] == [1, 0, 0]
    three_days = calendar(claim("a", 600, 60 * 48 + 1))
    assert [len(day.claims) for day in three_days.days] == [1, 1, 1]
    assert len(three_days.claims) == 1


def test_a_calendar_without_a_day_of_the_claim_cannot_decide() -> None:
    first_day_only = Calendar(SPOT, calendar().days[:1])
    with pytest.raises(InvariantBroken):
        first_day_only.with_claim(claim("a", 600, 60 * 24))  # its turnover touches the next day


@given(st.lists(st.one_of(claims, st.sampled_from("abcdef")), max_size=25))
def test_no_sequence_of_claiming_and_giving_back_lets_two_blocked_intervals_overlap(steps: list[Claim | str]) -> None:
    current = calendar()
    expected = dict[str, Claim]()
    for step in steps:
        if isinstance(step, str):
            current = current.without(ReservationId(step))
            expected.pop(step, None)
            continue
        others = [c for c in expected.values() if c.reservation_id != step.reservation_id]
        if any(c.blocked.overlaps(step.blocked) for c in others):
            with pytest.raises(SpotUnavailable):
                current.with_claim(step)
        else:
            current = current.with_claim(step)
            expected[step.reservation_id] = step
    assert set(current.claims) == set(expected.values())
    for day in current.days:
        touching = {c.reservation_id for c in expected.values() if day.day in c.blocked.utc_days()}
        assert [c.reservation_id for c in day.claims] == sorted(touching, key=lambda name: expected[name].stay)


@given(st.lists(claims, max_size=12), claims)
def test_giving_a_claim_back_leaves_the_calendar_as_it_was(wishes: list[Claim], wanted: Claim) -> None:
    before = booked(wishes).without(wanted.reservation_id)
    if not before.conflicts(wanted):
        assert before.with_claim(wanted).without(wanted.reservation_id) == before


@given(st.lists(claims, max_size=8), claims)
def test_the_days_to_write_are_exactly_those_that_the_claim_changes(wishes: list[Claim], wanted: Claim) -> None:
    before = booked(wishes).without(wanted.reservation_id)
    if not before.conflicts(wanted):
        changed = before.with_claim(wanted).changed_from(before)
        assert [day.day for day in changed] == wanted.blocked.utc_days()
        assert before.changed_from(before) == ()


@given(
    st.lists(claims, max_size=8),
    st.integers(0, 60 * 40),
    st.integers(1, 60 * 24),
    st.sampled_from([0, 10, 45]),
    st.data(),
)
def test_what_is_free_is_exactly_what_could_be_booked(
    wishes: list[Claim], start: int, length: int, turnover_minutes: int, data: st.DataObject
) -> None:
    taken = booked(wishes)
    window = span(start, start + length)
    free = taken.free_within(window, turnover_minutes)
    assert all(window.starts_at <= gap.starts_at and gap.ends_at <= window.ends_at for gap in free)
    assert all(one.ends_at < other.starts_at for one, other in pairwise(free))
    from_minute = data.draw(st.integers(start, start + length - 1))
    to_minute = data.draw(st.integers(from_minute + 1, start + length))
    wish = claim("new", from_minute, to_minute, turnover_minutes)
    fits = any(gap.starts_at <= wish.stay.starts_at and wish.stay.ends_at <= gap.ends_at for gap in free)
    assert fits is not bool(taken.conflicts(wish))


@given(st.lists(claims, max_size=8), claims, st.sampled_from([0, 10, 45]))
def test_a_neighbour_at_the_turnover_distance_fits_and_one_a_microsecond_nearer_never(
    wishes: list[Claim], taken: Claim, turnover_minutes: int
) -> None:
    only = booked(wishes).without(taken.reservation_id)
    assume(taken.stay.starts_at >= MIDNIGHT + timedelta(hours=1) and not only.conflicts(taken))
    current = only.with_claim(taken)
    others = [one for one in current.claims if one.reservation_id != taken.reservation_id]
    turnover, short = timedelta(minutes=turnover_minutes), timedelta(microseconds=1)

    def fits(starts_at: datetime, ends_at: datetime) -> bool:
        """Beside the taken one; what others have in the way is left out."""
        wanted = Claim.of(UserId("of-new"), ReservationId("new"), Interval(starts_at, ends_at), turnover_minutes)
        in_the_way = {one.reservation_id for one in others}
        return all(one.reservation_id in in_the_way for one in current.conflicts(wanted))

    after, before = taken.blocked_until, taken.stay.starts_at - turnover
    minute = timedelta(minutes=1)
    assert fits(after, after + minute)
    assert not fits(after - short, after + minute)
    assert fits(before - minute, before)
    assert not fits(before - minute, before + short)


@given(st.integers(0, 60 * 24 * DAYS - 60 * 26), st.integers(1, 60 * 24), st.sampled_from([0, 10, 45]))
def test_the_days_of_a_claim_cut_at_midnight_are_the_claim_again(start: int, length: int, turnover: int) -> None:
    taken = claim("a", start, start + length, turnover)
    parts = [
        (max(taken.blocked.starts_at, day.starts_at), min(taken.blocked.ends_at, day.ends_at))
        for day in (local_day(one.day, "UTC") for one in calendar(taken).days if one.claims)
    ]
    assert (parts[0][0], parts[-1][1]) == (taken.blocked.starts_at, taken.blocked.ends_at)
    assert all(one[1] == other[0] for one, other in pairwise(parts))
    assert all(starts_at < ends_at for starts_at, ends_at in parts)


def test_free_time_ends_a_turnover_before_the_next_claim_and_begins_a_turnover_after_the_last() -> None:
    taken = calendar(claim("a", 600, 660), claim("b", 720, 780))
    assert taken.free_within(span(540, 900), 10) == [span(540, 590), span(670, 710), span(790, 900)]


def test_a_gap_that_the_turnover_fills_is_not_free() -> None:
    taken = calendar(claim("a", 600, 660), claim("b", 675, 780))
    assert taken.free_within(span(660, 700), 10) == []


def test_the_next_start_is_another_reservations_at_or_after_the_instant() -> None:
    taken = calendar(claim("a", 600, 660), claim("b", 670, 700), claim("c", 800, 900))
    at = MIDNIGHT + timedelta(minutes=670)
    assert taken.next_start_after(at, but=ReservationId("a")) == at
    assert taken.next_start_after(at, but=ReservationId("b")) == MIDNIGHT + timedelta(minutes=800)
    assert taken.next_start_after(at + timedelta(hours=9), but=ReservationId("a")) is None


def test_a_day_is_addressed_by_spot_and_date() -> None:
    assert CalendarDay(SPOT, date(2026, 11, 3)).key == ("spot-a", "2026-11-03")
