"""Invariants 1, 6, 7, 8 and 10: how a reservation, its extensions and its claim may change."""

from dataclasses import fields, replace
from datetime import timedelta
from operator import attrgetter
from typing import TYPE_CHECKING

from parking.domain.blocker import Blocker, CommandStatus, Position
from parking.domain.calendar import CalendarDay
from parking.domain.ledger import REFUNDS, WALLET, Transaction, TransactionKind
from parking.domain.notification import Notification, NotificationKind
from parking.domain.payment import DisputeStatus, Method, Payment, PaymentStatus, Purpose
from parking.domain.reservation import (
    EndReason,
    Extension,
    ExtensionStatus,
    Reservation,
    ReservationStatus,
)
from parking.domain.spot import Spot
from tests.simulation import check_displaced, check_guard, check_service, reference
from tests.simulation.violation import Violation

if TYPE_CHECKING:
    from tests.simulation.invariants import Commit

MONEY = (NotificationKind.OVERSTAY_CHARGED, NotificationKind.OVERSTAY_DEBT, NotificationKind.CREDIT_GRANTED)
S = ReservationStatus
E = ExtensionStatus
_MOVES = frozenset(
    {
        "arrival_failed_at",
        "arrival_requested_at",
        "arrived_at",
        "blocker_id",
        "card_payment_id",
        "displaced_at",
        "ended_at",
        "ends_at",
        "evidence",
        "extensions",
        "finish_due_at",
        "guard_by",
        "guard_due_at",
        "guard_failed_at",
        "moved",
        "overstay",
        "overstayed_since",
        "payment_id",
        "reason",
        "spot_id",
        "spot_name",
        "status",
        "tell_taken_at",
        "time_zone",
        "told_end",
        "told_occupied_at",
        "told_taken",
        "turnover_minutes",
        "unserved_at",
        "version",
    }
)
_FIXED = attrgetter(*(one.name for one in fields(Reservation) if one.name not in _MOVES))
"""What of a reservation never changes."""


def check(commit: "Commit", before: Reservation | None, after: Reservation) -> None:
    """Raises Violation."""
    _check_state(commit, before, after)
    _check_extensions(commit, before, after)
    _check_due(commit, before, after)
    _check_claim(commit, before, after)
    _check_overstay(commit, before, after)


