"""The stays at a spot that is out of service: their drivers are told; what nobody moves or cancels is given back."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from parking.domain.displacing import is_expected, is_to_be_given_up, out_of_service
from parking.domain.ending import give_up
from parking.domain.reservation import FARTHEST_START, RECHECK, Reservation, ReservationStatus
from parking.domain.spot import ServiceState, Spot
from parking.domain.time import Interval
from parking.services import notices
from parking.services.bookings import commit_cancellation
from parking.services.commit import until_committed
from parking.services.ports import Busy, Key, Store, StoreUnavailable
from parking.services.spots import spot_of


def tell_who_is_booked(store: Store, spot: Spot, now: datetime) -> None:
    """Tell each driver who has the spot from now on, the nearest first, and end the holds that are not paid.

    Each in its own commit, and nobody twice: run again, it goes on where a crash has stopped it. One that cannot be
    told keeps no other waiting. Raises Busy, StoreUnavailable.
    """
    ahead, failures = Interval(now, now + FARTHEST_START + timedelta(days=1)), list[Exception]()
    for claim in store.calendar(spot.spot_id, ahead.utc_days()).claims:
        try:
            until_committed(partial(_tell, store, (claim.user_id, claim.reservation_id), now))
        except (Busy, StoreUnavailable) as failure:  # raised below
            failures.append(failure)
    if failures:
        raise failures[0]


def look_after_unserved(store: Store, stay: Reservation, now: datetime) -> bool:
    """The minute's look at a stay that begins soon: True if its spot is out of service, and that was dealt with.

    So whoever was missed by the operator's command, or has paid since, is told as well.
    """
    if not is_expected(stay, now):
        return False
    spot = spot_of(store, stay.spot_id)
    if spot.service_state is ServiceState.IN_SERVICE:
        return False
    if is_to_be_given_up(stay, now):
        commit_cancellation(store, stay, give_up(stay, now), now)
    elif stay.unserved_at:
        store.commit(replace(stay, guard_due_at=now + RECHECK))
    else:
        _commit_told(store, stay, spot, now)
    return True


def _tell(store: Store, key: Key, now: datetime) -> None:
    stay = store.get(Reservation, *key)
    spot = spot_of(store, stay.spot_id) if stay else None
    if stay is None or spot is None or spot.service_state is ServiceState.IN_SERVICE:
        return  # it was moved, or the spot is back, since the calendar was read
    if stay.status is ReservationStatus.HELD:
        commit_cancellation(store, stay, give_up(stay, now), now)
    elif is_expected(stay, now) and (stay.unserved_at is None or stay.guard_due_at is None):
        # Guarded since it was told: the spot was back, and its driver has five minutes again from this closing on.
        _commit_told(store, stay, spot, now)


def _commit_told(store: Store, stay: Reservation, spot: Spot, now: datetime) -> None:
    told = out_of_service(stay, now)
    store.commit(told, notices.out_of_service(told, now), unchanged=(spot,))
