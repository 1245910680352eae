"""What the blocker was told for a stay and answered: written into the stay, because its own history is short."""

from dataclasses import replace

from parking.domain.blocker import Blocker
from parking.domain.reservation import Evidence, Reservation
from parking.services.ports import Store


def with_evidence(store: Store, reservation: Reservation) -> Reservation:
    """The reservation with what its blocker remembers of it."""
    if reservation.payment_id is None:  # nothing is moved for a stay that was never paid
        return reservation
    blocker = store.get(Blocker, reservation.blocker_id)
    return evidenced(reservation, blocker) if blocker else reservation


def evidenced(reservation: Reservation, blocker: Blocker) -> Reservation:
    """The reservation with the commands that were given for it; a known one is brought up to date."""
    known = {one.command_id: one for one in reservation.evidence}
    for command in (*blocker.history, blocker.command):
        if command and command.reservation_id == reservation.reservation_id:
            known[command.command_id] = Evidence(
                command_id=command.command_id,
                position=command.position,
                asked_at=command.created_at,
                status=command.status,
                reported_at=command.ended_at,
            )
    return replace(reservation, evidence=tuple(known.values()))
