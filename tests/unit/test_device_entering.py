"""Codes typed at a barrier: what opens, once, and what somebody who guesses gets. The clock may be wrong."""

import asyncio
import base64
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parking.adapters.entry_codes import DerivedEntryCodes
from parking.domain.ids import BlockerId, ReservationId
from parking_blocker.blocker import Blocker
from parking_blocker.clock import ServiceClock
from parking_blocker.connection import Endpoint, Identity
from parking_blocker.contract import Desired, Occupancy, Outcome, Position, Reason, Result, Shadow
from parking_blocker.controller import advance, boot, memory_of
from parking_blocker.entering import LONGEST_STAY, WRONG_CODES_FREE
from parking_blocker.machine import (
    Answer,
    ClockCorrected,
    CodeTyped,
    Machine,
    ReadingsChanged,
    Remember,
    Report,
    ShadowRead,
    StartLowering,
    StartRaising,
    Tick,
    Verdict,
    Warn,
)
from parking_blocker.memory_file import MemoryFile
from parking_blocker.offline_code import STEP, step_at, step_of
from parking_blocker.simulated_actuator import SimulatedActuator
from tests.unit.device_codes import (
    BLOCKER,
    CODES,
    DOWN,
    LIMITS,
    MINUTE,
    NOON,
    SECRETS,
    UP,
    code_of,
    fresh,
    raised,
    typed,
    verdict_of,
)
from tests.unit.virtual_time import run


@pytest.fixture
def up() -> Machine:
    return raised(fresh(), NOON)


# What opens


def test_the_code_of_the_reservation_lowers_after_a_warning_and_is_reported_with_its_time(up: Machine) -> None:
    now = NOON + 10 * MINUTE
    machine, verdict, actions = typed(up, now, code_of(now))
    assert verdict is Verdict.OPENS
    assert [type(action) for action in actions] == [Remember, Warn, Answer, Report]
    machine, actions = advance(machine, Tick(now + timedelta(seconds=3)))
    assert StartLowering() in actions
    machine, actions = advance(machine, ReadingsChanged(now + timedelta(seconds=7), DOWN))
    [told] = [action.reported for action in actions if isinstance(action, Report)]
    assert (told.position, told.opened_for, told.opened_at) == (Position.LOWERED, "r-1", now)
    assert (told.command_id, told.result) == (f"c-{NOON.timestamp()}", Result.DONE), "the RAISE was done all the same"


@pytest.mark.parametrize(("minutes", "opens"), [(-2, True), (0, True), (4, True), (6, True), (8, False), (60, False)])
def test_by_a_clock_that_is_set_a_code_is_good_for_some_minutes_and_two_more_either_way(
    up: Machine, minutes: int, opens: bool
) -> None:
    given_at = NOON + 60 * MINUTE
    verdict = verdict_of(up, given_at + minutes * MINUTE, code_of(given_at))
    assert verdict is (Verdict.OPENS if opens else Verdict.WRONG)


def test_a_code_of_another_reservation_of_another_blocker_or_of_nobody_opens_nothing(up: Machine) -> None:
    now = NOON + 10 * MINUTE
    other = CODES.code(BlockerId("blocker-2"), ReservationId("r-1"), step_at(now))
    for code in (code_of(now, "r-2"), other):
        machine, verdict, actions = typed(up, now, code)
        assert verdict is Verdict.WRONG
        assert [type(action) for action in actions] == [Remember, Answer]
        assert (machine.motion, machine.warned) == (None, None)
    for nobody in (fresh(), raised(fresh(), NOON, None)):
        assert verdict_of(nobody, now, code_of(now)) is Verdict.FOR_NOBODY


@pytest.mark.parametrize("text", ["1234567", "123456789", "", "ABCDEFGH", "1234567 ", "１２３４５６７８"])
def test_what_has_not_eight_digits_is_no_guess_and_keeps_nobody_outside(up: Machine, text: str) -> None:
    now = NOON + 10 * MINUTE
    machine = guess(up, now, WRONG_CODES_FREE - 1)
    for _ in range(WRONG_CODES_FREE):
        machine, verdict, actions = typed(machine, now, text)
        assert (verdict, [type(action) for action in actions]) == (Verdict.WRONG, [Answer])
    assert verdict_of(machine, now, code_of(now)) is Verdict.OPENS


