"""A code lowers and does nothing else, whatever is commanded meanwhile."""

from dataclasses import replace
from datetime import timedelta

import pytest

from parking_blocker.contract import Desired, Outcome, Position, Reason, Result
from parking_blocker.controller import advance
from parking_blocker.machine import (
    Answer,
    ClockCorrected,
    Machine,
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
from parking_blocker.offline_code import STEP
from tests.unit.device_codes import (
    MINUTE,
    NOON,
    UP,
    code_of,
    fresh,
    raised,
    typed,
)


@pytest.fixture
def up() -> Machine:
    return raised(fresh(), NOON)


def test_a_code_overtakes_a_raise_that_is_warned_of_or_under_way() -> None:
    warned, _ = advance(fresh(), ShadowRead(NOON, 2, Desired(Position.RAISED, "c-1", "r-1", NOON + MINUTE), None))
    calm, _, actions = typed(warned, NOON, code_of(NOON))
    assert Stop() in actions
    assert (calm.warned, calm.motion) == (None, None)
    assert calm.outcome == Outcome("c-1", Result.REJECTED, Reason.MANUAL_OVERRIDE)
    rising, _ = advance(warned, Tick(NOON + timedelta(seconds=3)))
    turned, _, actions = typed(rising, NOON + timedelta(seconds=4), code_of(NOON))
    assert [type(action) for action in actions] == [Stop, Remember, Warn, Answer, Report]
    assert turned.outcome == Outcome("c-1", Result.REJECTED, Reason.MANUAL_OVERRIDE)


def test_a_lower_that_is_under_way_goes_on_and_one_that_is_warned_of_outlives_its_expiry(up: Machine) -> None:
    now = NOON + 10 * MINUTE
    late = Desired(Position.LOWERED, "c-2", "r-1", now + timedelta(seconds=2))
    warned, _ = advance(up, ShadowRead(now, 3, late, None))
    opened, _, actions = typed(warned, now, code_of(now))
    assert [type(action) for action in actions] == [Remember, Answer, Report]
    lowering, actions = advance(opened, Tick(now + timedelta(seconds=3)))
    assert StartLowering() in actions
    _, _, actions = typed(lowering, now + STEP, code_of(now + STEP))
    assert not {type(action) for action in actions} & {Stop, Warn, StartLowering, StartRaising}


@pytest.mark.parametrize(
    ("position", "lasts", "reason"),
    [(Position.RAISED, MINUTE, Reason.LOW_BATTERY), (Position.LOWERED, timedelta(0), Reason.EXPIRED)],
)
def test_a_command_that_is_refused_or_expired_does_not_shut_out_who_has_typed_a_code(
    up: Machine, position: Position, lasts: timedelta, reason: Reason
) -> None:
    now = NOON + 10 * MINUTE
    flat, _ = advance(up, ReadingsChanged(now, replace(UP, position=Position.UNKNOWN, battery_percent=1)))
    opened, _, _ = typed(flat, now, code_of(now))
    told, actions = advance(opened, ShadowRead(now, 3, Desired(position, "c-2", "r-1", now + lasts), None))
    assert told.outcome == Outcome("c-2", Result.REJECTED, reason)
    assert Stop() not in actions
    _, actions = advance(told, Tick(now + timedelta(seconds=3)))
    assert StartLowering() in actions


def test_a_lower_that_is_about_to_expire_takes_no_time_from_a_code(up: Machine) -> None:
    now = NOON + 10 * MINUTE
    opened, _, _ = typed(up, now, code_of(now))
    late = Desired(Position.LOWERED, "c-2", "r-1", now + timedelta(seconds=2))
    told, _ = advance(opened, ShadowRead(now + timedelta(seconds=1), 3, late, None))
    _, actions = advance(told, Tick(now + timedelta(seconds=3)))
    assert StartLowering() in actions


@pytest.mark.parametrize("lower_is_warned_of", [True, False])
@pytest.mark.parametrize("wrong_by", [timedelta(hours=-5), timedelta(hours=5)])
def test_a_clock_that_is_put_right_while_a_codes_warning_sounds_shuts_nobody_out(
    up: Machine, wrong_by: timedelta, lower_is_warned_of: bool
) -> None:
    now = NOON + 10 * MINUTE
    machine = up
    if lower_is_warned_of:
        late = Desired(Position.LOWERED, "c-2", "r-1", now + wrong_by + timedelta(seconds=2))
        machine, _ = advance(machine, ShadowRead(now + wrong_by, 3, late, None))
    opened, _, _ = typed(machine, now + wrong_by, code_of(now), clock_is_set=False)
    right, _ = advance(opened, ClockCorrected(now, -wrong_by))
    _, actions = advance(right, Tick(now + timedelta(seconds=3)))
    assert StartLowering() in actions
