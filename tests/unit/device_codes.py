"""A raised barrier, and the codes that the service gives for it."""

from datetime import UTC, datetime, timedelta

from parking.adapters.entry_codes import DerivedEntryCodes
from parking.domain.ids import BlockerId, ReservationId
from parking_blocker.contract import Desired, Occupancy, Position
from parking_blocker.controller import advance, boot
from parking_blocker.machine import (
    Action,
    Answer,
    CodeTyped,
    Limits,
    Machine,
    Readings,
    ReadingsChanged,
    ShadowRead,
    Tick,
    Verdict,
)
from parking_blocker.offline_code import step_at

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
LIMITS = Limits(warning_seconds=3)
BLOCKER = BlockerId("blocker-1")
CODES = DerivedEntryCodes({"present": "master"})
SECRETS = tuple(CODES.secret_of(BLOCKER).split())
MINUTE = timedelta(minutes=1)
UP = Readings(Position.RAISED, Occupancy.VACANT)
DOWN = Readings(Position.LOWERED, Occupancy.VACANT)


def code_of(now: datetime, reservation: str = "r-1") -> str:
    """What the service gives at that time."""
    return CODES.code(BLOCKER, ReservationId(reservation), step_at(now))


def raised(machine: Machine, now: datetime, reservation: str | None = "r-1") -> Machine:
    """The barrier after a RAISE that has arrived."""
    version = machine.shadow_version + 1
    desired = Desired(Position.RAISED, f"c-{now.timestamp()}", reservation, now + 2 * MINUTE)
    machine, _ = advance(machine, ShadowRead(now, version, desired, None))
    machine, _ = advance(machine, Tick(now + timedelta(seconds=3)))
    machine, _ = advance(machine, ReadingsChanged(now + timedelta(seconds=7), UP))
    return machine


def fresh() -> Machine:
    machine, _ = advance(boot(LIMITS, DOWN), ReadingsChanged(NOON - MINUTE, DOWN))
    return machine


def typed(
    machine: Machine, now: datetime, code: str, *, clock_is_set: bool = True
) -> tuple[Machine, Verdict, tuple[Action, ...]]:
    machine, actions = advance(machine, CodeTyped(now, code, SECRETS, clock_is_set))
    [answer] = [action for action in actions if isinstance(action, Answer)]
    return machine, answer.verdict, actions


def verdict_of(machine: Machine, now: datetime, code: str, *, clock_is_set: bool = True) -> Verdict:
    return typed(machine, now, code, clock_is_set=clock_is_set)[1]
