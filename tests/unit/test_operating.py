"""An operator's word: it counts above the reservations for a while, is written down, and never breaks an interlock."""

from dataclasses import replace

import pytest

from parking.domain.audit import Action, Word
from parking.domain.blocker import Blocker, CommandStatus, Occupancy, Position, RejectReason, Result
from parking.domain.errors import NotFound
from parking.domain.ids import BlockerId
from parking.domain.spot import ServiceState, Spot
from parking.services.operating import obey
from parking.services.ports import Conflict
from parking.services.spots import spot_of
from tests.unit.world import ANNA, World, at

OUT, IN = Action.OUT_OF_SERVICE, Action.IN_SERVICE
STEERING = (Action.LOWER, Action.RAISE, Action.RESYNC, OUT, IN)


def say(world: World, action: Action, now: float, request_id: str = "") -> Blocker:
    word = Word(operator="Olga", reason="ticket 4711", request_id=request_id or f"{action}-{now}", at=at(now))
    return obey(world.store, world.shadows, world.spot.blocker_id, action, word)


def said(world: World) -> list[tuple[Action, str, str, str]]:
    """The audit, oldest first."""
    entries = world.store.audit(world.spot.blocker_id, 100)[::-1]
    return [(one.action, one.word.operator, one.word.reason, one.change) for one in entries]


@pytest.fixture
def guarded() -> World:
    """Anna's stay is about to begin, and the barrier is up for her."""
    world = World()
    world.device_reports(44)
    world.booked(ANNA, 60, 180)
    world.reconcile(46)
    world.device_obeys(47)
    return world


# RESYNC


def test_resync_gives_the_barrier_back_to_the_reservations(guarded: World) -> None:
    say(guarded, Action.LOWER, 48)
    guarded.device_obeys(48.5)
    blocker = say(guarded, Action.RESYNC, 49)
    assert blocker.override is None
    assert blocker.command is not None
    assert (blocker.command.position, blocker.command.status) == (Position.RAISED, CommandStatus.PENDING)


def test_resync_does_not_move_what_stands_right(guarded: World) -> None:
    before = guarded.blocker
    blocker = say(guarded, Action.RESYNC, 48)
    assert (blocker.command, blocker.report) == (before.command, before.report)


def test_resync_hears_a_shadow_that_was_deleted_and_counts_from_one_again(world: World) -> None:
    for now in range(1, 6):
        world.device_reports(now)
    assert world.blocker.shadow_version == 5
    world.shadows = type(world.shadows)()
    assert world.device_reports(6, Position.RAISED).position is Position.LOWERED, "an older version is no news"
    blocker = say(world, Action.RESYNC, 7)
    assert (blocker.position, blocker.shadow_version) == (Position.RAISED, 1)
    assert world.device_reports(8).position is Position.LOWERED


def test_resync_forgets_a_report_that_the_shadow_does_not_hold(world: World) -> None:
    world.device_reports(1)
    world.shadows = type(world.shadows)()
    blocker = say(world, Action.RESYNC, 2)
    assert (blocker.report, blocker.shadow_version) == (None, 0)
    assert blocker.occupancy(at(2)) is Occupancy.UNKNOWN


def test_resync_tries_at_once_what_was_put_off_after_obstructions(world: World) -> None:
    world.store.commit(replace(world.spot, version=1, idle_position=Position.RAISED))
    world.device_reports(1)
    told = world.blocker.command
    assert told is not None
    for now in (1.1, 1.7):
        obstructed = RejectReason.OBSTRUCTED
        world.device_reports(now, command_id=told.command_id, result=Result.REJECTED, reason=obstructed)
    assert world.blocker.command is not None
    assert world.blocker.command.command_id == told.command_id, "it waits a minute after an obstruction"
    command = say(world, Action.RESYNC, 1.8).command
    assert command is not None
    assert command.command_id != told.command_id
    assert world.blocker.history[-1].status is CommandStatus.REJECTED


def test_resync_ends_a_command_that_waits_and_sends_a_new_one(guarded: World) -> None:
    say(guarded, Action.LOWER, 48)
    waiting = guarded.blocker.command
    assert waiting is not None
    assert waiting.status is CommandStatus.PENDING
    blocker = say(guarded, Action.RESYNC, 48.2)
    assert [(one.command_id, one.status) for one in blocker.history][-1] == (
        waiting.command_id,
        CommandStatus.SUPERSEDED,
    )


