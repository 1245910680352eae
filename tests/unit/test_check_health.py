"""The minute's look at the blockers: silence is found, each change is told once, commands end."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from blockers import check_health
from parking import wiring
from parking.domain.blocker import CommandStatus, Connectivity, Occupancy, Position
from parking.domain.health import Condition, Health
from parking.domain.watching import MISSING_AFTER
from parking.schedule import SweepFailed
from parking.services import watching
from parking.services.blockers import reconcile, reconciled, seen
from parking.services.ports import Conflict, StoreUnavailable
from parking.services.sweeping import Swept
from tests.builders import a_blocker, a_report
from tests.lambda_context import CONTEXT
from tests.unit.world import ANNA, World, at

H = Health


class Ears:
    """What operators are told."""

    def __init__(self) -> None:
        self.heard: list[tuple[Health, frozenset[Condition]]] = []

    def __call__(self, change: watching.Change) -> None:
        self.heard.append((change.blocker.watch.health, change.blocker.watch.conditions))


def look(world: World, now: float, ears: Ears) -> Swept:
    """The schedule's minute. Nothing may fail."""
    swept = watching.check_health(world.store, world.shadows, at(now), ears)
    assert swept.failures == {}
    return swept


def presence(world: World, connectivity: Connectivity, now: float, version: int) -> None:
    """The broker's word."""
    news = seen(connectivity, at(now), version)
    reconcile(world.store, world.shadows, world.spot.blocker_id, at(now), learn=news)


def test_a_blocker_that_falls_silent_is_found_within_a_minute_and_told_once(world: World) -> None:
    ears = Ears()
    world.device_reports(0)
    for minute in range(1, 40):
        look(world, minute, ears)
    assert ears.heard == [(H.ONLINE, frozenset()), (H.SUSPECT, frozenset())]
    assert world.blocker.watch.told_at == at(15)


def test_a_lost_blocker_is_offline_then_missing_then_online_again(world: World) -> None:
    ears = Ears()
    world.device_reports(0)
    presence(world, Connectivity.OFFLINE, 5, 1)
    look(world, 6, ears)
    day = MISSING_AFTER / timedelta(minutes=1)
    look(world, 5 + day - 1, ears)
    look(world, 5 + day, ears)
    assert world.blocker.due is None
    look(world, 5 + 2 * day, ears)
    presence(world, Connectivity.ONLINE, 6 + 2 * day, 2)
    look(world, 7 + 2 * day, ears)
    assert [health for health, _ in ears.heard] == [H.OFFLINE, H.MISSING, H.ONLINE]


def test_a_condition_is_told_when_it_begins_and_when_it_ends(world: World) -> None:
    ears = Ears()
    world.device_reports(0, tamper=True, battery_percent=12)
    look(world, 1, ears)
    world.device_reports(2, battery_percent=90)
    look(world, 3, ears)
    both = frozenset({Condition.TAMPER, Condition.LOW_BATTERY})
    assert ears.heard == [(H.ONLINE, both), (H.ONLINE, frozenset())]


def test_a_barrier_that_does_not_rise_for_its_stay_is_left_open(world: World) -> None:
    ears = Ears()
    world.booked(ANNA)
    for minute in range(44, 60):
        world.device_reports(minute, Position.LOWERED, Occupancy.VACANT)
        world.tick(minute)
        look(world, minute, ears)
    assert ears.heard[-1] == (H.SUSPECT, frozenset({Condition.LEFT_OPEN}))  # it answers nothing, either


def test_a_command_times_out_although_nothing_else_happens(world: World) -> None:
    world.device_reports(0, Position.RAISED)
    told = world.blocker.command
    assert told is not None
    presence(world, Connectivity.OFFLINE, 0.5, 1)
    for minute in range(1, 60):
        look(world, minute, Ears())
    ended = world.blocker.command
    assert ended is not None
    assert (ended.command_id, ended.status, ended.ended_at) == (told.command_id, CommandStatus.TIMED_OUT, at(2))
    presence(world, Connectivity.ONLINE, 60, 2)
    world.device_reports(60.1, Position.RAISED)  # its next word is answered with the next try
    assert world.shadows.desired(world.spot.blocker_id) != told


def test_a_silent_blocker_is_not_commanded_over_and_over(world: World) -> None:
    world.device_reports(0, Position.RAISED)
    sent = world.blocker.commands_sent
    for minute in range(1, 300):
        look(world, minute, Ears())
    assert world.blocker.commands_sent <= sent + 8  # while its last report was fresh


