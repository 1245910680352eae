"""The blocker's state machine, case by case."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from parking_blocker.contract import Desired, Occupancy, Outcome, Position, Reason, Result
from parking_blocker.controller import BATTERY_PERCENT_MIN, advance, boot, next_tick_at
from parking_blocker.machine import (
    Action,
    ConnectionLost,
    Event,
    Limits,
    Machine,
    Obstructed,
    Readings,
    ReadingsChanged,
    Remember,
    Report,
    ReportLost,
    ShadowRead,
    StartLowering,
    StartRaising,
    Stop,
    Tick,
)

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
LIMITS = Limits(heartbeat_seconds=300, motion_seconds_max=30)
VACANT_LOWERED = Readings(Position.LOWERED, Occupancy.VACANT)
VACANT_RAISED = Readings(Position.RAISED, Occupancy.VACANT)
IN_BETWEEN = Readings(Position.UNKNOWN, Occupancy.VACANT)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def desired(position: Position, command_id: str, expires_after_seconds: float = 60) -> Desired:
    return Desired(position, command_id, "r-1", after(expires_after_seconds))


def read(command: Desired | None, version: int, seconds: float = 0, last_outcome: Outcome | None = None) -> ShadowRead:
    return ShadowRead(after(seconds), version, command, last_outcome)


def connected(readings: Readings = VACANT_LOWERED) -> Machine:
    """A machine that has read an empty shadow."""
    machine, _ = advance(boot(LIMITS, readings), read(None, version=1))
    return machine


def play(machine: Machine, *events: Event) -> tuple[Machine, list[Action]]:
    done: list[Action] = []
    for event in events:
        machine, actions = advance(machine, event)
        done.extend(actions)
    return machine, done


def motor(actions: list[Action]) -> list[Action]:
    return [action for action in actions if not isinstance(action, Report | Remember)]


def reports(actions: list[Action]) -> list[tuple[Position, str | None, Result | None, Reason | None]]:
    told = [action.reported for action in actions if isinstance(action, Report)]
    return [(each.position, each.command_id, each.result, each.reason) for each in told]


def test_a_raise_over_a_vacant_spot_is_reported_as_it_starts_and_as_it_ends() -> None:
    _, actions = play(
        connected(),
        read(desired(Position.RAISED, "c-1"), version=2),
        ReadingsChanged(after(1), IN_BETWEEN),
        ReadingsChanged(after(4), VACANT_RAISED),
    )
    assert motor(actions) == [StartRaising(), Stop()]
    assert reports(actions) == [
        (Position.MOVING, "c-1", None, None),
        (Position.RAISED, "c-1", Result.DONE, None),
    ]


@pytest.mark.parametrize(
    ("readings", "reason"),
    [
        (replace(VACANT_LOWERED, occupancy=Occupancy.OCCUPIED), Reason.OCCUPIED),
        (replace(VACANT_LOWERED, occupancy=Occupancy.UNKNOWN), Reason.OCCUPIED),
        (replace(VACANT_LOWERED, sensor_fault=True), Reason.SENSOR_FAULT),
        (replace(VACANT_LOWERED, manual_override=True), Reason.MANUAL_OVERRIDE),
        (replace(VACANT_LOWERED, battery_percent=BATTERY_PERCENT_MIN - 1), Reason.LOW_BATTERY),
    ],
)
def test_a_raise_is_refused_with_its_reason(readings: Readings, reason: Reason) -> None:
    machine, actions = play(connected(readings), read(desired(Position.RAISED, "c-1"), version=2))
    assert motor(actions) == []
    assert reports(actions) == [(Position.LOWERED, "c-1", Result.REJECTED, reason)]
    assert machine.motion is None


@pytest.mark.parametrize(
    "readings",
    [
        replace(VACANT_RAISED, occupancy=Occupancy.OCCUPIED),
        replace(VACANT_RAISED, occupancy=Occupancy.UNKNOWN),
        replace(VACANT_RAISED, sensor_fault=True),
        replace(VACANT_RAISED, manual_override=True),
        replace(VACANT_RAISED, battery_percent=0),
    ],
)
def test_a_lower_is_obeyed_whatever_the_sensors_say(readings: Readings) -> None:
    _, actions = play(connected(readings), read(desired(Position.LOWERED, "c-1"), version=2))
    assert motor(actions) == [StartLowering()]


@pytest.mark.parametrize("position", [Position.RAISED, Position.LOWERED])
@pytest.mark.parametrize("readings", [VACANT_LOWERED, VACANT_RAISED, IN_BETWEEN])
def test_an_expired_command_moves_nothing(position: Position, readings: Readings) -> None:
    expired = desired(position, "c-1", expires_after_seconds=10)
    _, actions = play(connected(readings), read(expired, version=2, seconds=10))
    assert motor(actions) == []
    assert reports(actions) == [(readings.position, "c-1", Result.REJECTED, Reason.EXPIRED)]


def test_a_command_for_the_position_that_the_barrier_has_is_done_without_a_motion() -> None:
    _, actions = play(connected(VACANT_RAISED), read(desired(Position.RAISED, "c-1"), version=2))
    assert motor(actions) == []
    assert reports(actions) == [(Position.RAISED, "c-1", Result.DONE, None)]


def test_the_same_command_again_gives_the_same_report_and_no_motion() -> None:
    command = desired(Position.RAISED, "c-1")
    machine, first = play(connected(), read(command, version=2), ReadingsChanged(after(4), VACANT_RAISED))
    _, again = play(machine, read(command, version=3, seconds=5), read(command, version=4, seconds=100))
    assert motor(again) == []
    assert set(reports(again)) == {reports(first)[-1]}


def test_a_command_that_was_overtaken_does_not_come_back() -> None:
    machine, _ = play(
        connected(),
        read(desired(Position.RAISED, "c-1"), version=2),
        read(desired(Position.LOWERED, "c-2"), version=3),
        ReadingsChanged(after(1), VACANT_LOWERED),
    )
    late, actions = play(machine, read(desired(Position.RAISED, "c-1"), version=2, seconds=2))
    assert motor(actions) == []
    assert late.outcome == Outcome("c-2", Result.DONE)


def test_a_newer_command_in_mid_motion_turns_the_barrier_round() -> None:
    _, actions = play(
        connected(),
        read(desired(Position.RAISED, "c-1"), version=2),
        ReadingsChanged(after(1), IN_BETWEEN),
        read(desired(Position.LOWERED, "c-2"), version=3, seconds=2),
        ReadingsChanged(after(3), VACANT_LOWERED),
    )
    assert motor(actions) == [StartRaising(), Stop(), StartLowering(), Stop()]
    assert reports(actions)[-2:] == [
        (Position.MOVING, "c-2", None, None),
        (Position.LOWERED, "c-2", Result.DONE, None),
    ]


def test_a_newer_command_for_the_same_end_takes_the_motion_over() -> None:
    _, actions = play(
        connected(),
        read(desired(Position.RAISED, "c-1"), version=2),
        read(desired(Position.RAISED, "c-2"), version=3, seconds=1),
        ReadingsChanged(after(3), VACANT_RAISED),
    )
    assert motor(actions) == [StartRaising(), Stop()]
    assert reports(actions)[-1] == (Position.RAISED, "c-2", Result.DONE, None)


@pytest.mark.parametrize(
    "seen",
    [
        replace(IN_BETWEEN, occupancy=Occupancy.OCCUPIED),
        replace(IN_BETWEEN, occupancy=Occupancy.UNKNOWN),
        replace(IN_BETWEEN, sensor_fault=True),
        replace(VACANT_RAISED, occupancy=Occupancy.OCCUPIED),
    ],
)
def test_a_car_seen_on_the_way_up_sends_the_barrier_down_again(seen: Readings) -> None:
    _, actions = play(
        connected(),
        read(desired(Position.RAISED, "c-1"), version=2),
        ReadingsChanged(after(1), seen),
        ReadingsChanged(after(2), replace(seen, position=Position.LOWERED)),
    )
    assert motor(actions) == [StartRaising(), Stop(), StartLowering(), Stop()]
    assert reports(actions) == [
        (Position.MOVING, "c-1", None, None),
        (Position.MOVING, "c-1", Result.REJECTED, Reason.OBSTRUCTED),
        (Position.LOWERED, "c-1", Result.REJECTED, Reason.OBSTRUCTED),
    ]


def test_an_obstacle_on_the_way_up_sends_the_barrier_down_again() -> None:
    machine, actions = play(connected(), read(desired(Position.RAISED, "c-1"), version=2), Obstructed(after(1)))
    assert motor(actions) == [StartRaising(), Stop(), StartLowering()]
    assert machine.outcome == Outcome("c-1", Result.REJECTED, Reason.OBSTRUCTED)


def test_an_obstacle_on_the_way_down_stops_the_barrier_where_it_is() -> None:
    _, actions = play(
        connected(VACANT_RAISED),
        read(desired(Position.LOWERED, "c-1"), version=2),
        ReadingsChanged(after(1), IN_BETWEEN),
        Obstructed(after(2)),
    )
    assert motor(actions) == [StartLowering(), Stop()]
    assert reports(actions)[-1] == (Position.UNKNOWN, "c-1", Result.REJECTED, Reason.OBSTRUCTED)


def test_an_obstacle_while_the_motor_rests_changes_nothing() -> None:
    machine = connected()
    assert advance(machine, Obstructed(after(1))) == (machine, ())


def test_a_hand_on_the_barrier_stops_the_motor_on_the_way_up() -> None:
    _, actions = play(
        connected(),
        read(desired(Position.RAISED, "c-1"), version=2),
        ReadingsChanged(after(1), replace(IN_BETWEEN, manual_override=True)),
    )
    assert motor(actions) == [StartRaising(), Stop()]
    assert reports(actions)[-1] == (Position.UNKNOWN, "c-1", Result.REJECTED, Reason.MANUAL_OVERRIDE)


def test_a_motion_that_reaches_no_end_switch_in_time_counts_as_jammed() -> None:
    machine, _ = play(connected(VACANT_RAISED), read(desired(Position.LOWERED, "c-1"), version=2))
    machine, _ = play(machine, ReadingsChanged(after(1), IN_BETWEEN))
    assert next_tick_at(machine) == after(30)
    _, actions = play(machine, Tick(after(29.9)), Tick(after(30)))
    assert motor(actions) == [Stop()]
    assert reports(actions) == [(Position.UNKNOWN, "c-1", Result.REJECTED, Reason.OBSTRUCTED)]


def test_every_change_is_reported_once() -> None:
    occupied = replace(VACANT_LOWERED, occupancy=Occupancy.OCCUPIED)
    _, actions = play(
        connected(), ReadingsChanged(after(1), occupied), ReadingsChanged(after(2), occupied), Tick(after(3))
    )
    assert len(reports(actions)) == 1


def test_a_faulty_sensor_is_reported_as_unknown() -> None:
    _, actions = play(connected(), ReadingsChanged(after(1), replace(VACANT_LOWERED, sensor_fault=True)))
    assert [action.reported.occupancy for action in actions if isinstance(action, Report)] == [Occupancy.UNKNOWN]


def test_the_heartbeat_comes_when_nothing_was_said_for_its_time() -> None:
    machine = connected()
    assert next_tick_at(machine) == after(300)
    machine, early = advance(machine, Tick(after(299.9)))
    machine, due = advance(machine, Tick(after(300)))
    assert early == ()
    assert [action.reported.at for action in due if isinstance(action, Report)] == [after(300)]
    assert next_tick_at(machine) == after(600)


def test_a_report_that_the_service_did_not_take_is_sent_again() -> None:
    _, actions = advance(connected(), ReportLost(after(5)))
    assert reports(list(actions)) == [(Position.LOWERED, None, None, None)]


def test_nothing_is_reported_between_a_lost_connection_and_the_next_reading_of_the_shadow() -> None:
    occupied = replace(VACANT_LOWERED, occupancy=Occupancy.OCCUPIED)
    machine, silent = play(
        connected(), ConnectionLost(after(1)), ReadingsChanged(after(2), occupied), Tick(after(1000))
    )
    assert silent == []
    assert next_tick_at(machine) is None
    _, actions = advance(machine, read(None, version=1, seconds=1001))
    assert len(reports(list(actions))) == 1


def test_a_motion_goes_on_and_ends_at_its_switch_while_the_connection_is_lost() -> None:
    machine, actions = play(
        connected(),
        read(desired(Position.RAISED, "c-1"), version=2),
        ConnectionLost(after(1)),
        ReadingsChanged(after(4), VACANT_RAISED),
    )
    assert motor(actions) == [StartRaising(), Stop()]
    _, late = advance(machine, read(desired(Position.RAISED, "c-1"), version=3, seconds=50))
    assert reports(list(late)) == [(Position.RAISED, "c-1", Result.DONE, None)]


def test_a_shadow_that_was_deleted_and_made_again_is_obeyed_after_the_next_connect() -> None:
    machine, _ = play(connected(), read(None, version=90), ConnectionLost(after(1)))
    _, actions = advance(machine, read(desired(Position.RAISED, "c-1"), version=1, seconds=2))
    assert motor(list(actions)) == [StartRaising()]


@pytest.mark.parametrize(
    ("last_outcome", "readings", "outcome"),
    [
        (Outcome("c-1", Result.DONE), VACANT_LOWERED, Outcome("c-1", Result.DONE)),
        (Outcome("c-1"), VACANT_RAISED, Outcome("c-1", Result.DONE)),
        (Outcome("c-1"), IN_BETWEEN, Outcome("c-1", Result.REJECTED, Reason.OBSTRUCTED)),
        (
            Outcome("c-1", Result.REJECTED, Reason.OCCUPIED),
            VACANT_LOWERED,
            Outcome("c-1", Result.REJECTED, Reason.OCCUPIED),
        ),
    ],
)
def test_a_reboot_takes_the_outcome_over_from_the_shadow_and_moves_nothing(
    last_outcome: Outcome, readings: Readings, outcome: Outcome
) -> None:
    command = desired(Position.RAISED, "c-1")
    machine, actions = play(boot(LIMITS, readings), read(command, version=9, last_outcome=last_outcome))
    assert motor(actions) == []
    assert machine.outcome == outcome
    assert reports(actions) == [(readings.position, "c-1", outcome.result, outcome.reason)]


def test_a_command_that_a_power_cut_has_ended_stays_failed_though_a_hand_moves_the_barrier_there() -> None:
    _, actions = play(
        boot(LIMITS, IN_BETWEEN),
        read(desired(Position.RAISED, "c-1"), version=9, last_outcome=Outcome("c-1")),
        ReadingsChanged(after(9), VACANT_RAISED),
    )
    assert reports(actions)[-1] == (Position.RAISED, "c-1", Result.REJECTED, Reason.OBSTRUCTED)


def test_a_command_that_came_while_the_device_was_off_is_obeyed_after_the_reboot() -> None:
    _, actions = play(
        boot(LIMITS, VACANT_LOWERED),
        read(desired(Position.RAISED, "c-2"), version=9, last_outcome=Outcome("c-1", Result.DONE)),
    )
    assert motor(actions) == [StartRaising()]
