"""What operators are told of the blockers: who is silent is found, each change is told once, and what passes clears."""

from datetime import datetime
from typing import TYPE_CHECKING

from parking.domain.audit import AuditEntry
from parking.domain.blocker import Blocker
from parking.domain.spot import Spot
from tests.simulation import reference
from tests.simulation.violation import Violation

if TYPE_CHECKING:
    from tests.simulation.invariants import Commit
    from tests.simulation.world import World


def check(commit: "Commit", before: Blocker, after: Blocker) -> None:
    """Only the schedule tells, only what is so; and what it has to look at stands in the index. Raises Violation."""
    if commit.by("provision") or commit.new(AuditEntry):  # an operator's word is written down, and then decided on
        return
    at = _time(after, commit.now)
    was, now = before.watch, after.watch
    if (was.health, was.conditions) != (now.health, now.conditions):
        _told(commit, before, after, at)
    elif not commit.world.faults.struck_here:  # else the wish may have changed since it was read
        _check_symptoms(commit, before, after)
    _check_due(after, at)


def ticked(world: "World", at: datetime) -> None:
    """The schedule has run undisturbed: what operators know of each blocker is so."""
    for blocker in world.store.all_of(Blocker):
        due_at = blocker.watch.due_at
        # What was heard since is told by the next tick; a late one has been overtaken by others.
        if (due_at and due_at <= at + reference.MINUTE) or world.now > at + reference.MINUTE:
            continue
        # What was so at the tick's time may have passed when the tick came.
        if _time(blocker, at) == at and not any(_is_known(blocker, when) for when in (at, world.now)):
            raise Violation(9, f"{blocker.blocker_id} at {at} is not what operators know: {blocker.watch}")


def _is_known(blocker: Blocker, now: datetime) -> bool:
    is_so = (reference.health(blocker, now), reference.conditions(blocker, now))
    return is_so == (blocker.watch.health, blocker.watch.conditions)


def _time(blocker: Blocker, now: datetime) -> datetime:
    """Nor does it run back behind what was told last."""
    return max(reference.blocker_time(blocker, now), blocker.watch.told_at or now)


def _told(commit: "Commit", before: Blocker, after: Blocker, at: datetime) -> None:
    was, now = before.watch, after.watch
    if not commit.by("check_health"):
        raise Violation(9, f"{after.blocker_id}: {was} → {now}, and nobody says so")
    if (after.key, now.health, now.conditions) not in commit.memory.alarms:
        raise Violation(9, f"{after.blocker_id} is {now}, and no operator was told")
    if now.health is not reference.health(after, at) or now.conditions != reference.conditions(after, at):
        raise Violation(9, f"{after.blocker_id} is told to be {now}; it is {reference.health(after, at)}")
    if now.health is not was.health:
        commit.covered(f"health {was.health} → {now.health}")
    for condition in now.conditions ^ was.conditions:
        commit.covered(f"{condition} {'begins' if condition in now.conditions else 'ends'}")


def _check_symptoms(commit: "Commit", before: Blocker, after: Blocker) -> None:
    """They are what the last report shows, for the wish of that moment."""
    spot = commit.world.store.get(Spot, after.spot_id)
    only_looked = commit.by("check_health") and before.watch.symptoms == after.watch.symptoms
    if spot is None or only_looked:
        return
    heard = after.report.received_at if after.report else commit.now
    at = max(reference.blocker_time(before, commit.now), heard)
    wish = reference.wanted(after, spot.idle_position, commit.at_spot(after.spot_id), at)
    shown = reference.symptoms(after, wish, at, {one.condition for one in before.watch.symptoms})
    if {one.condition for one in after.watch.symptoms} != shown:
        raise Violation(9, f"{after.blocker_id} shows {shown}, and {after.watch.symptoms} is noted")
    began = {one.condition: one.since for one in before.watch.symptoms}
    if any(began.get(one.condition, one.since) != one.since for one in after.watch.symptoms):
        raise Violation(9, f"{after.blocker_id}: what goes on begins anew: {began}, {after.watch.symptoms}")


def _check_due(blocker: Blocker, at: datetime) -> None:
    """A look is due at once where something is to be told, else if and when time alone may change something."""
    due_at, changes_at = blocker.watch.due_at, reference.next_look(blocker, at)
    known = (blocker.watch.health, blocker.watch.conditions)
    if (reference.health(blocker, at), reference.conditions(blocker, at)) != known:
        if due_at is None or due_at > at:
            raise Violation(10, f"{blocker.blocker_id} has changed, and is looked at {due_at}")
    elif (due_at is None) is not (changes_at is None) or (due_at and changes_at and due_at > changes_at):
        raise Violation(10, f"{blocker.blocker_id} may change at {changes_at}, and is looked at {due_at}")
