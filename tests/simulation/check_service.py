"""Invariants 3, 7 and 9 for a stay whose spot was taken out of service: told once, then moved, or all money is back."""

from datetime import datetime
from typing import TYPE_CHECKING

from parking.domain.notification import Notification, NotificationKind
from parking.domain.reservation import Reservation, ReservationStatus
from parking.domain.spot import ServiceState, Spot
from tests.simulation import reference
from tests.simulation.violation import Violation

if TYPE_CHECKING:
    from tests.simulation.invariants import Commit
    from tests.simulation.world import World

S = ReservationStatus


def check(commit: "Commit", before: Reservation, after: Reservation) -> None:
    """Raises Violation."""
    if after.unserved_at == before.unserved_at:
        return
    if after.unserved_at is None:
        if after.moved == before.moved:
            raise Violation(7, f"{after.reservation_id} is served again, and has not moved")
        return
    told = {n.kind for n in commit.new(Notification) if n.data.get("reservation_id") == after.reservation_id}
    commit.covered("reservation unserved")
    if not commit.by("command") and not commit.by("prepare_upcoming"):
        raise Violation(7, f"{after.reservation_id} is unserved by nobody")
    again = before.guard_due_at is None  # guarded since: the spot was back
    once = (before.unserved_at is None or again) and after.unserved_at == commit.now
    if not once or NotificationKind.SPOT_OUT_OF_SERVICE not in told:
        raise Violation(9, f"{after.reservation_id} is unserved since {after.unserved_at}, told is {told}")


def check_notice(commit: "Commit", notice: Notification) -> None:
    """It says what is so: the spot is out of service, and its driver is expected there."""
    commit.covered(f"notice {notice.kind}")
    [stay] = [r for r in commit.new(Reservation) if r.reservation_id == notice.data["reservation_id"]]
    until = f"{max(stay.starts_at, commit.now) + reference.OFFER:%Y-%m-%dT%H:%M:%SZ}"
    unserved = commit.world.faults.struck_here or is_unserved(commit.world, stay, commit.now)
    if not unserved or notice.data["given_up_at"] != until:
        raise Violation(9, f"{stay.reservation_id} is told at {commit.now} that its spot is out of service")


def check_reason(commit: "Commit", after: Reservation) -> None:
    """By its driver's choice, at its end, by the schedule when nothing was chosen, or a hold by the operator."""
    told, closed = after.unserved_at, _is_out(commit.world, after) or bool(commit.world.faults.struck_here)
    if commit.by("cancel", after.user_id):
        how, ours = "chosen", told is not None and commit.now < after.ends_at
    elif commit.by("auto_complete"):
        how, ours = "at its end", told is not None and commit.now >= after.ends_at
    elif commit.by("prepare_upcoming"):
        late = told is not None and commit.now >= max(told, after.starts_at) + reference.OFFER
        how, ours = "given up", late and after.arrival_requested_at is None and closed
    else:
        how, ours = "held", commit.by("command") and after.payment_id is None and closed
    if how != "at its end":  # a schedule that was kept from it for long: too seldom to ask for
        commit.covered(f"reservation CANCELLED SPOT_OUT_OF_SERVICE {how}")
    if not ours:
        raise Violation(7, f"{after.reservation_id} is cancelled for its spot's sake, and may not be")


def is_unserved(world: "World", stay: Reservation, now: datetime) -> bool:
    """Whether its driver is expected at a spot that is out of service."""
    expected = stay.status is S.CONFIRMED and stay.arrival_requested_at is None
    return expected and now < stay.ends_at and _is_out(world, stay)


def all_told(world: "World", looked_at: list[Reservation], at: datetime) -> None:
    """The guard has run undisturbed: nobody is left at a spot out of service without a word, or for long."""
    for stay in looked_at:
        if not is_unserved(world, stay, at) or world.faults.struck_here:
            continue
        since = stay.unserved_at
        if since is None or at >= max(since, stay.starts_at) + reference.OFFER:
            raise Violation(9, f"{stay.reservation_id} is at a spot out of service since {since}")


def check_at_rest(world: "World", stay: Reservation) -> None:
    """Wherever the operator's command was stopped: every driver whose stay is near knows, and is not kept for long."""
    near = stay.starts_at - reference.LEAD <= world.now - 2 * reference.MINUTE
    if not near or not is_unserved(world, stay, world.now):
        return
    since, late = stay.unserved_at, 2 * reference.MINUTE
    if since is None or world.now >= max(since, stay.starts_at) + reference.OFFER + late:
        raise Violation(12, f"{stay.reservation_id} is at a spot out of service since {since}")


def _is_out(world: "World", stay: Reservation) -> bool:
    spot = world.store.get(Spot, stay.spot_id)
    return spot is not None and spot.service_state is ServiceState.OUT_OF_SERVICE
