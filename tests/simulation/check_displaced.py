"""Invariants 1, 3, 5, 6 and 7 for a driver whose spot is occupied: the offer, the move, the credit."""

from datetime import datetime
from typing import TYPE_CHECKING

from parking.domain.calendar import CalendarDay
from parking.domain.ledger import Transaction, TransactionKind
from parking.domain.notification import Notification, NotificationKind
from parking.domain.reservation import EndReason, Reservation
from parking.domain.spot import Spot
from tests.simulation import reference
from tests.simulation.violation import Violation

if TYPE_CHECKING:
    from tests.simulation.invariants import Commit

N = NotificationKind
OFFERS = (N.SPOT_OCCUPIED_MOVE_OFFERED, N.SPOT_OCCUPIED_REFUND_OFFERED)


def check(commit: "Commit", before: Reservation, after: Reservation) -> None:
    """Raises Violation."""
    told = {n.kind for n in commit.new(Notification) if n.data.get("reservation_id") == after.reservation_id}
    if after.told_occupied_at != before.told_occupied_at and (
        before.told_occupied_at or after.told_occupied_at != commit.now or N.SPOT_STILL_OCCUPIED not in told
    ):
        raise Violation(9, f"{after.reservation_id} was warned at {after.told_occupied_at}, told is {told}")
    if after.displaced_at != before.displaced_at:
        _displaced(commit, before, after, offered=bool(told & set(OFFERS)))
    where = (after.spot_id, after.spot_name, after.time_zone, after.blocker_id, after.turnover_minutes)
    was = (before.spot_id, before.spot_name, before.time_zone, before.blocker_id, before.turnover_minutes)
    if after.moved != before.moved:
        _moved(commit, before, after)
    elif where != was:
        raise Violation(7, f"{after.reservation_id} is at {after.spot_id}, and never moved from {before.spot_id}")


def _displaced(commit: "Commit", before: Reservation, after: Reservation, *, offered: bool) -> None:
    if before.displaced_at is None:
        commit.covered("reservation displaced")
        if not offered or not commit.by("auto_complete"):
            raise Violation(7, f"{after.reservation_id} is displaced, and nothing is offered")
        return
    arrives = after.arrival_requested_at is not None and before.arrival_requested_at is None
    if after.displaced_at is not None or not (arrives or after.moved != before.moved):
        raise Violation(
            7, f"{after.reservation_id} was displaced at {before.displaced_at}, now at {after.displaced_at}"
        )
    if arrives:
        commit.covered("reservation displaced, and arrives")


def _moved(commit: "Commit", before: Reservation, after: Reservation) -> None:
    commit.covered("reservation moves")
    moved = after.moved
    if moved is None or not commit.by("move", after.user_id) or not reference.may_choose(before, commit.now):
        raise Violation(6, f"{after.reservation_id} moves to {after.spot_id}, and may not")
    first = before.moved or before
    booked = (moved.booked_spot_id, moved.booked_spot_name, moved.booked_time_zone)
    known = (
        (first.spot_id, first.spot_name, first.time_zone)
        if isinstance(first, Reservation)
        else (first.booked_spot_id, first.booked_spot_name, first.booked_time_zone)
    )
    if booked != known or moved.left_blocker_id != before.blocker_id or after.guard_due_at != _looked_at(after, commit):
        raise Violation(7, f"{after.reservation_id} forgets where it was: {moved}")
    spot = commit.world.store.get(Spot, after.spot_id)
    here = (spot.spot_id, spot.name, spot.time_zone, spot.blocker_id, spot.turnover_minutes) if spot else None
    if here != (after.spot_id, after.spot_name, after.time_zone, after.blocker_id, after.turnover_minutes):
        raise Violation(7, f"{after.reservation_id} is at {here}")
    for spot_id in (before.spot_id, after.spot_id):
        commit.memory.moved_at[spot_id] = commit.world.now
    stay, until = reference.claimed(before), reference.blocked_until(before)
    days = reference.days_between(stay[0], until) if stay and until else []
    for day in commit.world.store.get_many(CalendarDay, [(before.spot_id, day.isoformat()) for day in days]):
        if any(claim.reservation_id == after.reservation_id for claim in day.claims):
            raise Violation(1, f"{after.reservation_id} moved, and {before.spot_id} still shows it")


def _looked_at(after: Reservation, commit: "Commit") -> datetime:
    return max(after.starts_at - reference.LEAD, commit.now)


def check_credit(commit: "Commit", after: Reservation, refunded_minor: int) -> None:
    """An apology stands beside each full refund of an occupied spot, once, and beside no other."""
    credits = [t for t in commit.new(Transaction) if t.kind is TransactionKind.CREDIT]
    given_minor = [t.wallet_amount_minor for t in credits if t.reservation_id == after.reservation_id]
    owed_minor = reference.credit_minor(refunded_minor) if after.reason is EndReason.SPOT_OCCUPIED else 0
    told = [n for n in commit.new(Notification) if n.kind is N.CREDIT_GRANTED]
    if given_minor != ([owed_minor] if owed_minor else []) or len(told) != len(given_minor):
        raise Violation(3, f"{after.reservation_id} gets the credit {given_minor}, it should {owed_minor}")


def check_reason(commit: "Commit", after: Reservation) -> bool:
    """Whether it is cancelled because the spot is occupied; then by its driver's choice, or at its end."""
    if after.reason is not EndReason.SPOT_OCCUPIED:
        return False
    chosen = commit.by("cancel", after.user_id)
    commit.covered(f"reservation CONFIRMED → CANCELLED SPOT_OCCUPIED {'chosen' if chosen else 'unanswered'}")
    at_the_end = commit.by("auto_complete") and commit.now >= after.ends_at
    if after.displaced_at is None or not (chosen or at_the_end):
        raise Violation(7, f"{after.reservation_id} is cancelled by our fault, and it was not ours")
    return True
