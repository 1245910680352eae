"""Invariant 9 at the end of a stay: who overstays, who is next, and who waits are told, once, and what is so."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from parking.domain.blocker import Blocker
from parking.domain.ledger import Transaction, TransactionKind
from parking.domain.notification import Notification, NotificationKind
from parking.domain.reservation import Reservation, ReservationStatus
from parking.domain.spot import Spot
from tests.simulation import reference
from tests.simulation.violation import Violation

if TYPE_CHECKING:
    from tests.simulation.invariants import Commit
    from tests.simulation.world import World

N = NotificationKind
S = ReservationStatus
Subject = tuple[str, ...]
KINDS = (
    N.SPOT_TAKEN_NEXT,
    N.OVERSTAY_WARNING,
    N.OVERSTAY_METERED,
    N.SPOT_STILL_OCCUPIED,
    N.SPOT_OCCUPIED_MOVE_OFFERED,
    N.SPOT_OCCUPIED_REFUND_OFFERED,
    N.CREDIT_GRANTED,
)


def subject(notice: Notification, stay: Reservation) -> Subject:
    """What must be told once."""
    match notice.kind:
        case N.SPOT_TAKEN_NEXT:
            return ("taken", stay.reservation_id, notice.data["ends_at"])
        case N.OVERSTAY_WARNING | N.OVERSTAY_METERED:
            return ("overstays", stay.reservation_id)
        case N.SPOT_OCCUPIED_MOVE_OFFERED | N.SPOT_OCCUPIED_REFUND_OFFERED:
            return ("offered", stay.reservation_id, str(stay.moved))
        case _:
            return (notice.kind, stay.reservation_id)


def check(commit: "Commit", notice: Notification, stay: Reservation) -> None:
    """Raises Violation."""
    commit.covered(f"notice {notice.kind}")
    match notice.kind:
        case N.SPOT_TAKEN_NEXT:
            true = _is_taken_next(commit, stay)
        case N.OVERSTAY_WARNING | N.OVERSTAY_METERED:
            true = _overstays(commit, notice, stay)
        case N.SPOT_STILL_OCCUPIED:
            true = stay.starts_at - reference.WARN <= commit.now < stay.starts_at + reference.OFFER
            true = true and _is_kept_out(commit, stay)
        case N.CREDIT_GRANTED:
            credits = [t for t in commit.new(Transaction) if t.kind is TransactionKind.CREDIT]
            true = [str(t.wallet_amount_minor) for t in credits] == [notice.data["amount"]]
        case _:
            true = _is_offered(commit, notice, stay)
    if not true:
        raise Violation(9, f"told at {commit.now}, and it is not so: {notice.kind} {notice.data}")


def _is_taken_next(commit: "Commit", stay: Reservation) -> bool:
    spot = commit.world.store.get(Spot, stay.spot_id)
    step = timedelta(minutes=spot.tariff.step_minutes if spot else 0)
    near = stay.ends_at - reference.TELL_TAKEN <= commit.now < stay.ends_at
    return near and stay.status in reference.RUNNING and reference.taken_next(stay, commit.at_spot(stay.spot_id), step)


def _overstays(commit: "Commit", notice: Notification, stay: Reservation) -> bool:
    blocker = commit.world.store.get(Blocker, stay.blocker_id)
    is_seen = commit.world.faults.struck_here or reference.car_is_seen(stay, blocker, commit.now)
    metered = commit.now >= stay.ends_at + reference.GRACE
    price = (str(stay.overstay_terms.price_per_hour_minor), str(stay.overstay_terms.cap_minor))
    return (
        bool(is_seen)
        and stay.status is S.ACTIVE
        and commit.now >= stay.ends_at
        and metered is (notice.kind is N.OVERSTAY_METERED)
        and (notice.data["price_per_hour"], notice.data["cap"]) == price
        and datetime.fromisoformat(notice.data["grace_ends_at"])
        == (stay.ends_at + reference.GRACE).replace(microsecond=0)
    )


def _is_kept_out(commit: "Commit", stay: Reservation) -> bool:
    """What another function has changed meanwhile is not held against a notice."""
    blocker = commit.world.store.get(Blocker, stay.blocker_id)
    others = commit.at_spot(stay.spot_id)
    seen = commit.world.faults.struck_here or reference.overstayer(stay, others, blocker, commit.now)
    return bool(seen) and reference.waits(stay, commit.now)


def _is_offered(commit: "Commit", notice: Notification, stay: Reservation) -> bool:
    if stay.displaced_at != commit.now or commit.now < stay.starts_at + reference.OFFER:
        return False
    if not _is_kept_out(commit, stay):
        return False
    if commit.world.faults.struck_here:
        return True
    could = [spot.spot_id for spot in _spots(commit.world) if commit.world.could_take(spot, stay, commit.now)]
    return notice.data["other_spot_id"] in could if notice.kind is N.SPOT_OCCUPIED_MOVE_OFFERED else not could


def _spots(world: "World") -> list[Spot]:
    return [spot for known in world.spots if (spot := world.store.get(Spot, known.spot_id))]


def all_told_of_who_is_next(world: "World", told: set[Subject], at: datetime) -> None:
    """The schedule has run undisturbed: nobody who has less than ten minutes, and a neighbour next, was not told so."""
    for stay in world.store.reservations:
        if stay.status not in reference.RUNNING or stay.told_end != stay.ends_at:
            continue
        due = reference.due(stay)
        near = stay.ends_at - reference.TELL_TAKEN <= at < stay.ends_at
        if not near or stay.tell_taken_at or (due and due[0] <= at):  # it has its time, if only since this tick
            continue
        spot = world.store.get(Spot, stay.spot_id)
        step = timedelta(minutes=spot.tariff.step_minutes if spot else 0)
        name = ("taken", stay.reservation_id, f"{stay.ends_at:%Y-%m-%dT%H:%M:%SZ}")
        if reference.taken_next(stay, world.reservations_at(stay.spot_id), step) and name not in told:
            raise Violation(9, f"{stay.reservation_id} ends at {stay.ends_at}, somebody is next, and nobody says so")


def all_who_wait_are_told(world: "World", at: datetime) -> None:
    """The schedule has run undisturbed: whom an overstayer that it has seen keeps out was warned, or offered more."""
    for over in world.store.reservations:
        if over.status is not S.ACTIVE or over.finish_due_at != at + reference.MINUTE:
            continue
        for waiting in world.reservations_at(over.spot_id):
            if not reference.waits(waiting, at):
                continue
            offered = at >= waiting.starts_at + reference.OFFER
            if (waiting.displaced_at if offered else waiting.told_occupied_at) is None:
                raise Violation(9, f"{waiting.reservation_id} waits behind {over.reservation_id}, and is not told")
