"""Invariants 5 and 6: what a blocker is told, and what is believed of it."""

from typing import TYPE_CHECKING

from parking.domain.audit import AuditEntry
from parking.domain.blocker import Blocker, Command, CommandStatus, Connectivity, Occupancy, Position
from parking.domain.reservation import Reservation, ReservationStatus
from parking.domain.spot import Spot
from parking_blocker import contract
from tests.simulation import check_guard, check_watching, reference
from tests.simulation.doors import Presence
from tests.simulation.violation import Violation

if TYPE_CHECKING:
    from tests.simulation.invariants import Commit

C = CommandStatus
_STEPS = {
    C.PENDING: (C.SUCCEEDED, C.REJECTED, C.TIMED_OUT, C.SUPERSEDED),
    C.TIMED_OUT: (C.SUCCEEDED, C.REJECTED),
}


def check(commit: "Commit", before: Blocker | None, after: Blocker) -> None:
    """Raises Violation."""
    if before is None:
        return
    _check_belief(commit, before, after)
    if after.override != before.override:
        if not commit.new(AuditEntry):
            raise Violation(6, f"nobody says why {after.blocker_id} has the override {after.override}")
        commit.covered(f"override {after.override.position if after.override else 'dropped'}")
    check_guard.check_blocker(commit, after)
    _check_commands(commit, before, after)
    check_watching.check(commit, before, after)
    told = before.command
    if after.command is None or (told and told.command_id == after.command.command_id):
        return
    if told:
        _moved_on(told, after)
    _told(commit, after, told, after.command)


def _check_belief(commit: "Commit", before: Blocker, after: Blocker) -> None:
    if after.shadow_version < before.shadow_version:
        raise Violation(5, f"{after.blocker_id} forgot what it knew")
    if after.shadow_version and after.report != commit.world.reports.get((after.blocker_id, after.shadow_version)):
        raise Violation(5, f"{after.blocker_id} never said {after.report} (shadow {after.shadow_version})")
    if after.connectivity is not before.connectivity:
        commit.covered(f"blocker {before.connectivity} → {after.connectivity}")
        _check_presence(commit, after)
    heard = after.report
    if heard is None or heard == before.report or heard.result is None:
        return
    for told in before.commands:
        if told.command_id == heard.command_id and told.answer is None:
            still = [c for c in after.commands if c.command_id == told.command_id]
            if not still or still[0].answer is not heard.result:
                raise Violation(5, f"{told.command_id} was {told.status}; the device answers {heard.result}: {still}")


def _check_presence(commit: "Commit", after: Blocker) -> None:
    """A connection's end does not count against a newer connection, nor its begin after its end."""
    news = commit.invocation.event if commit.invocation else None
    if not isinstance(news, Presence):
        return
    newest = commit.memory.presence.get(after.blocker_id, news)
    rank = (news.version, news.connectivity is Connectivity.OFFLINE)
    if rank < (newest.version, newest.connectivity is Connectivity.OFFLINE):
        raise Violation(5, f"{after.blocker_id} is {after.connectivity} by {news}, after {newest}")


def _moved_on(told: Command, after: Blocker) -> None:
    """The command before the newest one is in the history, and no longer open."""
    past = [c for c in after.history if c.command_id == told.command_id]
    if len(past) != 1 or past[0].status is C.PENDING:
        raise Violation(5, f"{after.blocker_id} was told anew while {told.command_id} was {past}")


def _check_commands(commit: "Commit", before: Blocker, after: Blocker) -> None:
    """Each command moves by the rules, and its stay knows of it as soon as the blocker does."""
    was = {command.command_id: command for command in before.commands}
    for command in after.commands:
        known = was.get(command.command_id)
        if command == known:
            continue
        if known:
            _moved(commit, known, command)
        if command.user_id and command.reservation_id:
            stay = commit.world.store.get(Reservation, command.user_id, command.reservation_id)
            if stay is None:
                raise Violation(5, f"{command.command_id} is for {command.reservation_id}, which is not there")
            _check_evidence(stay, command)
            _check_arrival(commit, stay, after, command)
    _check_code(commit, after)