def test_one_that_fails_keeps_no_other_waiting(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    other = a_blocker(spot_id=world.spot.spot_id, report=a_report())
    world.store.commit(other)
    world.device_reports(0)
    reconcile(world.store, world.shadows, other.blocker_id, at(0.1))
    told = Ears()

    def failing(store: Any, shadows: Any, blocker_id: Any, now: Any) -> Any:
        return (_out_of_order if blocker_id == other.blocker_id else reconciled)(store, shadows, blocker_id, now)

    monkeypatch.setattr("parking.services.watching.reconciled", failing)
    swept = watching.check_health(world.store, world.shadows, at(1), told)
    assert list(swept.failures) == [other.key]
    assert told.heard == [(H.ONLINE, frozenset())]


def test_a_race_with_a_report_is_decided_again(world: World) -> None:
    """What was so a moment before may have been told: that is the price of never telling too little."""
    ears = Ears()
    world.device_reports(0)
    look(world, 1, ears)
    world.store.meanwhile(lambda: world.device_reports(16))
    look(world, 16.5, ears)
    assert world.blocker.watch.health is H.ONLINE
    assert [health for health, _ in ears.heard] == [H.ONLINE, H.SUSPECT]


def test_an_answer_that_the_store_has_lost_keeps_no_change_from_the_operators(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ears, commit = Ears(), world.store.commit
    world.device_reports(0)

    def written_and_refused(*saves: Any, **more: Any) -> None:
        commit(*saves, **more)
        monkeypatch.undo()
        raise Conflict

    monkeypatch.setattr(world.store, "commit", written_and_refused)
    look(world, 1, ears)
    assert ears.heard == [(H.ONLINE, frozenset())]
    assert world.blocker.watch.health is H.ONLINE


# The function


Call = Callable[[float], dict[str, float]]


@pytest.fixture
def call(world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Calls the handler as of a minute; what CloudWatch makes of its metrics."""
    monkeypatch.setattr(wiring, "store", lambda: world.store)
    monkeypatch.setattr(wiring, "shadows", lambda: world.shadows)

    def call(now: float) -> dict[str, float]:
        check_health.handler({"time": at(now).isoformat()}, CONTEXT)
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
        lines = [line for line in lines if "step" not in line]  # how late the schedule is, which it says each time
        groups = [group for line in lines for group in line["_aws"]["CloudWatchMetrics"]]
        names = {metric["Name"] for group in groups for metric in group["Metrics"]}
        return {name: sum(sum(line[name]) for line in lines if name in line) for name in names}

    return call


def test_a_change_is_logged_and_counted_once(world: World, call: Call, caplog: pytest.LogCaptureFixture) -> None:
    world.device_reports(1, tamper=True)
    assert call(2) == {"BlockersTurnedOnline": 1, "BlockersTampered": 1}
    assert call(3) == {}
    [said] = [record.__dict__ for record in caplog.records if record.message == "blocker health"]
    assert (said["blocker_id"], said["health"], said["was"]) == (world.spot.blocker_id, H.ONLINE, H.MISSING)
    assert (said["begun"], said["ended"]) == ([Condition.TAMPER], [])


def test_the_fleet_is_counted_every_five_minutes_and_who_is_missing_is_no_part_of_the_share(
    world: World, call: Call
) -> None:
    for health in (H.ONLINE, H.ONLINE, H.OFFLINE, H.SUSPECT, H.MISSING):
        other = a_blocker()
        world.store.commit(replace(other, watch=replace(other.watch, health=health)))
    assert call(5) == {
        "BlockersOnline": 2,
        "BlockersSuspect": 1,
        "BlockersOffline": 1,
        "BlockersMissing": 2,
        "BlockersUnreachablePercent": 50,
    }
    assert call(6) == {}


def test_a_fleet_that_was_never_seen_has_a_share_too(call: Call) -> None:
    assert call(10)["BlockersUnreachablePercent"] == 0


def test_what_failed_is_raised(world: World, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    world.device_reports(1)
    monkeypatch.setattr("parking.services.watching.reconciled", _out_of_order)
    with pytest.raises(SweepFailed):
        call(2)


def _out_of_order(*_: Any) -> Any:
    raise StoreUnavailable("now")
