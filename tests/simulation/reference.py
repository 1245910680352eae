"""The rules of the design once more, written plainly and without the code under test: what the checks compare with."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from parking.domain.blocker import Blocker, CommandStatus, Connectivity, Occupancy, Position, RejectReason
from parking.domain.calendar import CalendarDay
from parking.domain.due import Step
from parking.domain.health import Condition, Health
from parking.domain.ids import ReservationId
from parking.domain.reservation import Extension, ExtensionStatus, Reservation, ReservationStatus
from parking.domain.tariff import Tariff

S = ReservationStatus
LEAD = timedelta(minutes=15)
HOLD = timedelta(minutes=10)
TELL = timedelta(minutes=30)
TELL_TAKEN = timedelta(minutes=10)
WARN = timedelta(minutes=10)
OFFER = timedelta(minutes=5)
NEAR_M = 500
GRACE = timedelta(minutes=10)
LATE_MONEY = timedelta(minutes=10)
FRESH = timedelta(minutes=15)
MINUTE = timedelta(minutes=1)
GUARD_TIME = timedelta(minutes=2)
LOWER_WITHIN = timedelta(seconds=30)
CODE_LASTS = timedelta(minutes=8)  # six at most, and two that the clocks may differ
WRONG_CODES_FREE = 5
SKEW = timedelta(minutes=1)
WEEK = timedelta(days=7)
DAY = timedelta(days=1)
FARTHEST = timedelta(days=90)
EXTENSIONS_MAX = 20

RUNNING = (S.CONFIRMED, S.ACTIVE)
FINAL = (S.COMPLETED, S.EXPIRED, S.CANCELLED, S.NO_SHOW)


def price_minor(tariff: Tariff, duration: timedelta) -> int:
    """Every started step of the tariff, half a minor unit rounded up."""
    step_seconds = tariff.step_minutes * 60
    steps = -(-int(duration.total_seconds()) // step_seconds)
    exact_of_60 = steps * tariff.step_minutes * tariff.price_per_hour_minor
    return (exact_of_60 + 30) // 60


def open_extension(reservation: Reservation) -> Extension | None:
    """The one that waits for its payment."""
    waiting = [e for e in reservation.extensions if e.status is ExtensionStatus.HELD]
    return waiting[0] if waiting else None


def claimed(reservation: Reservation) -> tuple[datetime, datetime] | None:
    """The stay that the calendar has to show."""
    if reservation.status in (S.EXPIRED, S.CANCELLED):
        return None
    starts_at = max(reservation.moved.at, reservation.starts_at) if reservation.moved else reservation.starts_at
    ends_at = reservation.ends_at
    waiting = open_extension(reservation)
    if waiting:
        ends_at = waiting.ends_at
    if reservation.status is S.COMPLETED and reservation.ended_at:
        ends_at = min(ends_at, reservation.ended_at)
    return (starts_at, ends_at) if starts_at < ends_at else None


def blocked_until(reservation: Reservation) -> datetime | None:
    """Until when its claim keeps neighbours away; None where it claims nothing."""
    stay = claimed(reservation)
    return stay[1] + timedelta(minutes=reservation.turnover_minutes) if stay else None


def collide(one: Reservation, other: Reservation) -> bool:
    """Whether two claims, their turnover included, share an instant."""
    first, second = claimed(one), claimed(other)
    ends, others_end = blocked_until(one), blocked_until(other)
    if first is None or second is None or ends is None or others_end is None:
        return False
    return first[0] < others_end and second[0] < ends


def claims(reservation: Reservation, start: datetime, until: datetime) -> bool:
    """Whether its claim, the turnover included, touches [start, until)."""
    claim = claimed(reservation)
    if claim is None:
        return False
    return claim[0] < until and start < claim[1] + timedelta(minutes=reservation.turnover_minutes)


def days_between(start: datetime, end: datetime) -> list[date]:
    """The UTC days of [start, end)."""
    day, days = start.astimezone(UTC).date(), []
    while datetime(day.year, day.month, day.day, tzinfo=UTC) < end:
        days.append(day)
        day += DAY
    return days


def due(reservation: Reservation) -> tuple[datetime, Step] | None:
    """What a schedule has to do next with it; a lapsed hold goes before what falls due in the same minute."""
    if reservation.status is S.HELD:
        return reservation.hold_expires_at, Step.RELEASE_HOLD
    if reservation.status not in RUNNING:
        return None
    waiting = open_extension(reservation)
    steps = [(waiting.hold_expires_at, Step.RELEASE_HOLD)] if waiting else []
    if not waiting:
        steps.append((reservation.finish_due_at or reservation.ends_at, Step.FINISH))
    if reservation.told_end != reservation.ends_at:
        steps.append((reservation.ends_at - TELL, Step.TELL_END))
    elif reservation.tell_taken_at:
        steps.append((reservation.tell_taken_at, Step.TELL_END))
    if reservation.guard_due_at:
        steps.append((reservation.guard_due_at, Step.GUARD))
    return min(steps, key=lambda step: (step[0] - MINUTE if step[1] is Step.RELEASE_HOLD else step[0], step[1]))


@dataclass(frozen=True, slots=True)
class Wish:
    """Where a blocker should be, and for which reservation."""

    position: Position
    reservation_id: ReservationId | None


def wanted(blocker: Blocker, idle: Position, reservations: Iterable[Reservation], now: datetime) -> Wish:
    """The earliest paid stay whose time is now or begins within 15 minutes, else idle; above it an operator's word.

    But whoever has come is let in and out.
    """
    wish = Wish(idle, None)
    current = [r for r in reservations if r.status in RUNNING and r.starts_at - LEAD <= now < r.ends_at]
    if current:
        first = min(current, key=lambda r: r.starts_at)
        keeps_free = first.status is S.CONFIRMED and first.arrival_requested_at is None
        if not keeps_free:
            return Wish(Position.LOWERED, first.reservation_id)
        wish = Wish(Position.RAISED, first.reservation_id)
    if blocker.override and now < blocker.override.until and blocker.override.position is not wish.position:
        return Wish(blocker.override.position, None)
    return wish


def blocker_time(blocker: Blocker, now: datetime) -> datetime:
    """A blocker's time does not run back behind its newest report and command (docs/decisions/0005)."""
    known = [now]
    if blocker.report:
        known.append(blocker.report.received_at)
    told = [one for one in (*blocker.history, blocker.command) if one]
    if told:
        known.append(told[-1].created_at)
    return max(known)