def _check_code(commit: "Commit", after: Blocker) -> None:
    """A stay begins also when the machine says that it has gone down for its driver's code."""
    came = after.report.opened_for if after.report else None
    for stay in commit.at_spot(after.spot_id) if came else ():
        waits = stay.status is ReservationStatus.CONFIRMED and stay.arrival_requested_at is not None
        in_time = reference.blocker_time(after, commit.now) < stay.ends_at
        if waits and in_time and reference.came_by_code(after, stay):
            raise Violation(7, f"{after.blocker_id} went down for {stay.reservation_id}, which is still CONFIRMED")


def _check_evidence(stay: Reservation, command: Command) -> None:
    """What the receipt will say: what was asked when, what became of it, what the device said and when."""
    for one in stay.evidence.entries:
        if one.command_id == command.command_id:
            asked = (one.position, one.asked_at, one.expires_at) == (
                command.position,
                command.created_at,
                command.expires_at,
            )
            ended = (one.status, one.ended_at) == (command.status, command.ended_at)
            said = (one.answer, one.reason, one.answered_at) == (command.answer, command.reason, command.answered_at)
            if asked and ended and said:
                return
    raise Violation(5, f"{stay.reservation_id} knows nothing of {command}")


def _check_arrival(commit: "Commit", stay: Reservation, blocker: Blocker, command: Command) -> None:
    """A stay begins with the first LOWER that the machine has done since its driver came, also if others followed."""
    asked = stay.arrival_requested_at
    if stay.status is not ReservationStatus.CONFIRMED or asked is None or command.created_at < asked:
        return
    in_time = reference.blocker_time(blocker, commit.now) < stay.ends_at
    if command.position is Position.LOWERED and command.status is C.SUCCEEDED and in_time:
        raise Violation(7, f"{command.command_id} is done, and {stay.reservation_id} is still CONFIRMED")


def _moved(commit: "Commit", told: Command, now: Command) -> None:
    if told.status is now.status is C.SUPERSEDED and told.answer is None and now.answer:
        if now.answer not in [result.value for result, _ in commit.world.answered.get(now.command_id, ())]:
            raise Violation(5, f"{now.command_id} counts as {now.answer}, and the device never said so")
        commit.covered("command SUPERSEDED answered")
        return
    if now.status is told.status or now.status not in _STEPS.get(told.status, ()):
        raise Violation(7, f"{told.command_id} went from {told.status} to {now.status}")
    commit.covered(f"command {told.status} → {now.status}")
    answers = commit.world.answered.get(now.command_id, set())
    match now.status:
        case C.SUCCEEDED:
            if (contract.Result.DONE, contract.Position(now.position)) not in answers:
                raise Violation(5, f"{now.command_id} counts as done, and the device never said so")
        case C.REJECTED:
            if contract.Result.REJECTED not in [result for result, _ in answers]:
                raise Violation(5, f"{now.command_id} counts as rejected, and the device never said so")
        case C.TIMED_OUT:
            if now.ended_at is None or now.ended_at < now.expires_at:
                raise Violation(5, f"{now.command_id} timed out at {now.ended_at}, before {now.expires_at}")
        case _:
            pass


def _told(commit: "Commit", blocker: Blocker, told: Command | None, command: Command) -> None:
    at = command.created_at
    commit.covered("command – → PENDING")
    if command.command_id in commit.memory.commands:
        raise Violation(4, f"{command.command_id} is the id of two commands")
    commit.memory.commands.add(command.command_id)
    if (told and at < told.created_at) or (blocker.report and at < blocker.report.received_at):
        raise Violation(5, f"{command.command_id} is of {at}, before what {blocker.blocker_id} had seen")
    if command.status is not C.PENDING:
        raise Violation(7, f"{command.command_id} begins as {command.status}")
    spot = commit.world.store.get(Spot, blocker.spot_id)
    if spot is None:
        raise Violation(5, f"{blocker.blocker_id} stands nowhere")
    wish = reference.wanted(blocker, spot.idle_position, commit.at_spot(blocker.spot_id), at)
    if (command.position, command.reservation_id) != (wish.position, wish.reservation_id):
        number = 5 if command.position is Position.RAISED else 6
        raise Violation(number, f"{blocker.blocker_id} is told {command.position} for {command.reservation_id}: {wish}")
    if command.position is Position.RAISED and reference.seen(blocker, at) is not Occupancy.VACANT:
        raise Violation(5, f"{blocker.blocker_id} is told RAISED, and it is {reference.seen(blocker, at)}")
