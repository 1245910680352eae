"""Invariants 5 and 6: what a blocker is told, and what is believed of it."""

from typing import TYPE_CHECKING

from parking.domain.blocker import Blocker, Command, CommandStatus, Connectivity, Occupancy, Position
from parking.domain.spot import Spot
from parking_blocker import contract
from tests.simulation import reference
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
    if after.override != before.override and after.override:
        commit.covered(f"override {after.override.position}")
    if after.command is None or after.command == before.command:
        return
    told = before.command
    if told and told.command_id == after.command.command_id:
        _moved(commit, told, after.command)
        return
    if told:
        _moved_on(commit, told, after)
    _told(commit, after, told, after.command)


def _check_belief(commit: "Commit", before: Blocker, after: Blocker) -> None:
    if after.shadow_version < before.shadow_version:
        raise Violation(5, f"{after.blocker_id} forgot what it knew")
    if after.shadow_version and after.report != commit.world.reports.get((after.blocker_id, after.shadow_version)):
        raise Violation(5, f"{after.blocker_id} never said {after.report} (shadow {after.shadow_version})")
    if after.connectivity is not before.connectivity:
        commit.covered(f"blocker {before.connectivity} → {after.connectivity}")
        _check_presence(commit, after)
    told, heard = before.command, after.report
    if told and heard and heard != before.report and heard.command_id == told.command_id and heard.result:
        still = [c for c in (after.command, *after.history) if c and c.command_id == told.command_id]
        if told.status in _STEPS and (not still or still[-1].status not in (C.SUCCEEDED, C.REJECTED)):
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


def _moved_on(commit: "Commit", told: Command, after: Blocker) -> None:
    """The command before the newest one is in the history, and no longer open."""
    past = [c for c in after.history if c.command_id == told.command_id]
    if len(past) != 1 or past[0].status is C.PENDING:
        raise Violation(5, f"{after.blocker_id} was told anew while {told.command_id} was {past}")
    if past[0] != told:
        _moved(commit, told, past[0])


def _moved(commit: "Commit", told: Command, now: Command) -> None:
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