def test_the_next_raise_ends_what_a_code_could_open(up: Machine) -> None:
    now = NOON + 10 * MINUTE
    taken = raised(up, now, "r-2")
    assert verdict_of(taken, now + MINUTE, code_of(now)) is Verdict.WRONG
    assert verdict_of(taken, now + MINUTE, code_of(now, "r-2")) is Verdict.OPENS


def test_a_raise_that_was_refused_changes_nothing(up: Machine) -> None:
    now = NOON + 10 * MINUTE
    occupied, _ = advance(up, ReadingsChanged(now, replace(DOWN, occupancy=Occupancy.OCCUPIED)))
    desired = Desired(Position.RAISED, "c-2", "r-2", now + MINUTE)
    refused, _ = advance(occupied, ShadowRead(now, 9, desired, None))
    assert refused.outcome == Outcome("c-2", Result.REJECTED, Reason.OCCUPIED)
    assert verdict_of(refused, now, code_of(now)) is Verdict.OPENS


def test_either_secret_opens_while_one_replaces_the_other(up: Machine) -> None:
    between = DerivedEntryCodes({"present": "master", "next": "another"})
    secrets = tuple(between.secret_of(BLOCKER).split())
    for codes in (CODES, DerivedEntryCodes({"present": "another"})):
        code = codes.code(BLOCKER, ReservationId("r-1"), step_at(NOON))
        _, actions = advance(up, CodeTyped(NOON, code, secrets, clock_is_set=True))
        assert Answer(Verdict.OPENS) in actions


# Once


def test_a_code_opens_once_and_so_does_every_older_one(up: Machine) -> None:
    older, now = code_of(NOON + 8 * MINUTE), NOON + 10 * MINUTE
    opened, verdict, _ = typed(up, now, code_of(now))
    assert verdict is Verdict.OPENS
    for code in (code_of(now), older):
        assert verdict_of(opened, now, code) is Verdict.WRONG
    assert verdict_of(opened, now + STEP, code_of(now + STEP)) is Verdict.OPENS, "a jam is no reason to stay outside"


@pytest.mark.parametrize("clock_is_set", [True, False])
def test_once_also_across_a_power_cut(up: Machine, clock_is_set: bool) -> None:
    now = NOON + 10 * MINUTE
    _, _, actions = typed(up, now, code_of(now))
    [memory] = [action.memory for action in actions if isinstance(action, Remember)]
    again = boot(LIMITS, UP, memory)
    assert verdict_of(again, now, code_of(now), clock_is_set=clock_is_set) is Verdict.WRONG
    assert (again.entry.opened_for, again.entry.opened_at) == ("r-1", now), "and it is still to be reported"


def test_a_new_computer_takes_the_reservation_over_and_no_code_of_before(up: Machine) -> None:
    now = NOON + 10 * MINUTE
    desired = Desired(Position.RAISED, "c-1", "r-1", NOON + 2 * MINUTE)
    new, _ = advance(boot(LIMITS, UP), ShadowRead(now, 5, desired, Outcome("c-1", Result.DONE)))
    assert verdict_of(new, now, code_of(now)) is Verdict.WRONG
    assert verdict_of(new, now + STEP, code_of(now + STEP)) is Verdict.OPENS


# By a clock that nobody has set


def test_a_new_computer_takes_no_reservation_over_from_a_raise_that_was_refused() -> None:
    now = NOON + 10 * MINUTE
    desired = Desired(Position.RAISED, "c-1", "r-1", NOON + 2 * MINUTE)
    refused = Outcome("c-1", Result.REJECTED, Reason.MANUAL_OVERRIDE)
    new, _ = advance(boot(LIMITS, DOWN), ShadowRead(now, 5, desired, refused))
    assert verdict_of(new, now + 5 * MINUTE, code_of(now + 5 * MINUTE)) is Verdict.FOR_NOBODY


