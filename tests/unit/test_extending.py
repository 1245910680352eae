"""Extending a stay: held, paid, and never at a neighbour's cost."""

from datetime import timedelta

import pytest

from parking.domain.errors import (
    ExtensionUnavailable,
    HoldExpired,
    IdempotencyMismatch,
    InvalidField,
    WrongState,
)
from parking.domain.extending import MOST_EXTENSIONS
from parking.domain.pricing import quote_stay
from parking.domain.reservation import ExtensionStatus, Reservation, ReservationStatus
from parking.domain.time import Interval
from parking.services import bookings
from tests.unit.world import ANNA, BORIS, World, at

S = ReservationStatus


def leave(world: World, reservation: Reservation, now: float) -> Reservation:
    """The driver departs."""
    return bookings.leave(world.store, reservation.user_id, reservation.reservation_id, at(now))


def option(
    world: World, reservation: Reservation, ends: float | None = None, now: float = 70
) -> bookings.ExtensionOption:
    """What an extension could be."""
    ends_at = None if ends is None else at(ends)
    return bookings.extension_option(world.store, reservation.user_id, reservation.reservation_id, ends_at, at(now))


def test_a_stay_can_be_extended_until_a_turnover_before_the_next(world: World) -> None:
    stay = world.booked(ANNA, 60, 180)
    world.booked(BORIS, 250, 400)
    assert option(world, stay) == bookings.ExtensionOption(True, at(240), None)
    wanted = option(world, stay, 240)
    assert wanted.quote is not None
    assert (wanted.extendable, wanted.quote.amount_minor) == (True, 240)
    assert option(world, stay, 241) == bookings.ExtensionOption(False, at(240), None)


def test_an_extension_over_the_latest_end_says_until_when_and_claims_nothing(world: World) -> None:
    stay = world.booked(ANNA, 60, 180)
    world.booked(BORIS, 250, 400)
    with pytest.raises(ExtensionUnavailable) as refusal:
        world.extend(stay, 255)
    assert refusal.value.data == {"latest_ends_at": at(240)}
    assert world.claims()[0].stay.ends_at == at(180)
    assert world.stored(stay).extensions == ()


@pytest.mark.parametrize(("next_starts", "extendable"), [(190, False), (204, False), (205, True)])
def test_a_gap_shorter_than_a_step_is_no_extension(world: World, next_starts: int, extendable: bool) -> None:
    stay = world.booked(ANNA, 60, 180)
    world.booked(BORIS, next_starts, 400)
    assert option(world, stay).extendable is extendable


def test_a_stay_is_extended_by_a_day_at_most_and_lasts_a_week_at_most(world: World) -> None:
    assert option(world, world.booked(ANNA, 60, 180)).latest_ends_at == at(180 + 1440)
    week = world.booked(BORIS, 2000, 2000 + 7 * 1440 - 30, funds=50_000)
    assert option(world, week).latest_ends_at == at(2000 + 7 * 1440)


def test_a_stay_extended_as_often_as_it_can_be_is_said_to_be_so(world: World) -> None:
    stay = world.booked(ANNA)
    for number in range(MOST_EXTENSIONS):
        world.pay(stay, world.extend(stay, 195 + 15 * number, key=str(number), now=20), now=20)
    with pytest.raises(ExtensionUnavailable):
        world.extend(stay, 195 + 15 * MOST_EXTENSIONS, key="one more", now=20)
    assert not option(world, world.stored(stay)).extendable


@pytest.mark.parametrize("ends", [180, 170, 194])
def test_an_extension_lasts_at_least_a_step(world: World, ends: int) -> None:
    stay = world.booked(ANNA)
    with pytest.raises(InvalidField) as refusal:
        world.extend(stay, ends)
    assert refusal.value.field == "ends_at"
    with pytest.raises(InvalidField):
        option(world, stay, ends)


def test_a_held_extension_keeps_others_away_until_it_lapses(world: World) -> None:
    stay = world.booked(ANNA)
    extension = world.extend(stay, 240, now=70)
    assert extension.hold_expires_at == at(80)
    assert world.claims()[0].blocked == Interval(at(60), at(250))
    world.tick(80)
    assert world.claims()[0].blocked == Interval(at(60), at(190))
    assert "RESERVATION_EXPIRED" not in world.told()


def test_an_extensions_hold_ends_with_the_stay_at_the_latest(world: World) -> None:
    stay = world.active()
    assert world.extend(stay, 240, now=175).hold_expires_at == at(180)


def test_the_same_extension_twice_is_one_and_gets_the_first_answer(world: World) -> None:
    stay = world.booked(ANNA)
    first = world.extend(stay, 240)
    assert world.extend(stay, 240, now=72) == first
    world.pay(stay, first, now=72)
    assert world.extend(stay, 240, now=200) == first
    assert len(world.stored(stay).extensions) == 1
    with pytest.raises(IdempotencyMismatch):
        world.extend(stay, 300, fingerprint="another body")


def test_a_second_extension_waits_for_the_first_and_takes_over_when_that_lapsed(world: World) -> None:
    stay = world.booked(ANNA)
    world.extend(stay, 240, now=70)
    with pytest.raises(WrongState):
        world.extend(stay, 300, key="second", now=71)
    second = world.extend(stay, 210, key="second", now=80)
    assert [e.status for e in world.stored(stay).extensions] == [ExtensionStatus.EXPIRED, ExtensionStatus.HELD]
    assert world.claims()[0].stay.ends_at == second.ends_at == at(210)


def test_extensions_one_after_another_cost_what_one_stay_would(world: World) -> None:
    stay = world.booked(ANNA, 60, 180)
    for number, ends in enumerate((200, 237, 260)):
        world.pay(stay, world.extend(stay, ends, key=str(number)), now=71)
    whole = quote_stay(world.spot.tariff, Interval(at(60), at(260)), world.spot.time_zone)
    assert world.balance() == 10_000 - whole.amount_minor


def test_a_neighbour_who_books_during_the_extension_is_seen(world: World) -> None:
    stay = world.booked(ANNA, 60, 180)
    world.store.meanwhile(lambda: world.reserve(BORIS, 220, 300, now=70))
    with pytest.raises(ExtensionUnavailable) as refusal:
        world.extend(stay, 240)
    assert refusal.value.data == {"latest_ends_at": at(210)}


def test_an_extension_across_midnight_claims_both_days(world: World) -> None:
    stay = world.booked(ANNA, 800, 880)  # NOW is 09:00 UTC
    world.pay(stay, world.extend(stay, 960), now=71)
    days = world.store.calendar(world.spot.spot_id, [at(0).date() + timedelta(days=n) for n in (0, 1)]).days
    assert [len(day.claims) for day in days] == [1, 1]


def test_a_stay_that_ended_is_not_extended(world: World) -> None:
    stay = world.booked(ANNA)
    for now in (180, 300):
        with pytest.raises(WrongState):
            world.extend(stay, 400, now=now)
        with pytest.raises(WrongState):
            option(world, stay, now=now)


def test_paying_an_extension_while_departing_pays_nothing(world: World) -> None:
    stay = world.active()
    extension = world.extend(stay, 240, now=90)
    balance = world.balance()
    world.store.meanwhile(lambda: leave(world, stay, 91))
    with pytest.raises(HoldExpired):
        world.pay(stay, extension, now=91)
    assert world.balance() == balance
