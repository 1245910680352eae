"""What is going on at a spot, for operators: everything that decides where its barrier stands, and nothing personal."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from parking.domain.audit import AuditEntry
from parking.domain.blocker import Blocker, Command, Occupancy
from parking.domain.ids import ReservationId, SpotId, UserId
from parking.domain.reservation import EndReason, Reservation, ReservationStatus
from parking.domain.spot import Spot
from parking.domain.time import Interval
from parking.services.ports import Store
from parking.services.spots import READ_BATCH, spot_of

ENTRIES_SHOWN = 20
OVER_READ = 20
"""So many stays whose time is over are looked at for one whose car has stayed."""


@dataclass(frozen=True, slots=True)
class Booked:
    """A claim on the spot, with the reservation's state. Of the driver, only the id."""

    reservation_id: ReservationId
    user_id: UserId
    starts_at: datetime
    ends_at: datetime
    status: ReservationStatus | None
    reason: EndReason | None
    arrival_requested_at: datetime | None
    arrived_at: datetime | None
    overstayed_since: datetime | None


@dataclass(frozen=True, slots=True)
class SpotReport:
    """`commands` are the blocker's, newest first, with what became of them; `occupancy` is what may be believed now."""

    spot: Spot
    booked: list[Booked]
    more_booked: bool
    """True if there are more stays than are shown."""
    blocker: Blocker | None
    occupancy: Occupancy | None
    commands: list[Command]
    audit: list[AuditEntry]


def report(store: Store, spot_id: SpotId, days: int, now: datetime) -> SpotReport:
    """The spot as it is, and its stays of these days. Raises NotFound."""
    spot = spot_of(store, spot_id)
    window = Interval(now - timedelta(days=1), now + timedelta(days=days))
    claims = store.calendar(spot_id, window.utc_days()).claims
    ahead = [claim for claim in claims if claim.stay.ends_at > now]
    read = [claim for claim in claims if claim.stay.ends_at <= now][-OVER_READ:] + ahead[: READ_BATCH - OVER_READ]
    stays = store.get_many(Reservation, [(claim.user_id, claim.reservation_id) for claim in read]) if read else []
    by_id = {stay.reservation_id: stay for stay in stays}
    # Whose car stays on after its time is still there, and is what one looks for.
    parked = {stay.reservation_id for stay in stays if stay.status is ReservationStatus.ACTIVE}
    shown = [claim for claim in read if claim.stay.ends_at > now or claim.reservation_id in parked]
    blocker = store.get(Blocker, spot.blocker_id)
    return SpotReport(
        spot=spot,
        booked=[_booked(claim.stay, claim.user_id, claim.reservation_id, by_id) for claim in shown],
        more_booked=len(ahead) > READ_BATCH - OVER_READ,
        blocker=blocker,
        occupancy=blocker.occupancy(now) if blocker else None,
        commands=list(blocker.commands[::-1]) if blocker else [],
        audit=store.audit(spot.blocker_id, ENTRIES_SHOWN),
    )


def _booked(
    stay: Interval, user_id: UserId, reservation_id: ReservationId, by_id: dict[ReservationId, Reservation]
) -> Booked:
    found = by_id.get(reservation_id)
    return Booked(
        reservation_id=reservation_id,
        user_id=user_id,
        starts_at=stay.starts_at,
        ends_at=stay.ends_at,
        status=found.status if found else None,
        reason=found.reason if found else None,
        arrival_requested_at=found.arrival_requested_at if found else None,
        arrived_at=found.arrived_at if found else None,
        overstayed_since=found.overstayed_since if found else None,
    )
