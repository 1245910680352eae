"""A blocker's health at an instant, and when to look again: silence makes no event, so it needs a time of its own.

What a blocker is and what operators were told of it are two things. Every decision brings the first up to date
(`watched`) and makes the blocker due at once if it differs; the schedule alone tells (`looked_at`). So each change is
told once, and what has come and gone within a minute is not told at all.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from parking.domain.blocker import (
    REPORT_FRESH_FOR,
    Blocker,
    CommandStatus,
    Connectivity,
    Occupancy,
    Position,
    RejectReason,
    Wanted,
)
from parking.domain.health import Condition, Health, Symptom

SILENT_AFTER = REPORT_FRESH_FOR  # three heartbeats; a spot that is not heard of cannot be guarded either
MISSING_AFTER = timedelta(hours=24)  # a power cut or a dead modem is mended by then; what is not wants a visit
TIMEOUTS_IN_A_ROW = 2  # one is bad luck
OBSTRUCTIONS_IN_A_ROW = 2
LOW_BATTERY_PERCENT = 20  # below 10 the device refuses to rise (docs/device.md)
CHARGED_PERCENT = 25  # a battery that trembles around 20 is told once
HEARTBEAT = timedelta(minutes=5)
PATIENCE = {
    Condition.LOW_BATTERY: timedelta(0),
    Condition.TAMPER: timedelta(0),
    Condition.LEFT_OPEN: timedelta(minutes=10),  # a driver's wish to stay, a few tries of the machine
    Condition.JAMMED: timedelta(minutes=2),  # one command's time: the next may free it
    Condition.SENSOR_FAULT: timedelta(minutes=15),  # dirt, snow and washing pass
}
"""How long a symptom must last to be a condition."""


def health_at(blocker: Blocker, now: datetime) -> Health:
    """How the blocker is, as far as it has been heard of."""
    heard_at = _heard_at(blocker)
    if heard_at is None or now - heard_at >= MISSING_AFTER:
        return Health.MISSING
    if blocker.connectivity is Connectivity.OFFLINE:
        return Health.OFFLINE
    if now - heard_at >= SILENT_AFTER or _leaves_commands_unanswered(blocker):
        return Health.SUSPECT
    return Health.ONLINE


def conditions_at(blocker: Blocker, now: datetime) -> frozenset[Condition]:
    """The symptoms that have lasted long enough."""
    lasting = (one.condition for one in blocker.watch.symptoms if now - one.since >= PATIENCE[one.condition])
    return frozenset(lasting)


def watched(blocker: Blocker, wanted: Wanted, now: datetime) -> Blocker:
    """The blocker with the symptoms that it shows now, and the time of the next look."""
    known = {one.condition: one for one in blocker.watch.symptoms}
    symptoms = tuple(known.get(one) or Symptom(one, now) for one in Condition if _shows(one, blocker, wanted, now))
    if symptoms != blocker.watch.symptoms:
        blocker = replace(blocker, watch=replace(blocker.watch, symptoms=symptoms))
    return _due(blocker, now)


def looked_at(blocker: Blocker, now: datetime) -> Blocker:
    """The blocker whose health operators are told of, if it differs from what they know."""
    now = _no_earlier(blocker, now)
    watch = blocker.watch
    health, conditions = health_at(blocker, now), conditions_at(blocker, now)
    if (health, conditions) != (watch.health, watch.conditions):
        blocker = replace(blocker, watch=replace(watch, health=health, conditions=conditions, told_at=now))
    return _due(blocker, now)


def _heard_at(blocker: Blocker) -> datetime | None:
    """The latest sign of life: a report, a connection, or a connection's end."""
    signs = [blocker.presence_at, blocker.report.received_at if blocker.report else None]
    return max((sign for sign in signs if sign), default=None)


def _leaves_commands_unanswered(blocker: Blocker) -> bool:
    """Two commands in a row timed out since it has connected: whatever it reports, it does not listen."""
    since = blocker.presence_at
    listened = (CommandStatus.SUCCEEDED, CommandStatus.REJECTED, CommandStatus.TIMED_OUT)
    given = [one for one in blocker.commands if one.status in listened and since and one.created_at >= since]
    newest = [one.status for one in given[-TIMEOUTS_IN_A_ROW:]]
    return newest == [CommandStatus.TIMED_OUT] * TIMEOUTS_IN_A_ROW


def _shows(condition: Condition, blocker: Blocker, wanted: Wanted, now: datetime) -> bool:
    report = blocker.report
    if report is None:
        return False
    match condition:
        case Condition.LOW_BATTERY:
            low = any(one.condition is condition for one in blocker.watch.symptoms)
            limit = CHARGED_PERCENT if low else LOW_BATTERY_PERCENT
            return report.battery_percent is not None and report.battery_percent < limit
        case Condition.TAMPER:
            return report.tamper
        case Condition.LEFT_OPEN:
            down = report.position is Position.LOWERED
            return wanted.position is Position.RAISED and down and blocker.may_raise(now)
        case Condition.JAMMED:
            return report.position is Position.UNKNOWN or _meets_obstacles(blocker)
        case Condition.SENSOR_FAULT:
            return report.occupancy is Occupancy.UNKNOWN


def _meets_obstacles(blocker: Blocker) -> bool:
    """Until the motor has done a command again: a stone does not go away because nobody drives."""
    answers = [one.reason for one in blocker.commands if one.answer]
    return answers[-OBSTRUCTIONS_IN_A_ROW:] == [RejectReason.OBSTRUCTED] * OBSTRUCTIONS_IN_A_ROW


def _due(blocker: Blocker, now: datetime) -> Blocker:
    """With the time of the next look.

    A look that is no later than it must be, and beyond the next heartbeat, stays: so a healthy blocker, which moves it
    ahead for ever, writes the index with every second heartbeat only, and is never looked at.
    """
    now, watch = _no_earlier(blocker, now), blocker.watch
    if (health_at(blocker, now), conditions_at(blocker, now)) != (watch.health, watch.conditions):
        due_at: datetime | None = min(watch.due_at or now, now)
    else:
        due_at = _changes_at(blocker, now)
        if watch.due_at and due_at and now + HEARTBEAT < watch.due_at <= due_at:
            due_at = watch.due_at
    return blocker if due_at == watch.due_at else replace(blocker, watch=replace(watch, due_at=due_at))


def _changes_at(blocker: Blocker, now: datetime) -> datetime | None:
    """When time alone may change what is known of it; None: never."""
    times = [one.since + PATIENCE[one.condition] for one in blocker.watch.symptoms]
    if blocker.command and blocker.command.status is CommandStatus.PENDING:
        times.append(blocker.command.expires_at)
    if heard_at := _heard_at(blocker):
        if blocker.connectivity is Connectivity.ONLINE:
            times.append(heard_at + SILENT_AFTER)
        times.append(heard_at + MISSING_AFTER)
    return min((at for at in times if at > now), default=None)


def _no_earlier(blocker: Blocker, now: datetime) -> datetime:
    """Not before what was told last: a late trigger does not take it back (docs/decisions/0005)."""
    return max(blocker.no_earlier(now), blocker.watch.told_at or now)
