"""The blocker's patience: VACANT is believed after a while, motions are announced, a wrong clock changes nothing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from parking_blocker.contract import Desired, Occupancy, Outcome, Position, Reason, Result
from parking_blocker.controller import BATTERY_PERCENT_MIN, advance, boot, next_tick_at
from parking_blocker.machine import (
    Action,
    ClockCorrected,
    Event,
    Limits,
    Machine,
    Obstructed,
    Readings,
    ReadingsChanged,
    Remember,
    Report,
    ShadowRead,
    StartLowering,
    StartRaising,
    Stop,
    Tick,
    Warn,
)

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
LIMITS = Limits(heartbeat_seconds=300, motion_seconds_max=30, vacant_seconds=2, warning_seconds=3)
VACANT = Readings(Position.LOWERED, Occupancy.VACANT)
OCCUPIED = replace(VACANT, occupancy=Occupancy.OCCUPIED)
RAISED = Readings(Position.RAISED, Occupancy.VACANT)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def ordered(position: Position, command_id: str, seconds: float, lasts: float = 60) -> ShadowRead:
    desired = Desired(position, command_id, "r-1", after(seconds + lasts))
    return ShadowRead(after(seconds), version=1, desired=desired, last_outcome=None)


def play(machine: Machine, *events: Event) -> tuple[Machine, list[Action]]:
    done: list[Action] = []
    for event in events:
        machine, actions = advance(machine, event)
        done.extend(actions)
    return machine, done


def motor(actions: list[Action]) -> list[Action]:
    return [action for action in actions if not isinstance(action, Report | Remember)]


def ready(readings: Readings = VACANT) -> Machine:
    """Connected and settled at -1 s."""
    nothing = ShadowRead(after(-10), version=1, desired=None, last_outcome=None)
    return play(boot(LIMITS, readings), nothing, Tick(after(-1)))[0]


def rejected(machine: Machine, reason: Reason) -> bool:
    return machine.outcome == Outcome("c-1", Result.REJECTED, reason)


# -- the sensor


def test_a_spot_is_vacant_only_after_the_sensor_has_said_so_for_the_whole_time() -> None:
    machine, _ = play(ready(OCCUPIED), ReadingsChanged(after(0), VACANT))
    assert next_tick_at(machine) == after(2)
    early, _ = play(machine, Tick(after(1.9)))
    settled, actions = play(machine, Tick(after(2)))
    assert (early.occupancy, settled.occupancy) == (Occupancy.OCCUPIED, Occupancy.VACANT)
    assert [action.reported.occupancy for action in actions if isinstance(action, Report)] == [Occupancy.VACANT]


def test_a_sensor_that_flickers_stays_occupied() -> None:
    machine = ready(OCCUPIED)
    for second in range(0, 30, 2):
        machine, _ = play(
            machine,
            ReadingsChanged(after(second), VACANT),
            Tick(after(second + 1.9)),
            ReadingsChanged(after(second + 1.95), OCCUPIED),
        )
        assert machine.occupancy is Occupancy.OCCUPIED
    refused, actions = play(machine, ordered(Position.RAISED, "c-1", 31))
    assert motor(actions) == []
    assert rejected(refused, Reason.OCCUPIED)


@pytest.mark.parametrize("seen", [OCCUPIED, replace(VACANT, occupancy=Occupancy.UNKNOWN)])
def test_a_car_is_believed_at_once(seen: Readings) -> None:
    machine, _ = play(ready(), ReadingsChanged(after(0), seen))
    assert machine.occupancy is seen.occupancy


def test_a_mended_sensor_has_to_say_vacant_for_the_whole_time_again() -> None:
    machine, _ = play(ready(), ReadingsChanged(after(0), replace(VACANT, sensor_fault=True)))
    machine, _ = play(machine, ReadingsChanged(after(5), VACANT), Tick(after(6)))
    assert machine.occupancy is Occupancy.UNKNOWN
    assert play(machine, Tick(after(7)))[0].occupancy is Occupancy.VACANT


def test_nothing_is_raised_in_the_first_moments_after_a_boot() -> None:
    machine, actions = play(boot(LIMITS, VACANT), ordered(Position.RAISED, "c-1", 0))
    assert motor(actions) == []
    assert rejected(machine, Reason.OCCUPIED)


# -- the warning


@pytest.mark.parametrize(
    ("readings", "position", "start", "end"),
    [(VACANT, Position.RAISED, StartRaising(), RAISED), (RAISED, Position.LOWERED, StartLowering(), VACANT)],
)
def test_light_and_sound_warn_before_each_motion(
    readings: Readings, position: Position, start: Action, end: Readings
) -> None:
    machine, actions = play(ready(readings), ordered(position, "c-1", 0))
    assert motor(actions) == [Warn()]
    assert next_tick_at(machine) == after(3)
    assert machine.position is readings.position
    _, actions = play(machine, Tick(after(2.9)), Tick(after(3)), ReadingsChanged(after(7), end))
    assert motor(actions) == [start, Stop()]


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (OCCUPIED, Reason.OCCUPIED),
        (replace(VACANT, occupancy=Occupancy.UNKNOWN), Reason.OCCUPIED),
        (replace(VACANT, sensor_fault=True), Reason.SENSOR_FAULT),
        (replace(VACANT, manual_override=True), Reason.MANUAL_OVERRIDE),
        (replace(VACANT, battery_percent=BATTERY_PERCENT_MIN - 1), Reason.LOW_BATTERY),
    ],
)
def test_what_forbids_a_raise_ends_its_warning_and_the_motor_never_starts(seen: Readings, reason: Reason) -> None:
    machine, actions = play(
        ready(),
        ordered(Position.RAISED, "c-1", 0),
        ReadingsChanged(after(2.9), seen),
        ReadingsChanged(after(2.95), VACANT),
        Tick(after(3)),
        Tick(after(9)),
    )
    assert motor(actions) == [Warn(), Stop()]
    assert rejected(machine, reason)


def test_a_car_does_not_end_the_warning_before_a_lower() -> None:
    on_it = replace(RAISED, occupancy=Occupancy.OCCUPIED)
    _, actions = play(
        ready(RAISED), ordered(Position.LOWERED, "c-1", 0), ReadingsChanged(after(1), on_it), Tick(after(3))
    )
    assert motor(actions) == [Warn(), StartLowering()]


def test_a_command_that_expires_while_the_warning_sounds_moves_nothing() -> None:
    machine, actions = play(ready(), ordered(Position.RAISED, "c-1", 0, lasts=3), Tick(after(3)))
    assert motor(actions) == [Warn(), Stop()]
    assert rejected(machine, Reason.EXPIRED)


def test_a_barrier_that_flees_from_a_car_does_not_warn_first_but_on_its_way() -> None:
    _, actions = play(ready(), ordered(Position.RAISED, "c-1", 0), Tick(after(3)), ReadingsChanged(after(4), OCCUPIED))
    assert motor(actions) == [Warn(), StartRaising(), Stop(), StartLowering(), Warn()]


def test_a_newer_command_the_other_way_begins_its_own_warning() -> None:
    machine, actions = play(
        ready(replace(VACANT, position=Position.UNKNOWN)),
        ordered(Position.RAISED, "c-1", 0),
        ordered(Position.LOWERED, "c-2", 2),
        Tick(after(3)),
    )
    assert motor(actions) == [Warn(), Stop(), Warn()]
    assert motor(play(machine, Tick(after(5)))[1]) == [StartLowering()]


def test_a_newer_command_the_same_way_takes_the_warning_over() -> None:
    _, actions = play(
        ready(), ordered(Position.RAISED, "c-1", 0, lasts=1), ordered(Position.RAISED, "c-2", 0.5), Tick(after(3))
    )
    assert motor(actions) == [Warn(), StartRaising()]


def test_a_newer_command_that_is_refused_takes_the_warning_of_the_older_with_it() -> None:
    _, actions = play(
        ready(), ordered(Position.RAISED, "c-1", 0), ordered(Position.LOWERED, "c-2", 1, lasts=0), Tick(after(9))
    )
    assert motor(actions) == [Warn(), Stop()]


def test_a_barrier_that_a_hand_has_moved_there_in_the_meantime_is_done() -> None:
    machine, actions = play(ready(RAISED), ordered(Position.LOWERED, "c-1", 0), ReadingsChanged(after(1), VACANT))
    assert motor(actions) == [Warn(), Stop()]
    assert machine.outcome == Outcome("c-1", Result.DONE)


def test_an_obstacle_that_is_felt_while_only_the_warning_sounds_changes_nothing() -> None:
    machine, _ = play(ready(), ordered(Position.RAISED, "c-1", 0))
    assert advance(machine, Obstructed(after(1))) == (machine, ())


# -- the memory


def remembered(actions: list[Action]) -> list[Outcome]:
    return [action.memory.outcome for action in actions if isinstance(action, Remember)]


def test_a_command_is_written_down_before_its_motor_starts_and_its_end_after_the_motor_has_stopped() -> None:
    machine, actions = play(replace(ready(), limits=Limits()), ordered(Position.RAISED, "c-1", 0))
    assert [type(action) for action in actions] == [Remember, StartRaising, Report]
    _, actions = play(machine, ReadingsChanged(after(4), RAISED))
    assert [type(action) for action in actions] == [Stop, Remember, Report]
    assert remembered(actions) == [Outcome("c-1", Result.DONE)]


def test_a_barrier_that_flees_from_a_car_does_not_wait_for_the_disk() -> None:
    machine, _ = play(replace(ready(), limits=Limits()), ordered(Position.RAISED, "c-1", 0))
    _, actions = play(machine, ReadingsChanged(after(1), OCCUPIED))
    assert [type(action) for action in actions] == [Stop, StartLowering, Remember, Report]


def test_a_motion_that_turns_round_stops_before_anything_is_written() -> None:
    machine, _ = play(replace(ready(), limits=Limits()), ordered(Position.RAISED, "c-1", 0))
    _, actions = play(machine, ordered(Position.LOWERED, "c-2", 1))
    assert [type(action) for action in actions] == [Stop, Remember, StartLowering, Report]


@pytest.mark.parametrize(
    ("stopped_at", "outcome"),
    [
        (Position.UNKNOWN, Outcome("c-1", Result.REJECTED, Reason.OBSTRUCTED)),
        (Position.RAISED, Outcome("c-1", Result.DONE)),
    ],
)
def test_after_a_power_cut_in_motion_the_device_knows_its_command_also_without_the_network(
    stopped_at: Position, outcome: Outcome
) -> None:
    _, actions = play(ready(), ordered(Position.RAISED, "c-1", 0), Tick(after(3)))
    memory = next(action.memory for action in actions if isinstance(action, Remember))
    machine = boot(LIMITS, Readings(stopped_at, Occupancy.VACANT), memory)
    assert (machine.outcome, machine.raised_for) == (outcome, "r-1")
    machine, actions = play(machine, Tick(after(10)), ordered(Position.RAISED, "c-1", 20), Tick(after(30)))
    assert motor(actions) == []
    reported = [action.reported for action in actions if isinstance(action, Report)]
    assert {(each.command_id, each.result, each.reason) for each in reported} == {
        ("c-1", outcome.result, outcome.reason)
    }


def test_a_refused_raise_and_a_lower_do_not_change_for_whom_the_barrier_was_raised() -> None:
    machine, _ = play(ready(OCCUPIED), ordered(Position.RAISED, "c-1", 0), ordered(Position.LOWERED, "c-2", 1))
    assert machine.raised_for is None
    machine, _ = play(ready(), ordered(Position.RAISED, "c-1", 0), ordered(Position.LOWERED, "c-2", 1))
    assert machine.raised_for == "r-1"


# -- the clock


@pytest.mark.parametrize("hours", [-5, 5])
def test_a_clock_that_is_put_right_changes_no_duration(hours: int) -> None:
    by = timedelta(hours=hours)

    def put_right(machine: Machine, seconds: float) -> Machine:
        return play(machine, ClockCorrected(after(seconds) + by, by))[0]

    machine = put_right(play(ready(OCCUPIED), ReadingsChanged(after(0), VACANT))[0], 1)
    assert next_tick_at(machine) == after(2) + by
    assert play(machine, Tick(after(1.9) + by))[0].occupancy is Occupancy.OCCUPIED
    machine = put_right(play(ready(), ordered(Position.RAISED, "c-1", 0, lasts=86_400))[0], 1)
    machine, actions = play(machine, Tick(after(2.9) + by))
    assert motor(actions) == []
    machine, actions = play(machine, Tick(after(3) + by))
    assert motor(actions) == [StartRaising()]
    machine, actions = play(machine, Tick(after(32.9) + by))
    assert motor(actions) == []
    assert motor(play(machine, Tick(after(33) + by))[1]) == [Stop(), StartLowering(), Warn()]
    assert next_tick_at(put_right(ready(), 0)) == after(299) + by


def test_expiry_is_judged_by_the_time_that_the_service_gave_also_while_the_warning_sounds() -> None:
    machine, _ = play(ready(), ordered(Position.RAISED, "c-1", 0, lasts=60))
    by = timedelta(minutes=5)
    machine, _ = play(machine, ClockCorrected(after(1) + by, by))
    machine, actions = play(machine, Tick(after(3) + by))
    assert motor(actions) == [Stop()]
    assert rejected(machine, Reason.EXPIRED)