@pytest.mark.parametrize("wrong_by", [timedelta(days=-20_000), timedelta(hours=-3), timedelta(0), timedelta(days=400)])
def test_a_clock_that_nobody_has_set_keeps_no_driver_outside(up: Machine, wrong_by: timedelta) -> None:
    now = NOON + 90 * MINUTE
    rebooted = boot(LIMITS, UP, memory_of(up))
    assert verdict_of(rebooted, now + wrong_by, code_of(now), clock_is_set=False) is Verdict.OPENS
    assert verdict_of(rebooted, now + wrong_by, code_of(now, "r-2"), clock_is_set=False) is Verdict.WRONG


@pytest.mark.parametrize(
    ("given_after", "opens"),
    [(-4 * MINUTE, False), (timedelta(0), True), (LONGEST_STAY, True), (LONGEST_STAY + 2 * STEP, False)],
)
def test_even_then_a_code_is_of_the_time_in_which_the_stay_can_be(
    up: Machine, given_after: timedelta, opens: bool
) -> None:
    rebooted = boot(LIMITS, UP, memory_of(up))
    verdict = verdict_of(rebooted, NOON, code_of(NOON + given_after), clock_is_set=False)
    assert verdict is (Verdict.OPENS if opens else Verdict.WRONG)


def test_the_time_at_which_it_opened_is_put_right_with_the_clock_and_so_it_is_on_the_disk(up: Machine) -> None:
    wrong = timedelta(hours=-5)
    opened, _, _ = typed(up, NOON + wrong, code_of(NOON + MINUTE), clock_is_set=False)
    corrected, actions = advance(opened, ClockCorrected(NOON, -wrong))
    assert corrected.entry.opened_at == NOON
    assert [action.memory.entry.opened_at for action in actions if isinstance(action, Remember)] == [NOON]


def test_a_clock_that_is_wrong_since_this_boot_says_nothing_of_what_has_opened_before_it(up: Machine) -> None:
    opened, _, _ = typed(up, NOON + MINUTE, code_of(NOON + MINUTE))
    rebooted = boot(LIMITS, UP, memory_of(opened))
    corrected, actions = advance(rebooted, ClockCorrected(NOON + 2 * MINUTE, timedelta(days=300)))
    assert (corrected.entry.opened_at, actions) == (NOON + MINUTE, ())


def test_a_key_is_decoded_once_however_many_steps_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[str] = []
    decode = base64.b32decode

    def counted(secret: str, *, casefold: bool = False) -> bytes:
        decoded.append(secret)
        return decode(secret, casefold)

    monkeypatch.setattr(base64, "b32decode", counted)
    assert step_of("00000000", SECRETS, "r-1", range(1000)) is None
    assert len(decoded) <= len(SECRETS)


# Guessing


def guess(machine: Machine, now: datetime, times: int) -> Machine:
    for _ in range(times):
        machine, verdict, _ = typed(machine, now, "00000000")
        assert verdict is Verdict.WRONG
    return machine


def test_five_wrong_codes_are_free_and_then_each_costs_twice_the_pause_of_before(up: Machine) -> None:
    now = NOON + 10 * MINUTE
    machine = guess(up, now, WRONG_CODES_FREE)
    for minutes in (1, 2, 4, 8, 16, 16):
        almost = now + minutes * MINUTE - timedelta(microseconds=1)
        assert verdict_of(machine, almost, code_of(almost)) is Verdict.TOO_OFTEN, "not even the right one"
        now += minutes * MINUTE
        assert verdict_of(machine, now, code_of(now)) is Verdict.OPENS, "and nobody is kept out for good"
        machine = guess(machine, now, 1)


def test_a_power_cut_ends_no_pause_and_a_code_that_opens_or_the_next_raise_does(up: Machine) -> None:
    now = NOON + 10 * MINUTE
    machine = guess(up, now, WRONG_CODES_FREE)
    rebooted, verdict, _ = typed(boot(LIMITS, UP, memory_of(machine)), now, code_of(now))
    assert verdict is Verdict.TOO_OFTEN
    opened, verdict, _ = typed(rebooted, now + MINUTE, code_of(now + MINUTE))
    assert verdict is Verdict.OPENS
    guess(opened, now, WRONG_CODES_FREE)
    guess(raised(machine, now, "r-2"), now, WRONG_CODES_FREE)


