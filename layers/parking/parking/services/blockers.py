"""The one reconcile that every trigger calls, and what feeds it: reports and presence."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from parking.domain.blocker import (
    Blocker,
    Command,
    CommandStatus,
    Connectivity,
    Position,
    Wanted,
    receive,
    see_presence,
    steer,
)
from parking.domain.calendar import Calendar
from parking.domain.guarding import wanted_position, watched_over
from parking.domain.ids import BlockerId
from parking.domain.reservation import ARRIVAL_LEAD, Reservation, arrive
from parking.domain.spot import Spot
from parking.domain.time import Interval
from parking.domain.watching import watched
from parking.services.commit import ATTEMPTS, until_committed
from parking.services.ports import Aggregate, Busy, ShadowConflict, ShadowDocument, Shadows, ShadowUnavailable, Store


def _unchanged(blocker: Blocker) -> Blocker:
    return blocker


def reconcile(
    store: Store,
    shadows: Shadows,
    blocker_id: BlockerId,
    now: datetime,
    *,
    document: ShadowDocument | None = None,
    learn: Callable[[Blocker], Blocker] = _unchanged,
) -> Blocker | None:
    """Bring what the blocker is told in line with its spot, its reservations, its last report and `now`.

    `document` and `learn` are the trigger's news. Lost, doubled and late triggers change nothing in the end (design,
    rule 5). The command is committed before it is sent and sent again until the device names it, so a crash in between
    loses nothing; what the shadow holds already is not written again, since each write is itself a trigger.
    None if nobody knows the blocker. Raises Busy, ShadowUnavailable.
    """
    for _ in range(ATTEMPTS):
        blocker = until_committed(partial(_decide, store, blocker_id, now, document, learn))
        if blocker is None or blocker.command is None:
            return blocker
        if blocker.command.status is not CommandStatus.PENDING or blocker.acknowledged:
            return blocker
        if blocker.command.position is Position.RAISED and not blocker.may_raise(blocker.no_earlier(now)):
            return blocker  # a car came since it was decided
        if document and document.desired_command_id == blocker.command.command_id:
            return blocker
        try:
            shadows.desire(blocker_id, blocker.command, blocker.shadow_version)
        except ShadowConflict:
            # The shadow has moved since: hear it before telling the device anything.
            document = shadows.get(blocker_id)
        else:
            return blocker
    raise Busy(f"the shadow of {blocker_id} moved {ATTEMPTS} times")


def reconciled(
    store: Store, shadows: Shadows, blocker_id: BlockerId, now: datetime
) -> tuple[Blocker | None, Busy | ShadowUnavailable | None]:
    """The blocker after a reconcile, or as it is where its machine cannot be told now, and why not.

    For who has more to look at than the machine: the failure is to be raised once that is done.
    """
    try:
        return reconcile(store, shadows, blocker_id, now), None
    except (Busy, ShadowUnavailable) as failure:
        return store.get(Blocker, blocker_id), failure


def seen(connectivity: Connectivity, at: datetime, version: int) -> Callable[[Blocker], Blocker]:
    """The news of a connect or disconnect."""
    return partial(see_presence, connectivity=connectivity, at=at, version=version)


def _decide(
    store: Store,
    blocker_id: BlockerId,
    now: datetime,
    document: ShadowDocument | None,
    learn: Callable[[Blocker], Blocker],
) -> Blocker | None:
    """One load-decide-commit: learn the news, see arrivals that the machine has answered, steer."""
    stored = store.get(Blocker, blocker_id)
    spot = store.get(Spot, stored.spot_id) if stored else None
    if stored is None or spot is None:
        return None
    blocker = learn(stored)
    if document and document.report:
        blocker = receive(blocker, document.report, document.version)
    now = blocker.no_earlier(now)
    calendar, before = _current(store, spot, now)
    after = [_arrived(reservation, blocker) for reservation in before]
    wanted = _wanted(spot, after, blocker, now)
    blocker = watched(steer(blocker, wanted, now), wanted, now)
    after = [watched_over(reservation, spot, blocker, now) for reservation in after]
    known = stored.commands
    news = [command for command in blocker.commands if command not in known]
    elsewhere = _asked_for_elsewhere(store, news, before)
    changed = zip((*after, *elsewhere), (*before, *elsewhere), strict=True)
    saves: list[Aggregate] = [new for one, old in changed if (new := _evidenced(one, news)) != old]
    if blocker != stored:
        saves.append(blocker)
    if saves:
        store.commit(*saves, unchanged=_decided_on(stored, blocker, calendar, before, now))
    return blocker


def _wanted(spot: Spot, reservations: list[Reservation], blocker: Blocker, now: datetime) -> Wanted:
    """What the spot and its stays ask for, unless an operator's word stands above it.

    A RAISE stands above no driver's way in or out: a LOWER is refused to nobody who has come.
    """
    wanted = wanted_position(spot, reservations, now)
    override = blocker.override
    if override is None or now >= override.until or override.position is wanted.position:
        return wanted
    lets_through = wanted.position is Position.LOWERED and wanted.reservation_id is not None
    return wanted if lets_through else Wanted(override.position)


def _current(store: Store, spot: Spot, now: datetime) -> tuple[Calendar, list[Reservation]]:
    """The days that touch now, and the reservations whose time at the spot is now or about to begin."""
    days = Interval(now, now + ARRIVAL_LEAD + timedelta(microseconds=1)).utc_days()
    calendar = store.calendar(spot.spot_id, days)
    keys = [
        (claim.user_id, claim.reservation_id)
        for claim in calendar.claims
        if claim.stay.starts_at - ARRIVAL_LEAD <= now < claim.stay.ends_at
    ]
    return calendar, store.get_many(Reservation, keys) if keys else []


def _decided_on(
    stored: Blocker, blocker: Blocker, calendar: Calendar, reservations: list[Reservation], now: datetime
) -> tuple[Aggregate, ...]:
    """A new command is true only as long as the reservations are that it was decided on, and nobody else comes.

    In a stay's own time nobody can: its claim keeps them out.
    """
    command, last = blocker.command, stored.command
    if command is None or (last and last.command_id == command.command_id):
        return ()
    begun = (one for one in reservations if one.starts_at <= now)
    alone = any(one.reservation_id == command.reservation_id for one in begun)
    return tuple(reservations) if alone else (*calendar.days, *reservations)


def _asked_for_elsewhere(store: Store, news: list[Command], current: list[Reservation]) -> list[Reservation]:
    """The reservations whose commands are new or have come to something, and whose time is over."""
    known = {reservation.key for reservation in current}
    owners = ((one.user_id, one.reservation_id) for one in news)
    keys = {(user_id, reservation_id) for user_id, reservation_id in owners if user_id and reservation_id} - known
    return store.get_many(Reservation, sorted(keys)) if keys else []


def _evidenced(reservation: Reservation, news: list[Command]) -> Reservation:
    """The reservation with what has become of its commands; known to it as soon as to the blocker."""
    own = [one for one in news if one.reservation_id == reservation.reservation_id]
    return replace(reservation, evidence=reservation.evidence.recording(own)) if own else reservation


def _arrived(reservation: Reservation, blocker: Blocker) -> Reservation:
    """The reservation, ACTIVE if the machine has gone down for its owner's arrival, however late.

    Either it has done a LOWER, or it says that the owner has typed the code at the barrier.
    """
    asked, report = reservation.arrival_requested_at, blocker.report
    if asked is None:
        return reservation
    if report and report.opened_for == reservation.reservation_id and report.position is Position.LOWERED:
        # The device's clock may have been wrong meanwhile: what cannot be is not believed.
        at = min(report.opened_at or report.received_at, report.received_at)
        return arrive(reservation, max(at, asked))
    for done in blocker.commands:
        lowered = done.status is CommandStatus.SUCCEEDED and done.position is Position.LOWERED
        if lowered and done.reservation_id == reservation.reservation_id and done.created_at >= asked:
            return arrive(reservation, done.ended_at or done.created_at)
    return reservation