def _check_overstay(commit: "Commit", before: Reservation | None, after: Reservation) -> None:
    """An overstay costs what its terms say, up to the cap, from the end until the car had left."""
    ended = before is not None and before.status is S.ACTIVE and after.status is S.COMPLETED
    if ended and after.overstayed_since and after.overstay is None and after.overstay_terms.price_per_hour_minor:
        raise Violation(3, f"{after.reservation_id} overstayed, and pays nothing")
    if before is None or before.overstay or after.overstay is None:
        return
    commit.covered("overstay charged")
    terms, since = after.overstay_terms, after.overstayed_since
    lasted = (after.ended_at - since) if after.ended_at and since else timedelta(0)
    steps = -(-int(lasted.total_seconds() * 1_000_000) // (terms.step_minutes * 60_000_000))
    minor = min((steps * terms.step_minutes * terms.price_per_hour_minor + 30) // 60, terms.cap_minor)
    if after.overstay.quote.amount_minor != minor:
        raise Violation(3, f"{after.reservation_id} overstayed {lasted}: {after.overstay.quote}, it should {minor}")


def _check_state(commit: "Commit", before: Reservation | None, after: Reservation) -> None:
    if before is None:
        _born(commit, after)
        return
    if before.status in reference.FINAL and not _may_follow_the_end(before, after):
        raise Violation(7, f"{after.reservation_id} was {before.status} and is written again")
    kept = {one.command_id for one in after.evidence.entries}
    if any(one.command_id not in kept for one in before.evidence.entries) and not after.evidence.left_out:
        raise Violation(5, f"{after.reservation_id} forgot what its blocker was told: {after.evidence}")
    if _FIXED(after) != _FIXED(before):
        raise Violation(7, f"{after.reservation_id} changed what never changes")
    check_displaced.check(commit, before, after)
    check_guard.check(commit, before, after)
    check_service.check(commit, before, after)
    if before.arrival_requested_at != after.arrival_requested_at:
        _arrival_requested(commit, before, after)
    if before.status is not after.status:
        commit.memory.moved_at[after.spot_id] = commit.world.now
        _moved(commit, before, after)
    if after.overstayed_since != before.overstayed_since:
        _overstays(commit, before, after)
    if (after.reason is not None) != (after.status in reference.FINAL):
        raise Violation(7, f"{after.reservation_id} is {after.status} with the reason {after.reason}")


def _may_follow_the_end(before: Reservation, after: Reservation) -> bool:
    """Money that a card has paid late, an overstay that is paid after the stay, and what its blocker says late."""
    if replace(after, evidence=before.evidence, version=before.version) == before:
        return True
    if before.status is S.EXPIRED:
        return after.status is S.CONFIRMED
    if before.overstay is None or after.overstay is None or before.overstay.payment_id:
        return False
    same_price = replace(after.overstay, payment_id=None, card_payment_id=before.overstay.card_payment_id)
    return same_price == before.overstay and replace(after, overstay=before.overstay, version=before.version) == before


def _born(commit: "Commit", after: Reservation) -> None:
    commit.covered("reservation – → HELD")
    commit.made(after.reservation_id)
    if after.status is not S.HELD or not commit.by("reserve", after.user_id):
        raise Violation(7, f"{after.reservation_id} begins as {after.status}")
    if after.hold_expires_at != min(commit.now + reference.HOLD, after.ends_at):
        raise Violation(10, f"{after.reservation_id} is held until {after.hold_expires_at}")
    spot = commit.world.store.get(Spot, after.spot_id)
    if spot and not commit.world.faults.struck_here:
        price_minor = reference.price_minor(spot.tariff, after.ends_at - after.starts_at)
        if after.quote.amount_minor != price_minor:
            raise Violation(3, f"{after.reservation_id} costs {after.quote.amount_minor}, it should {price_minor}")


def _arrival_requested(commit: "Commit", before: Reservation, after: Reservation) -> None:
    if before.arrival_requested_at is not None or not commit.by("arrive", after.user_id):
        raise Violation(6, f"{after.reservation_id}: an arrival that its owner did not ask for")
    if not after.starts_at - reference.LEAD <= commit.now < after.ends_at:
        raise Violation(6, f"{after.reservation_id}: arrival outside its time")


def _overstays(commit: "Commit", before: Reservation, after: Reservation) -> None:
    commit.covered("reservation ACTIVE overstays")
    if before.overstayed_since or commit.now < after.ends_at + reference.GRACE or after.status is not S.ACTIVE:
        raise Violation(7, f"{after.reservation_id} overstays since {after.overstayed_since}, seen at {commit.now}")


def _moved(commit: "Commit", before: Reservation, after: Reservation) -> None:
    match before.status, after.status:
        case ((S.HELD | S.EXPIRED), S.CONFIRMED):
            _confirmed(commit, before, after)
        case S.HELD, S.EXPIRED:
            _expired(commit, after)
        case S.HELD, S.CANCELLED:
            commit.covered("reservation HELD → CANCELLED")
            _cancelled(commit, after)
        case S.CONFIRMED, S.ACTIVE:
            _arrived(commit, before, after)
        case S.ACTIVE, S.COMPLETED:
            _completed(commit, after)
        case S.CONFIRMED, S.NO_SHOW:
            commit.covered("reservation CONFIRMED → NO_SHOW")
            if reference.came(after) or reference.let_down(after) or commit.now < after.ends_at:
                raise Violation(7, f"{after.reservation_id} is no no-show")
        case S.CONFIRMED, S.CANCELLED:
            _cancelled(commit, after)
        case _:
            raise Violation(7, f"{after.reservation_id} went from {before.status} to {after.status}")
    if after.status in reference.FINAL:
        _ended(commit, after)


def _confirmed(commit: "Commit", before: Reservation, after: Reservation) -> None:
    commit.covered(f"reservation {before.status} → CONFIRMED")
    by_card = any(p.payment_id == after.payment_id and p.method is Method.CARD for p in commit.new(Payment))
    limit = max(after.starts_at, before.hold_expires_at + reference.LATE_MONEY) if by_card else before.hold_expires_at
    if commit.now >= min(limit, after.ends_at):
        raise Violation(10, f"{after.reservation_id} was confirmed after its hold")
    _paid(commit, after, "", after.quote.amount_minor, after.payment_id)
    if after.guard_due_at != max(after.starts_at - reference.LEAD, commit.now):
        raise Violation(10, f"{after.reservation_id} is paid, and its blocker is looked at {after.guard_due_at}")


def _paid(commit: "Commit", after: Reservation, extension_id: str, amount_minor: int, payment_id: str | None) -> None:
    payments = [p for p in commit.new(Payment) if p.payment_id == payment_id]
    purpose = Purpose.EXTENSION if extension_id else Purpose.RESERVATION
    good = [
        p
        for p in payments
        if p.status is PaymentStatus.SUCCEEDED
        and p.purpose is purpose
        and (p.amount_minor, p.reservation_id, p.extension_id or "")
        == (amount_minor, after.reservation_id, extension_id)
    ]
    if len(good) != 1:
        raise Violation(3, f"{after.reservation_id} {extension_id} is confirmed without its payment")
    subject = (after.reservation_id, extension_id)
    if commit.memory.paid_for.setdefault(subject, good[0].payment_id) != good[0].payment_id:
        raise Violation(3, f"{subject} is paid twice")
    if not any(n.kind is NotificationKind.PAYMENT_SUCCEEDED for n in commit.new(Notification)):
        raise Violation(9, f"{subject} is paid, and nobody is told")


def _expired(commit: "Commit", after: Reservation) -> None:
    by_schedule = commit.by("expire_holds")
    commit.covered(f"reservation HELD → EXPIRED by {'schedule' if by_schedule else 'the next driver'}")
    if after.hold_expires_at > commit.now or after.reason is not EndReason.HOLD_EXPIRED:
        raise Violation(7, f"{after.reservation_id} expired before its time")


def _arrived(commit: "Commit", before: Reservation, after: Reservation) -> None:
    commit.covered("reservation CONFIRMED → ACTIVE")
    blocker = commit.world.store.get(Blocker, after.blocker_id)
    told = (*blocker.history, blocker.command) if blocker else ()
    asked = before.arrival_requested_at
    done = [
        command
        for command in told
        if command
        and asked
        and command.status is CommandStatus.SUCCEEDED
        and command.position is Position.LOWERED
        and command.reservation_id == after.reservation_id
        and command.created_at >= asked
    ]
    by_code = reference.came_by_code(blocker, after) and commit.world.codes.has_let_in(after.reservation_id)
    if by_code and not done:
        commit.covered("reservation CONFIRMED → ACTIVE by a code")
    if asked is None or not (done or by_code):
        raise Violation(6, f"{after.reservation_id} is ACTIVE although the machine has not answered its owner")
    if after.arrived_at is None or after.arrived_at < asked.replace(microsecond=0):
        raise Violation(7, f"{after.reservation_id} arrived at {after.arrived_at}, asked at {asked}")


def _completed(commit: "Commit", after: Reservation) -> None:
    commit.covered(f"reservation ACTIVE → COMPLETED {after.reason}")
    if after.reason is EndReason.DEPARTED:
        if not commit.by("depart", after.user_id):
            raise Violation(6, f"{after.reservation_id} departed without its owner")
        return
    blocker = commit.world.store.get(Blocker, after.blocker_id)
    stays = reference.car_is_seen(after, blocker, commit.now) and not commit.world.faults.struck_here
    if after.reason is not EndReason.TIME_ENDED or commit.now < after.ends_at or stays:
        raise Violation(7, f"{after.reservation_id} completed at {commit.now}: {after.reason}, its car seen {stays}")


def _cancelled(commit: "Commit", after: Reservation) -> None:
    refunds = [t for t in commit.new(Transaction) if t.kind is TransactionKind.REFUND]
    of_this = [t for t in refunds if t.reservation_id == after.reservation_id]
    refunded_minor = sum(t.amount_on(WALLET) + t.amount_on(REFUNDS) for t in of_this)
    paid = commit.world.store.get_many(Payment, [(after.user_id, one) for one in after.payment_ids])
    # What a bank has called back is not ours to give back.
    paid_minor = sum(p.amount_minor for p in paid if p.dispute is None or p.dispute.status is DisputeStatus.WON)
    if check_displaced.check_reason(commit, after):
        in_full = True
    elif after.reason is EndReason.BLOCKER_FAILED:
        check_guard.check_reason(commit, after)
        in_full = True
    elif after.reason is EndReason.SPOT_OUT_OF_SERVICE:
        check_service.check_reason(commit, after)
        in_full = True
    else:
        if not commit.by("cancel", after.user_id) or after.reason is not EndReason.CANCELLED_BY_DRIVER:
            raise Violation(6, f"{after.reservation_id} is cancelled, and not by its owner: {after.reason}")
        in_full = commit.now < after.starts_at
        if reference.let_down(after) or after.arrival_failed_at:
            raise Violation(3, f"{after.reservation_id} is cancelled, and we have let its driver down")
        if paid_minor:
            commit.covered(f"reservation CONFIRMED → CANCELLED {'refunded' if in_full else 'not refunded'}")
    if refunded_minor != (paid_minor if in_full else 0):
        raise Violation(3, f"{after.reservation_id}: {refunded_minor} of {paid_minor} refunded")
    check_displaced.check_credit(commit, after, refunded_minor)


def _ended(commit: "Commit", after: Reservation) -> None:
    if after.ended_at != commit.now:
        raise Violation(7, f"{after.reservation_id} ended at {after.ended_at}, it is {commit.now}")
    if reference.open_extension(after):
        raise Violation(8, f"{after.reservation_id} is over, and an extension still waits")
    told = [n for n in commit.new(Notification) if n.data.get("reservation_id") == after.reservation_id]
    told = [n for n in told if n.kind not in MONEY]
    if [n.kind for n in told] != [NotificationKind(f"RESERVATION_{after.status}")]:
        raise Violation(9, f"{after.reservation_id} is {after.status}, told was {[n.kind for n in told]}")


def _check_extensions(commit: "Commit", before: Reservation | None, after: Reservation) -> None:
    known = {e.extension_id: e for e in before.extensions} if before else {}
    ends_at = before.ends_at if before else after.ends_at
    for extension in after.extensions:
        then = known.pop(extension.extension_id, None)
        if then is None:
            commit.covered("extension – → HELD")
            commit.made(extension.extension_id)
            _extension_born(commit, after, extension)
        elif then.status is not extension.status:
            _extension_moved(commit, after, then, extension)
            if extension.status is E.CONFIRMED:
                ends_at = extension.ends_at
        elif replace(extension, card_payment_id=then.card_payment_id) != then:
            raise Violation(8, f"{extension.extension_id} changed")
    if known:
        raise Violation(8, f"{after.reservation_id} lost {list(known)}")
    if after.ends_at != ends_at:
        raise Violation(8, f"the end of {after.reservation_id} moved to {after.ends_at}, it should be {ends_at}")
    if sum(e.status is E.HELD for e in after.extensions) > 1:
        raise Violation(8, f"{after.reservation_id} has two open extensions")


def _extension_born(commit: "Commit", after: Reservation, extension: Extension) -> None:
    if not commit.by("extend", after.user_id) or extension.status is not E.HELD:
        raise Violation(8, f"{extension.extension_id} begins as {extension.status}")
    if extension.hold_expires_at != min(commit.now + reference.HOLD, after.ends_at):
        raise Violation(10, f"{extension.extension_id} is held until {extension.hold_expires_at}")
    spot = commit.world.store.get(Spot, after.spot_id)
    if spot is None or commit.world.faults.struck_here:
        return
    longer = reference.price_minor(spot.tariff, extension.ends_at - after.starts_at)
    more_minor = longer - reference.price_minor(spot.tariff, after.ends_at - after.starts_at)
    if extension.quote.amount_minor != more_minor:
        raise Violation(8, f"{extension.extension_id} costs {extension.quote.amount_minor}, it should {more_minor}")


def _extension_moved(commit: "Commit", after: Reservation, then: Extension, extension: Extension) -> None:
    commit.covered(f"extension {then.status} → {extension.status}")
    match then.status, extension.status:
        case ((E.HELD | E.EXPIRED), E.CONFIRMED):
            by_card = any(p.payment_id == extension.payment_id and p.method is Method.CARD for p in commit.new(Payment))
            lapsed = (commit.now >= then.hold_expires_at or then.status is E.EXPIRED) and not by_card
            if lapsed or commit.now >= then.previous_ends_at:
                raise Violation(8, f"{extension.extension_id} was confirmed after its hold")
            _paid(commit, after, extension.extension_id, extension.quote.amount_minor, extension.payment_id)
        case E.HELD, E.EXPIRED:
            given_up = after.status not in reference.RUNNING or commit.by("move", after.user_id)
            if extension.payment_id or (commit.now < then.hold_expires_at and not given_up):
                raise Violation(8, f"{extension.extension_id} expired before its time, or paid")
        case _:
            raise Violation(7, f"{extension.extension_id} went from {then.status} to {extension.status}")


def _check_due(commit: "Commit", before: Reservation | None, after: Reservation) -> None:
    due = (after.due.at, after.due.step) if after.due else None
    if due != reference.due(after):
        raise Violation(10, f"{after.reservation_id} is due {due}, it should be {reference.due(after)}")
    if before and before.guard_due_at != after.guard_due_at and commit.by("prepare_upcoming"):
        commit.memory.looked_at.append(after.key)
    if before is not None and before.guard_due_at and after.guard_due_at is None and after.status is S.CONFIRMED:
        _check_guarded(commit, after)
    again_at = after.finish_due_at
    moved = before is not None and again_at is not None and again_at != before.finish_due_at
    if moved and again_at != commit.now + reference.MINUTE:
        raise Violation(10, f"{after.reservation_id} is looked at again at {again_at}")


def _check_guarded(commit: "Commit", after: Reservation) -> None:
    """A stay is looked after until the barrier stands for this very stay, or its time is over."""
    blocker = commit.world.store.get(Blocker, after.blocker_id)
    at = reference.blocker_time(blocker, commit.now) if blocker else commit.now
    if blocker is None or at >= after.ends_at or commit.world.faults.struck_here:
        return
    wish = reference.wanted(blocker, Position.LOWERED, commit.at_spot(after.spot_id), at)
    if wish != reference.Wish(Position.RAISED, after.reservation_id) or blocker.position is not Position.RAISED:
        raise Violation(10, f"{after.reservation_id} is not looked after any more")


def _check_claim(commit: "Commit", before: Reservation | None, after: Reservation) -> None:
    stay = reference.claimed(after)
    until = reference.blocked_until(after)
    store = commit.world.store
    if after.status in (S.EXPIRED, S.CANCELLED):
        waiting = max([after.ends_at, *(e.ends_at for e in after.extensions)])
        days = reference.days_between(after.starts_at, waiting + timedelta(minutes=after.turnover_minutes))
    else:
        days = reference.days_between(stay[0], until) if stay and until else []
    for day in store.get_many(CalendarDay, [(after.spot_id, day.isoformat()) for day in days]):
        shown = [c for c in day.claims if c.reservation_id == after.reservation_id]
        if [(c.stay.starts_at, c.stay.ends_at, c.blocked_until) for c in shown] != ([(*stay, until)] if stay else []):
            raise Violation(1, f"the calendar shows {after.reservation_id} as {shown}, it claims {stay}")
        days.remove(day.day)
    if stay and days:
        raise Violation(1, f"the calendar does not show {after.reservation_id} on {days}")
    claimed = (after.spot_id, stay, until)
    if before and (before.spot_id, reference.claimed(before), reference.blocked_until(before)) == claimed:
        return  # an overlap begins with a claim that is new
    for other in commit.at_spot(after.spot_id):
        if other.reservation_id != after.reservation_id and reference.collide(after, other):
            raise Violation(1, f"{after.reservation_id} and {other.reservation_id} overlap")
