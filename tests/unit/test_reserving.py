"""Reserving: one interval, one driver, one answer."""

from dataclasses import replace
from datetime import timedelta

import pytest

from parking.domain.blocker import Connectivity
from parking.domain.errors import (
    BlockerUnavailable,
    IdempotencyMismatch,
    InvalidField,
    NotFound,
    PriceChanged,
    SpotUnavailable,
)
from parking.domain.ids import SpotId
from parking.domain.reservation import EndReason, Reservation, ReservationStatus
from parking.domain.spot import ServiceState
from parking.services import bookings
from parking.services.ports import Busy
from tests.builders import NOW
from tests.unit.world import ANNA, BORIS, World, at

S = ReservationStatus


def _everything(world: World) -> tuple[object, ...]:
    """All that a refused reservation must leave as it was."""
    reservations = [world.store.page(Reservation, user, limit=100).items for user in (ANNA, BORIS)]
    return (*reservations, world.inbox(ANNA), world.inbox(BORIS), world.claims())


def test_a_held_spot_is_claimed_for_ten_minutes_at_the_price_of_now(world: World) -> None:
    held = world.reserve(ANNA, 60, 180, vehicle_plate="123 ABC", quoted_amount_minor=480)
    assert (held.status, held.hold_expires_at, held.quote.amount_minor) == (S.HELD, at(10), 480)
    assert (held.starts_at, held.ends_at, held.vehicle_plate) == (at(60), at(180), "123 ABC")
    assert [claim.reservation_id for claim in world.claims()] == [held.reservation_id]
    assert world.stored(held) == replace(held, version=1)


@pytest.mark.parametrize(("starts", "ends"), [(60, 180), (90, 100 + 15), (30, 60), (185, 300), (-0, 600)])
def test_an_interval_that_somebody_has_is_refused_and_changes_nothing(world: World, starts: int, ends: int) -> None:
    world.reserve(ANNA, 60, 180)
    before = _everything(world)
    with pytest.raises(SpotUnavailable):
        world.reserve(BORIS, starts, ends)
    assert _everything(world) == before


def test_neighbours_at_the_turnover_distance_both_fit(world: World) -> None:
    world.reserve(ANNA, 60, 180)
    world.reserve(BORIS, 190, 300)
    world.reserve(BORIS, 20, 50, key="before")
    assert len(world.claims()) == 3


def test_a_driver_may_not_take_her_own_interval_twice(world: World) -> None:
    world.reserve(ANNA, 60, 180)
    with pytest.raises(SpotUnavailable):
        world.reserve(ANNA, 60, 180, key="another")


def test_the_next_driver_gets_the_interval_of_a_lapsed_hold_in_the_same_commit(world: World) -> None:
    lapsed = world.reserve(ANNA, 60, 180)
    held = world.reserve(BORIS, 120, 240, now=10)
    expired = world.stored(lapsed)
    assert (expired.status, expired.reason) == (S.EXPIRED, EndReason.HOLD_EXPIRED)
    assert [claim.reservation_id for claim in world.claims()] == [held.reservation_id]
    assert world.told(ANNA) == ["RESERVATION_EXPIRED"]
    assert world.tick(11) == 0


def test_a_hold_that_still_runs_is_not_taken(world: World) -> None:
    world.reserve(ANNA, 60, 180)
    with pytest.raises(SpotUnavailable):
        world.reserve(BORIS, 60, 180, now=9.99)


def test_several_lapsed_holds_on_several_days_give_way_together(world: World) -> None:
    lapsed = [world.reserve(ANNA, day * 1440, day * 1440 + 60, key=str(day)) for day in (1, 2, 3)]
    world.reserve(ANNA, 3 * 1440 + 1000, 5 * 1440, key="long")
    held = world.reserve(BORIS, 1430, 3 * 1440 + 1100, now=10)
    assert [claim.reservation_id for claim in world.claims()] == [held.reservation_id]
    assert {world.stored(r).status for r in lapsed} == {S.EXPIRED}
    assert world.told(ANNA) == ["RESERVATION_EXPIRED"] * 4


def test_a_lapsed_hold_beside_a_paid_stay_frees_nothing(world: World) -> None:
    world.booked(ANNA, 200, 300)
    lapsed = world.reserve(ANNA, 60, 180)
    with pytest.raises(SpotUnavailable):
        world.reserve(BORIS, 60, 250, now=10)
    assert world.stored(lapsed).status is S.HELD


def test_a_lapsed_extension_gives_way_but_the_stay_itself_does_not(world: World) -> None:
    stay = world.booked(ANNA, 60, 180)
    extension = world.extend(stay, 300, now=70)
    held = world.reserve(BORIS, 190, 300, now=85)
    assert [claim.reservation_id for claim in world.claims()] == [stay.reservation_id, held.reservation_id]
    assert world.stored(stay).extension(extension.extension_id) != extension
    assert world.stored(stay).status is S.CONFIRMED
    assert "RESERVATION_EXPIRED" not in world.told(ANNA)


def test_the_same_request_twice_is_one_reservation_and_one_answer(world: World) -> None:
    first = world.reserve(ANNA)
    before = _everything(world)
    again = world.reserve(ANNA, now=5)
    assert replace(again, version=0) == first
    assert _everything(world) == before


def test_a_repeated_request_gets_the_first_answer_even_after_the_stay_was_paid_extended_and_used(world: World) -> None:
    world.fund(ANNA)
    first = world.reserve(ANNA)
    world.pay(first)
    extension = world.extend(first, 240)
    world.pay(first, extension, now=71)
    bookings.arrive(world.store, ANNA, first.reservation_id, at(75))
    again = world.reserve(ANNA, now=100)
    assert replace(again, version=0, guard_due_at=None) == first