def test_resync_that_comes_late_does_not_turn_the_blockers_time_back(guarded: World) -> None:
    say(guarded, Action.LOWER, 48)
    waiting = guarded.blocker.command
    assert waiting is not None
    blocker = say(guarded, Action.RESYNC, 47.5)
    assert blocker.command is not None
    assert blocker.command.command_id != waiting.command_id
    assert blocker.command.created_at >= waiting.created_at
    assert blocker.history[-1].ended_at == waiting.created_at


def test_resync_takes_the_answer_that_the_shadow_holds_already(guarded: World) -> None:
    say(guarded, Action.LOWER, 48)
    told = guarded.shadows.desired(guarded.spot.blocker_id)
    assert told is not None
    done = {"position": "LOWERED", "occupancy": "VACANT", "command_id": told.command_id, "result": "DONE"}
    guarded.shadows.report(guarded.spot.blocker_id, done, at(48.5))
    say(guarded, Action.RESYNC, 49)
    assert [one.status for one in guarded.blocker.history if one.command_id == told.command_id] == [
        CommandStatus.SUCCEEDED
    ]


# Out of service


def test_a_spot_is_taken_off_the_map_and_put_back(world: World) -> None:
    say(world, OUT, 1)
    assert spot_of(world.store, world.spot.spot_id).service_state is ServiceState.OUT_OF_SERVICE
    before = spot_of(world.store, world.spot.spot_id)
    say(world, OUT, 2)
    assert spot_of(world.store, world.spot.spot_id) == before
    say(world, IN, 3)
    assert spot_of(world.store, world.spot.spot_id).service_state is ServiceState.IN_SERVICE
    assert [change for *_, change in said(world)] == [
        "service state IN_SERVICE → OUT_OF_SERVICE",
        "service state OUT_OF_SERVICE → OUT_OF_SERVICE",
        "service state OUT_OF_SERVICE → IN_SERVICE",
    ]


# The audit


@pytest.mark.parametrize("action", STEERING)
def test_every_word_is_kept_with_who_and_why(world: World, action: Action) -> None:
    world.device_reports(1)
    say(world, action, 2)
    [(kept, operator, reason, change)] = said(world)
    assert (kept, operator, reason) == (action, "Olga", "ticket 4711")
    assert change


@pytest.mark.parametrize("action", STEERING)
def test_the_same_request_twice_is_one_word(world: World, action: Action) -> None:
    world.device_reports(1)
    first = say(world, action, 2, "one")
    again = say(world, action, 2, "one")
    assert (again.override, again.report) == (first.override, first.report)
    assert len(said(world)) == 1


@pytest.mark.parametrize("action", STEERING)
def test_nothing_changes_without_its_entry(world: World, action: Action) -> None:
    world.device_reports(1)
    stored, spot = world.blocker, spot_of(world.store, world.spot.spot_id)

    def lost() -> None:
        raise ConnectionError

    world.store.meanwhile(lost)
    with pytest.raises(ConnectionError):
        say(world, action, 2)
    assert (world.blocker, spot_of(world.store, world.spot.spot_id), said(world)) == (stored, spot, [])


def test_the_audit_outlives_the_ten_commands_of_the_history(world: World) -> None:
    world.device_reports(1)
    for n in range(12):
        now = 2 + n
        say(world, Action.RAISE if n % 2 == 0 else Action.LOWER, now)
        world.device_obeys(now + 0.5)
    assert len(world.blocker.history) == 10
    assert len(said(world)) == 12


def test_an_entry_is_never_written_over(world: World) -> None:
    say(world, IN, 1)
    [entry] = world.store.audit(world.spot.blocker_id, 1)
    with pytest.raises(Conflict):
        world.store.commit(replace(entry, version=0, change="nothing"))


def test_a_race_with_a_report_loses_neither(world: World) -> None:
    world.store.meanwhile(lambda: world.device_reports(1))
    blocker = say(world, Action.LOWER, 2)
    assert blocker.report is not None
    assert blocker.override is not None
    assert world.store.lost_races == 1
    assert len(said(world)) == 1


@pytest.mark.parametrize("action", STEERING)
def test_nobody_commands_what_is_not_there(world: World, action: Action) -> None:
    word = Word(operator="Olga", reason="of the test", request_id="one", at=at(0))
    with pytest.raises(NotFound):
        obey(world.store, world.shadows, BlockerId("blocker-none"), action, word)
    assert world.store.audit(BlockerId("blocker-none"), 10) == []
    assert len(world.store.all_of(Spot)) == 1
