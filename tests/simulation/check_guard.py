"""Invariants 3, 7 and 9 for a stay whose barrier did not rise: told once, when it is so, and then all money is back."""

from datetime import datetime
from typing import TYPE_CHECKING

from parking.domain.audit import AuditEntry
from parking.domain.blocker import Blocker
from parking.domain.notification import Notification, NotificationKind
from parking.domain.reservation import EndReason, Reservation, ReservationStatus
from tests.simulation import check_service, reference
from tests.simulation.violation import Violation

if TYPE_CHECKING:
    from tests.simulation.invariants import Commit
    from tests.simulation.world import World

S = ReservationStatus


def check(commit: "Commit", before: Reservation, after: Reservation) -> None:
    """Raises Violation."""
    failures = (after.arrival_failed_at, after.guard_failed_at)
    news = any(
        new and new != old
        for new, old in zip(failures, (before.arrival_failed_at, before.guard_failed_at), strict=True)
    )
    if news and (after.key, *failures) not in commit.memory.alarms:
        raise Violation(9, f"{after.reservation_id} has failed at {failures}, and no operator was told")
    if after.arrival_failed_at != before.arrival_failed_at:
        commit.covered("arrival failed")
        once = before.arrival_failed_at is None and after.arrival_failed_at == commit.now
        if not once or not commit.by("prepare_upcoming") or not _stands_in_vain(after, commit.now):
            raise Violation(9, f"{after.reservation_id}: its arrival failed at {after.arrival_failed_at}")
    moves, wanted = after.moved != before.moved, before.guard_by
    if moves or (before.status in (S.HELD, S.EXPIRED) and after.status is S.CONFIRMED):
        wanted = max(after.starts_at, commit.now + reference.GUARD_TIME)
    if after.guard_by != wanted:
        raise Violation(7, f"{after.reservation_id} is to be guarded by {after.guard_by}, it should {wanted}")
    if after.guard_failed_at != before.guard_failed_at:
        told = {n.kind for n in commit.new(Notification) if n.data.get("reservation_id") == after.reservation_id}
        fails = before.guard_failed_at is None and after.guard_failed_at == commit.now
        forgotten = moves and after.guard_failed_at is None
        if not forgotten and not (fails and NotificationKind.GUARD_FAILED in told and commit.by("prepare_upcoming")):
            raise Violation(9, f"{after.reservation_id}: its guard failed at {after.guard_failed_at}, told is {told}")
        if forgotten:
            commit.covered("reservation moves, its guard failed")


def check_blocker(commit: "Commit", blocker: Blocker) -> None:
    """Whose barrier has come down again is looked after again, as soon as it is known. Raises Violation."""
    # An operator's word is written down, and then decided on; under faults the stay may have changed since it was read.
    if commit.new(AuditEntry) or commit.world.faults.struck_here:
        return
    at = reference.blocker_time(blocker, commit.now)
    for stay in commit.at_spot(blocker.spot_id):
        expected = stay.status is S.CONFIRMED and stay.arrival_requested_at is None
        in_time = stay.starts_at - reference.LEAD <= at < stay.ends_at
        served = reference.guards(blocker, stay) and not check_service.is_unserved(commit.world, stay, at)
        if expected and in_time and stay.guard_due_at is None and not served:
            raise Violation(10, f"{blocker.blocker_id} does not serve {stay.reservation_id}, and nobody looks again")


def check_notice(commit: "Commit", notice: Notification) -> None:
    """It says what is so: the time has come, the driver is expected, and the barrier is not up for the stay."""
    commit.covered(f"notice {notice.kind}")
    [stay] = [r for r in commit.new(Reservation) if r.reservation_id == notice.data["reservation_id"]]
    kept_out = _is_kept_out(commit.world, stay, commit.now) and not commit.world.faults.struck_here
    if kept_out or not _has_failed(commit.world, stay, commit.now) or stay.guard_failed_at != commit.now:
        raise Violation(9, f"{stay.reservation_id} is told at {commit.now} that its guard failed")


def _has_failed(world: "World", stay: Reservation, now: datetime) -> bool:
    due = stay.guard_by is not None and max(stay.guard_by, stay.starts_at) <= now < stay.ends_at
    expected = stay.status is S.CONFIRMED and stay.arrival_requested_at is None
    unserved = check_service.is_unserved(world, stay, now)
    return due and expected and not unserved and not reference.guards(world.store.get(Blocker, stay.blocker_id), stay)


def _is_kept_out(world: "World", stay: Reservation, now: datetime) -> bool:
    blocker = world.store.get(Blocker, stay.blocker_id)
    return reference.overstayer(stay, world.reservations_at(stay.spot_id), blocker, now)


def all_told(world: "World", looked_at: list[Reservation], at: datetime) -> None:
    """The guard has run undisturbed: whose stay has begun without its barrier knows it."""
    for stay in looked_at:
        if stay.arrival_failed_at is None and _stands_in_vain(stay, at):
            raise Violation(9, f"{stay.reservation_id} waits before its barrier, and no operator knows")
        # Whose barrier has just been found to come down is given a command's time, more than this schedule's minute.
        waits = stay.guard_failed_at is None and stay.guard_due_at and stay.guard_due_at <= at + reference.MINUTE
        if waits and _has_failed(world, stay, at) and not _is_kept_out(world, stay, at):
            raise Violation(9, f"{stay.reservation_id} began at {stay.starts_at}, is not guarded, and nobody says so")


def _stands_in_vain(stay: Reservation, now: datetime) -> bool:
    asked = stay.arrival_requested_at
    waits = stay.status is S.CONFIRMED and asked is not None and now < stay.ends_at
    return waits and asked is not None and asked + reference.LOWER_WITHIN <= now


def check_reason(commit: "Commit", after: Reservation) -> None:
    """A stay is cancelled for its barrier's sake: its driver chose so or never came, or it did not go down."""
    if commit.by("cancel", after.user_id):
        commit.covered("reservation CONFIRMED → CANCELLED BLOCKER_FAILED chosen")
        ours = bool(after.guard_failed_at or after.arrival_failed_at) and commit.now < after.ends_at
    else:
        commit.covered("reservation CONFIRMED → CANCELLED BLOCKER_FAILED")
        ours = (reference.came(after) or bool(after.guard_failed_at)) and commit.now >= after.ends_at
    if not ours or after.reason is not EndReason.BLOCKER_FAILED:
        raise Violation(7, f"{after.reservation_id} is cancelled by our fault, and it was not ours")