def test_a_repeated_request_is_answered_even_when_it_could_no_longer_be_made(world: World) -> None:
    first = world.reserve(ANNA)
    world.store.commit(replace(world.spot, version=1, service_state=ServiceState.OUT_OF_SERVICE))
    assert world.reserve(ANNA, now=60 * 24).reservation_id == first.reservation_id


def test_the_same_key_with_another_body_is_refused(world: World) -> None:
    world.reserve(ANNA)
    wish = bookings.Wish(
        spot_id=world.spot.spot_id,
        starts_at=at(500),
        ends_at=at(600),
        quoted_amount_minor=None,
        vehicle_plate=None,
    )
    request = world.request(ANNA, "reserve", "another body", "POST /reservations")
    with pytest.raises(IdempotencyMismatch):
        bookings.reserve(world.store, request, wish, NOW)


def test_a_price_that_changed_is_said_and_nothing_is_held(world: World) -> None:
    with pytest.raises(PriceChanged) as refusal:
        world.reserve(ANNA, quoted_amount_minor=479)
    assert refusal.value.data == {"amount": 480, "currency": "EUR"}
    assert world.claims() == ()


@pytest.mark.parametrize("starts", [None, 0, 1, -1])
def test_a_stay_that_begins_now_needs_a_blocker_that_can_be_reached(world: World, starts: int | None) -> None:
    world.device_is(Connectivity.OFFLINE)
    with pytest.raises(BlockerUnavailable):
        world.reserve(ANNA, starts, 60)
    world.device_is(Connectivity.ONLINE)
    assert world.reserve(ANNA, starts, 60).status is S.HELD


def test_a_stay_that_begins_later_may_be_reserved_while_the_blocker_is_away(world: World) -> None:
    world.device_is(Connectivity.OFFLINE)
    assert world.reserve(ANNA, 2, 60).status is S.HELD


@pytest.mark.parametrize(
    ("starts", "ends", "field"),
    [
        (-2, 60, "starts_at"),
        (90 * 1440 + 1, 90 * 1440 + 60, "starts_at"),
        (60, 74, "ends_at"),
        (60, 60 + 7 * 1440 + 1, "ends_at"),
        (60, 60, "ends_at"),
        (60, 30, "ends_at"),
        (None, -30, "ends_at"),
    ],
)
def test_a_stay_that_nobody_could_book_is_refused_by_its_field(
    world: World, starts: int | None, ends: int, field: str
) -> None:
    with pytest.raises(InvalidField) as refusal:
        world.reserve(ANNA, starts, ends)
    assert refusal.value.field == field
    assert world.claims() == ()


def test_a_spot_out_of_service_is_unavailable() -> None:
    world = World(service_state=ServiceState.OUT_OF_SERVICE)
    with pytest.raises(SpotUnavailable):
        world.reserve(ANNA)


def test_an_unknown_spot_is_not_found(world: World) -> None:
    with pytest.raises(NotFound):
        world.reserve(ANNA, spot_id=SpotId("nowhere"))


def test_seconds_are_the_smallest_time(world: World) -> None:
    held = world.reserve(ANNA, starts_at=None, ends_at=at(60) + timedelta(milliseconds=700), now=0.011)
    assert (held.starts_at.microsecond, held.ends_at.microsecond) == (0, 0)


def test_a_hold_never_outlives_the_stay() -> None:
    world = World()
    world.store.commit(replace(world.spot, version=1, tariff=replace(world.spot.tariff, minimum_minutes=1)))
    assert world.reserve(ANNA, None, 5).hold_expires_at == at(5)


def test_of_two_drivers_at_once_one_gets_the_spot(world: World) -> None:
    world.store.meanwhile(lambda: world.reserve(BORIS))
    with pytest.raises(SpotUnavailable):
        world.reserve(ANNA)
    assert world.store.lost_races == 1
    assert [claim.user_id for claim in world.claims()] == [BORIS]


def test_two_requests_of_one_key_at_once_are_one_reservation(world: World) -> None:
    world.store.meanwhile(lambda: world.reserve(ANNA))
    assert world.reserve(ANNA).reservation_id == world.claims()[0].reservation_id
    assert len(world.claims()) == 1


def test_a_neighbour_at_the_same_moment_costs_only_another_try(world: World) -> None:
    world.store.meanwhile(lambda: world.reserve(BORIS, 190, 300))
    world.reserve(ANNA, 60, 180)
    assert world.store.lost_races == 1
    assert len(world.claims()) == 2


def test_a_lapsed_hold_that_is_paid_at_the_last_moment_keeps_its_interval(world: World) -> None:
    world.fund(ANNA)
    lapsed = world.reserve(ANNA)
    world.store.meanwhile(lambda: world.pay(lapsed, now=9.9))
    with pytest.raises(SpotUnavailable):
        world.reserve(BORIS, now=10)
    assert world.stored(lapsed).status is S.CONFIRMED


def test_a_driver_who_loses_every_race_is_told_to_come_back(world: World) -> None:
    def again() -> None:
        number = len(world.claims())
        world.reserve(BORIS, 240 + 40 * number, 260 + 40 * number, key=str(number))
        world.store.meanwhile(again)

    world.store.meanwhile(again)
    with pytest.raises(Busy):
        world.reserve(ANNA, 60, 180)
    assert {claim.user_id for claim in world.claims()} == {BORIS}