def seen(blocker: Blocker | None, now: datetime) -> Occupancy:
    """What the service may believe of the spot: a report that is fresh, of a device that is connected."""
    if blocker is None or blocker.report is None or blocker.connectivity is Connectivity.OFFLINE:
        return Occupancy.UNKNOWN
    return blocker.report.occupancy if now - blocker.report.received_at <= FRESH else Occupancy.UNKNOWN


def heard_at(blocker: Blocker) -> datetime | None:
    """The last sign of life."""
    signs = [blocker.presence_at, blocker.report.received_at if blocker.report else None]
    return max((at for at in signs if at), default=None)


def health(blocker: Blocker, now: datetime) -> Health:
    """By the last sign of life, by whether it is connected, and by whether it answers what it is told since then."""
    heard = heard_at(blocker)
    if heard is None or heard <= now - DAY:
        return Health.MISSING
    if blocker.connectivity is Connectivity.OFFLINE:
        return Health.OFFLINE
    told = [c for c in blocker.commands if c.created_at >= (blocker.presence_at or now)]
    ended = [c.status for c in told if c.status not in (CommandStatus.PENDING, CommandStatus.SUPERSEDED)]
    deaf = ended[-2:] == [CommandStatus.TIMED_OUT, CommandStatus.TIMED_OUT]
    return Health.SUSPECT if deaf or heard <= now - FRESH else Health.ONLINE


def symptoms(blocker: Blocker, wish: Wish, now: datetime, known: Iterable[Condition]) -> set[Condition]:
    """What the last report shows, however long it lasts. A battery counts as low from below 20 % until it has 25 %."""
    report, shown = blocker.report, set[Condition]()
    if report is None:
        return shown
    percent = 100 if report.battery_percent is None else report.battery_percent
    if percent < 20 or (percent < 25 and Condition.LOW_BATTERY in known):
        shown.add(Condition.LOW_BATTERY)
    if report.tamper:
        shown.add(Condition.TAMPER)
    vacant = seen(blocker, now) is Occupancy.VACANT
    if wish.position is Position.RAISED and report.position is Position.LOWERED and vacant:
        shown.add(Condition.LEFT_OPEN)
    answers = [c.reason for c in blocker.commands if c.answer]
    if report.position is Position.UNKNOWN or answers[-2:] == [RejectReason.OBSTRUCTED] * 2:
        shown.add(Condition.JAMMED)
    if report.occupancy is Occupancy.UNKNOWN:
        shown.add(Condition.SENSOR_FAULT)
    return shown


PATIENCE_MINUTES = {
    Condition.LOW_BATTERY: 0,
    Condition.TAMPER: 0,
    Condition.LEFT_OPEN: 10,
    Condition.JAMMED: 2,
    Condition.SENSOR_FAULT: 15,
}


def conditions_begin(blocker: Blocker) -> dict[Condition, datetime]:
    """When each symptom has lasted long enough to be told."""
    return {one.condition: one.since + PATIENCE_MINUTES[one.condition] * MINUTE for one in blocker.watch.symptoms}


def conditions(blocker: Blocker, now: datetime) -> frozenset[Condition]:
    """Symptoms that have lasted."""
    return frozenset(condition for condition, at in conditions_begin(blocker).items() if at <= now)


