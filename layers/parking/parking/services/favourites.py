"""The spots that a driver wants at hand: those they chose, and those they used last."""

from collections.abc import Sequence

from parking.domain.blocker import Blocker
from parking.domain.favourites import Favourites
from parking.domain.ids import SpotId, UserId
from parking.domain.reservation import Reservation, ReservationStatus
from parking.domain.spot import Spot
from parking.services.commit import until_committed
from parking.services.ports import Store
from parking.services.spots import spot_of

RECENT_SPOTS_MAX = 10
STAYS_LOOKED_AT_MAX = 30
_USED = (ReservationStatus.ACTIVE, ReservationStatus.COMPLETED)


def favourites_of(store: Store, user_id: UserId) -> list[tuple[Spot, Blocker | None]]:
    """The driver's favourites with their blockers, the newest first."""
    favourites = store.get(Favourites, user_id) or Favourites(user_id=user_id)
    return _with_blockers(store, favourites.spot_ids[::-1])


def add_favourite(store: Store, user_id: UserId, spot_id: SpotId) -> Spot:
    """Remember a spot; one that is remembered already stays where it is. Raises NotFound, TooManyFavourites."""
    spot = spot_of(store, spot_id)

    def attempt() -> Spot:
        before = store.get(Favourites, user_id) or Favourites(user_id=user_id)
        after = before.with_spot(spot_id)
        if after != before:
            store.commit(after)
        return spot

    return until_committed(attempt)


def remove_favourite(store: Store, user_id: UserId, spot_id: SpotId) -> None:
    """Forget a spot. Raises NotFound if it was not a favourite."""

    def attempt() -> None:
        before = store.get(Favourites, user_id) or Favourites(user_id=user_id)
        store.commit(before.without(spot_id))

    until_committed(attempt)


def recent_spots(store: Store, user_id: UserId) -> list[tuple[Spot, Blocker | None]]:
    """The spots of the driver's last stays with their blockers, the latest first; at most 10, from 30 reservations."""
    stays = store.page(Reservation, user_id, limit=STAYS_LOOKED_AT_MAX).items
    used = dict.fromkeys(stay.spot_id for stay in stays if stay.status in _USED)
    return _with_blockers(store, list(used)[:RECENT_SPOTS_MAX])


def _with_blockers(store: Store, spot_ids: Sequence[SpotId]) -> list[tuple[Spot, Blocker | None]]:
    spots = store.get_many(Spot, [(spot_id,) for spot_id in spot_ids])
    blockers = {one.blocker_id: one for one in store.get_many(Blocker, [(spot.blocker_id,) for spot in spots])}
    return [(spot, blockers.get(spot.blocker_id)) for spot in spots]
