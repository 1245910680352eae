"""What happens by itself when its time comes. Each run reads only what is due and checks every item again.

Skipped, doubled and late ticks do no harm: `now` is the tick's own time, and what was too much waits for the next.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from parking.domain.blocker import Blocker
from parking.domain.calendar import Calendar
from parking.domain.due import Step
from parking.domain.ending import expire_hold, finish, mark_told
from parking.domain.errors import NotFound
from parking.domain.extending import latest_end, taken_next
from parking.domain.guarding import arrival_has_failed, car_is_seen, guard_has_failed, look_again
from parking.domain.notification import Notification, NotificationKind
from parking.domain.reservation import Reservation, ReservationStatus
from parking.services import notices
from parking.services.blockers import reconciled
from parking.services.bookings import commit_cancellation, commit_end, days_ahead, given_back
from parking.services.displaced import tell_who_waits
from parking.services.neighbours import parked_instead
from parking.services.open_payments import abandoned
from parking.services.ports import Key, Shadows, Store
from parking.services.spots import spot_of
from parking.services.sweeping import ONE_BY_ONE, Pace, Swept, is_due, sweep
from parking.services.unserved import look_after_unserved

Handle = Callable[[Reservation], bool]
_TAKEN = (NotificationKind.STAY_ENDING_SPOT_TAKEN, NotificationKind.SPOT_TAKEN_NEXT)


def expire_holds(store: Store, now: datetime, pace: Pace = ONE_BY_ONE) -> Swept:
    """Free the intervals of holds that lapsed unpaid, reservations' and extensions'."""

    def handle(before: Reservation) -> bool:
        after = expire_hold(before, now)
        if after == before:
            return False
        ended = after.status is ReservationStatus.EXPIRED
        notice = [notices.ended(after, 0, now)] if ended else []
        unpaid = abandoned(store, before, after, now)
        store.commit(after, *given_back(store, before, after), *unpaid, *notice)
        return True

    return _sweep(store, Step.RELEASE_HOLD, now, handle, pace)


def tell_ending(store: Store, now: datetime, pace: Pace = ONE_BY_ONE) -> Swept:
    """Half an hour before the end: until when the stay can be extended, or that somebody has the spot next.

    That is told once more ten minutes before the end. The commit checks that the calendar is what the notice says.
    """

    def handle(before: Reservation) -> bool:
        if now >= before.ends_at:  # a tick this late has nothing true to say
            store.commit(mark_told(before, taken=False, now=now))
            return True
        calendar = store.calendar(before.spot_id, days_ahead(before))
        ahead = [day for day in calendar.days if day.day >= before.ends_at.date()]
        notice = _ending_notice(store, before, calendar, now)
        taken = notice is not None and notice.kind in _TAKEN
        store.commit(mark_told(before, taken=taken, now=now), *([notice] if notice else []), unchanged=ahead)
        return True

    return _sweep(store, Step.TELL_END, now, handle, pace)


def _ending_notice(store: Store, reservation: Reservation, calendar: Calendar, now: datetime) -> Notification | None:
    """None where the end was told, and nobody has the spot next any more."""
    step = spot_of(store, reservation.spot_id).tariff.step
    if reservation.told_end == reservation.ends_at:
        return notices.taken_next(reservation, now) if taken_next(reservation, calendar, step) else None
    latest = latest_end(reservation, calendar)
    if latest >= reservation.ends_at + step:
        kind = NotificationKind.STAY_ENDING_EXTENDABLE
    elif taken_next(reservation, calendar, step):
        kind = NotificationKind.STAY_ENDING_SPOT_TAKEN
    else:
        kind = NotificationKind.STAY_ENDING_LONGEST
    return notices.ending(reservation, kind, latest, now)


def finish_stays(store: Store, now: datetime, pace: Pace = ONE_BY_ONE) -> Swept:
    """At the end: completed if the car is not seen there, a no-show if nobody came, watched on if it stays.

    Whose car stays is warned, and so are those who have the spot next.
    """

    def handle(before: Reservation) -> bool:
        blocker = store.get(Blocker, before.blocker_id)
        after = finish(before, car_is_seen(before, blocker, now), now)
        if after == before:
            return False
        if after.status is ReservationStatus.CANCELLED:
            commit_cancellation(store, before, after, now)
        elif after.status is ReservationStatus.ACTIVE:
            warning = [notices.overstaying(after, now)] if before.finish_due_at is None else []
            waiting = tell_who_waits(store, after, now)
            store.commit(after, *warning, *waiting.saves, unchanged=waiting.unchanged)
        else:
            commit_end(store, before, after, now)
        return True

    return _sweep(store, Step.FINISH, now, handle, pace)


def guard_upcoming(
    store: Store, shadows: Shadows, now: datetime, tell: Callable[[Reservation], None], pace: Pace = ONE_BY_ONE
) -> Swept:
    """Raise the blockers of stays that begin soon, and look again each minute until the machine does its part.

    Whose stay has begun without it is told, once. `tell` is for the operators: of that, and of a barrier that does not
    go down for its driver. They are told before it is written down, because who dies in between, or loses the store's
    answer, would never tell: an alarm that rings twice does less harm than one that does not. The machine is tried on,
    and where it cannot be reached its driver is looked after all the same.
    """

    def handle(before: Reservation) -> bool:
        blocker, unheard = reconciled(store, shadows, before.blocker_id, now)
        moved = look(_load(store, before.key), blocker)
        if unheard:
            raise unheard
        return moved

    def look(current: Reservation, blocker: Blocker | None) -> bool:
        guarded = blocker is not None and blocker.guards(current.reservation_id)
        after = look_again(current, guarded=guarded, now=now)
        if after == current:
            return False
        if look_after_unserved(store, current, now):
            return True
        if arrival_has_failed(current, now):
            after = replace(after, arrival_failed_at=now)
            tell(after)
        elif guard_has_failed(current, guarded, now) and not _is_kept_out(store, after, now):
            after = replace(after, guard_failed_at=now)
            tell(after)
            store.commit(after, notices.guard_failed(after, now))
            return True
        store.commit(after)
        return True

    return _sweep(store, Step.GUARD, now, handle, pace)


def _is_kept_out(store: Store, stay: Reservation, now: datetime) -> bool:
    """True where the car of the stay before is told of instead, or the barrier has risen at the last moment.

    The blocker is read after the stay: if the barrier rises after that, its answer is written into the stay, too, and
    so the commit of a failure is refused.
    """
    blocker = store.get(Blocker, stay.blocker_id)
    other = parked_instead(store, stay, blocker, now) if blocker else None
    return bool((blocker and blocker.guards(stay.reservation_id)) or (other and other.ends_at <= now))


def _sweep(store: Store, step: Step, now: datetime, handle: Handle, pace: Pace) -> Swept:
    def attempt(key: Key) -> bool:
        reservation = _load(store, key)
        return is_due(reservation.due, step, now) and handle(reservation)

    return sweep(store, step, now, attempt, pace)


def _load(store: Store, key: Key) -> Reservation:
    reservation = store.get(Reservation, *key)
    if reservation is None:
        raise NotFound("The due index names a reservation that is not there.")
    return reservation