def next_look(blocker: Blocker, now: datetime) -> datetime | None:
    """When time alone may change what is known of a blocker; None: it has to speak first."""
    times = list(conditions_begin(blocker).values())
    if blocker.command and blocker.command.status is CommandStatus.PENDING:
        times.append(blocker.command.expires_at)
    if heard := heard_at(blocker):
        times += [heard + DAY] if blocker.connectivity is Connectivity.OFFLINE else [heard + FRESH, heard + DAY]
    return min((at for at in times if at > now), default=None)


def latest_end(reservation: Reservation, others: Iterable[Reservation]) -> datetime:
    """Until when a stay can be extended: a week in all, a day more, or up to the next claim less the turnover."""
    if len(reservation.extensions) >= EXTENSIONS_MAX:
        return reservation.ends_at
    turnover = timedelta(minutes=reservation.turnover_minutes)
    limits = [reservation.starts_at + WEEK, reservation.ends_at + DAY]
    for other in others:
        claim = claimed(other)
        if other.reservation_id != reservation.reservation_id and claim and claim[0] >= reservation.ends_at:
            limits.append(claim[0] - turnover)
    return max(min(limits), reservation.ends_at)


def taken_next(reservation: Reservation, others: Iterable[Reservation], step: timedelta) -> bool:
    """Whether the next claim leaves no room for one step more."""
    turnover = timedelta(minutes=reservation.turnover_minutes)
    starts = [claim[0] for other in others if (claim := claimed(other)) and claim[0] >= reservation.ends_at]
    return bool(starts) and min(starts) - turnover < reservation.ends_at + step


def car_is_seen(reservation: Reservation, blocker: Blocker | None, now: datetime) -> bool:
    """Whether what the sensor sees is this stay's car: not, once the barrier was told anything for another stay."""
    if blocker is None or seen(blocker, now) is not Occupancy.OCCUPIED:
        return False
    told = [c.reservation_id for c in (*blocker.history, blocker.command) if c and c.reservation_id]
    return not told or told[-1] == reservation.reservation_id


def overstayer(reservation: Reservation, others: Iterable[Reservation], blocker: Blocker | None, now: datetime) -> bool:
    """Whether another stay, whose time is over, keeps the driver from the spot."""
    return parked_instead(reservation, (other for other in others if other.ends_at <= now), blocker, now)


def parked_instead(
    reservation: Reservation, others: Iterable[Reservation], blocker: Blocker | None, now: datetime
) -> bool:
    """Whether the car of another stay is on the spot, be it that its driver came ahead of their time."""
    return any(
        other.key != reservation.key and other.status is S.ACTIVE and car_is_seen(other, blocker, now)
        for other in others
    )


def waits(reservation: Reservation, now: datetime) -> bool:
    """Whether its driver is expected at the spot and has not come."""
    expected = reservation.status is S.CONFIRMED and reservation.arrival_requested_at is None
    return expected and reservation.starts_at - WARN <= now < reservation.ends_at


def may_choose(reservation: Reservation, now: datetime) -> bool:
    """Whether another spot, or all money back, is on offer."""
    expected = reservation.status is S.CONFIRMED and reservation.arrival_requested_at is None
    return expected and let_down(reservation) and now < reservation.ends_at


def came(reservation: Reservation) -> bool:
    """Whether the driver stood before the barrier for as long as it has to go down, till the end at the latest."""
    asked = reservation.arrival_requested_at
    return asked is not None and asked + LOWER_WITHIN <= reservation.ends_at


def let_down(reservation: Reservation) -> bool:
    """Whether the spot could not be relied on, by our fault."""
    told = (reservation.displaced_at, reservation.guard_failed_at, reservation.unserved_at)
    return told != (None, None, None)


def came_by_code(blocker: Blocker | None, reservation: Reservation) -> bool:
    """Whether the barrier is down, and says that the stay's driver has typed the code."""
    report = blocker.report if blocker else None
    return report is not None and (report.position, report.opened_for) == (
        Position.LOWERED,
        reservation.reservation_id,
    )


def guards(blocker: Blocker | None, reservation: Reservation) -> bool:
    """Whether the barrier is up, and was raised for this very stay."""
    if blocker is None or blocker.command is None or blocker.position is not Position.RAISED:
        return False
    told = blocker.command
    raised = told.position is Position.RAISED and told.status is CommandStatus.SUCCEEDED
    return raised and told.reservation_id == reservation.reservation_id


def credit_minor(refunded_minor: int) -> int:
    """A tenth, at least 1.00 and at most 10.00, and never more than what was paid."""
    return min(max(refunded_minor // 10, 100), 1000, refunded_minor)


def days_collide(day: CalendarDay) -> bool:
    """Whether two claims of a day overlap, or one reservation stands there twice."""
    claims = sorted(day.claims, key=lambda claim: claim.stay.starts_at)
    apart = all(one.blocked_until <= next_.stay.starts_at for one, next_ in pairwise(claims))
    return not apart or len({claim.reservation_id for claim in claims}) != len(claims)
