"""The spots that a driver keeps at hand, and those of the last stays."""

import pytest

from parking.domain.errors import NotFound, TooManyFavourites
from parking.domain.favourites import MOST_FAVOURITES, Favourites
from parking.domain.ids import SpotId
from parking.domain.reservation import ReservationStatus
from parking.services.favourites import (
    RECENT_SPOTS_MAX,
    STAYS_LOOKED_AT_MAX,
    add_favourite,
    favourites_of,
    recent_spots,
    remove_favourite,
)
from tests.builders import a_reservation, a_spot
from tests.unit.world import ANNA, BORIS, World, at


def test_favourites_are_listed_newest_first_with_their_blockers(world: World) -> None:
    other = a_spot()
    world.store.commit(other)
    add_favourite(world.store, ANNA, world.spot.spot_id)
    add_favourite(world.store, ANNA, other.spot_id)
    add_favourite(world.store, ANNA, world.spot.spot_id)
    listed = favourites_of(world.store, ANNA)
    assert [(spot.spot_id, blocker) for spot, blocker in listed] == [
        (other.spot_id, None),
        (world.spot.spot_id, world.blocker),
    ]
    assert favourites_of(world.store, BORIS) == []


def test_a_favourite_that_is_removed_is_gone_and_cannot_be_removed_again(world: World) -> None:
    add_favourite(world.store, ANNA, world.spot.spot_id)
    with pytest.raises(NotFound):
        remove_favourite(world.store, BORIS, world.spot.spot_id)
    remove_favourite(world.store, ANNA, world.spot.spot_id)
    assert favourites_of(world.store, ANNA) == []
    with pytest.raises(NotFound):
        remove_favourite(world.store, ANNA, world.spot.spot_id)


def test_what_does_not_exist_is_nobodys_favourite(world: World) -> None:
    with pytest.raises(NotFound):
        add_favourite(world.store, ANNA, SpotId("nowhere"))
    assert world.store.get(Favourites, ANNA) is None


def test_two_phones_that_add_at_once_lose_nothing(world: World) -> None:
    other = a_spot()
    world.store.commit(other)
    world.store.meanwhile(lambda: add_favourite(world.store, ANNA, other.spot_id))
    add_favourite(world.store, ANNA, world.spot.spot_id)
    assert world.store.lost_races == 1
    assert [spot.spot_id for spot, _ in favourites_of(world.store, ANNA)] == [world.spot.spot_id, other.spot_id]


def test_there_is_a_limit_to_favourites() -> None:
    full = Favourites(user_id=ANNA, spot_ids=tuple(SpotId(f"spot-{n}") for n in range(MOST_FAVOURITES)))
    assert full.with_spot(SpotId("spot-0")) == full
    with pytest.raises(TooManyFavourites):
        full.with_spot(SpotId("one-more"))


def test_the_spots_of_the_last_stays_come_once_the_latest_first(world: World) -> None:
    spots = [a_spot() for _ in range(3)]
    world.store.commit(*spots)
    for minutes, number, status in (
        (0, 0, ReservationStatus.COMPLETED),
        (1, 1, ReservationStatus.COMPLETED),
        (2, 2, ReservationStatus.EXPIRED),
        (3, 0, ReservationStatus.ACTIVE),
        (4, 2, ReservationStatus.NO_SHOW),
    ):
        stay = a_reservation(user_id=ANNA, spot_id=spots[number].spot_id, created_at=at(minutes), status=status)
        world.store.commit(stay)
    assert [spot.spot_id for spot, _ in recent_spots(world.store, ANNA)] == [spots[0].spot_id, spots[1].spot_id]
    assert recent_spots(world.store, BORIS) == []


def test_recent_spots_are_few_and_from_the_last_stays_only(world: World) -> None:
    spots = [a_spot() for _ in range(STAYS_LOOKED_AT_MAX + 1)]
    world.store.commit(*spots)
    for minutes, spot in enumerate(spots):
        status = ReservationStatus.COMPLETED if minutes in (0, 5) or minutes > 20 else ReservationStatus.CANCELLED
        world.store.commit(a_reservation(user_id=ANNA, spot_id=spot.spot_id, created_at=at(minutes), status=status))
    recent = [spot.spot_id for spot, _ in recent_spots(world.store, ANNA)]
    assert recent == [spot.spot_id for spot in spots[:-11:-1]]
    assert len(recent) == RECENT_SPOTS_MAX