def test_a_clock_that_is_put_right_makes_no_pause_shorter_or_longer(up: Machine) -> None:
    machine = guess(up, NOON + MINUTE, WRONG_CODES_FREE)
    for by in (timedelta(days=3), timedelta(days=-3)):
        shifted, _ = advance(machine, ClockCorrected(NOON + MINUTE + by, by))
        assert verdict_of(shifted, NOON + MINUTE + by + 0.9 * MINUTE, "00000000") is Verdict.TOO_OFTEN
        assert verdict_of(shifted, NOON + MINUTE + by + MINUTE, "00000000") is Verdict.WRONG


# In any order


@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                ["right", "other", "old", "again", "guess", "reboot", "set", "unset", "raise", "raise other"]
            ),
            st.integers(min_value=0, max_value=600),
        ),
        max_size=40,
    )
)
def test_in_any_order_only_a_new_code_of_the_reservation_opens_and_no_code_raises(steps: list[tuple[str, int]]) -> None:
    machine, now, reservation, clock_is_set = raised(fresh(), NOON), NOON, "r-1", True
    used: set[tuple[str, str]] = set()
    given_before = [code_of(now)]
    for what, seconds in steps:
        now += timedelta(seconds=10 + seconds)
        match what:
            case "raise" | "raise other":
                reservation = "r-1" if what == "raise" else "r-2"
                machine = raised(machine, now, reservation)
            case "reboot":
                machine, clock_is_set = boot(LIMITS, machine.readings, memory_of(machine)), False
            case "set" | "unset":
                clock_is_set = what == "set"
            case _:
                code = {
                    "right": code_of(now, reservation),
                    "other": code_of(now, "r-3"),
                    "old": code_of(now - timedelta(hours=1), reservation),
                    "again": given_before[-1],
                    "guess": "12345678",
                }[what]
                machine, verdict, actions = typed(machine, now, code, clock_is_set=clock_is_set)
                given_before.append(code)
                if verdict is Verdict.OPENS:
                    steps_of = range(step_at(now - timedelta(hours=2)), step_at(now) + 1)
                    own = {CODES.code(BLOCKER, ReservationId(reservation), step) for step in steps_of}
                    assert code in own
                    assert (reservation, code) not in used
                    used.add((reservation, code))
                assert StartRaising() not in actions


# On the hardware, with a disk


def test_a_blocker_without_network_lowers_for_the_code_says_so_later_and_never_logs_the_code(tmp_path: Path) -> None:
    file = MemoryFile(tmp_path / "last_command.json", BLOCKER)

    async def story() -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        barrier = SimulatedActuator(travel_seconds=4)

        def blocker(wrong_by: timedelta) -> Blocker:
            since = timedelta(seconds=loop.time() - began)
            clock = ServiceClock(lambda: NOON + since + wrong_by, loop.time)
            identity = Identity(BLOCKER, Path("b.crt"), Path("b.key"), SECRETS)
            return Blocker(identity, Endpoint("localhost", 8883, Path("ca.pem")), barrier, LIMITS, file, clock)

        before = blocker(timedelta(0))
        await asyncio.sleep(1)
        at_one = NOON + timedelta(seconds=1)
        desired = Desired(Position.RAISED, "c-1", "r-1", at_one + MINUTE)
        before.on_shadow(Shadow(1, at_one, desired, None, None))
        await asyncio.sleep(10)
        assert barrier.read().position is Position.RAISED
        before.stop()

        offline = blocker(timedelta(days=-300))
        code = code_of(NOON + 11 * timedelta(seconds=1))
        offline.type_code("00000000")
        offline.type_code(code)
        await asyncio.sleep(10)
        assert barrier.read().position is Position.LOWERED
        offline.type_code(code)
        assert [entry.detail for entry in offline.journal if entry.what == "code"] == ["WRONG", "OPENS", "WRONG"]
        assert code not in str(offline.journal)
        offline.stop()
        later = blocker(timedelta(0))
        later.on_shadow(Shadow(2, NOON + timedelta(seconds=21), desired, None, None))
        reported = later.machine.last_report
        assert reported is not None
        assert (reported.opened_for, reported.position) == ("r-1", Position.LOWERED)
        later.stop()

    run(story)
