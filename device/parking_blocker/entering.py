"""Whether a code that somebody typed opens: pure, and without a network.

- It has to be the code of the reservation that the barrier was last raised for, and newer than any that has opened.
- By a clock that the service has set since this program began, it has to be a few minutes old at most. A clock that
  nobody has set says nothing: a computer that came back from a power cut without a network may be years off. Then any
  time from the RAISE on, for as long as a stay can last, is taken for possible (decision 43).
- What has not eight digits is no guess: keys that were leant on keep nobody outside.
- Five wrong codes are free. After that each costs a pause, twice as long as the one before.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from parking_blocker.machine import CodeTyped, Machine, Verdict
from parking_blocker.offline_code import TOLERANCE_STEPS, is_code, step_at, step_of, steps_good_at

WRONG_CODES_FREE = 5
FIRST_PAUSE = timedelta(minutes=1)
MOST_DOUBLINGS = 4  # 16 minutes: whoever is kept out by somebody else's guesses is not kept out for long
LONGEST_STAY = timedelta(days=7, minutes=15)  # and the barrier rises a quarter of an hour ahead


def judge(machine: Machine, typed: CodeTyped) -> tuple[Machine, Verdict]:
    """The machine that knows of the code, and what becomes of it."""
    entry, now = machine.entry, typed.now
    if not is_code(typed.code):
        return machine, Verdict.WRONG
    if machine.raised_for is None or entry.raised_at is None:
        return machine, Verdict.FOR_NOBODY
    if entry.wrong_codes >= WRONG_CODES_FREE:
        # A power cut is no way to get rid of the pause: it begins anew.
        free_at = machine.code_free_at or now + _pause(entry.wrong_codes)
        if now < free_at:
            return replace(machine, code_free_at=free_at), Verdict.TOO_OFTEN
    steps = steps_good_at(now) if typed.clock_is_set else _steps_since(entry.raised_at)
    newer = range(max(steps.start, entry.last_step + 1), steps.stop)
    step = step_of(typed.code, typed.secrets, machine.raised_for, newer)
    if step is None:
        wrong = entry.wrong_codes + 1
        counted = replace(machine, entry=replace(entry, wrong_codes=wrong), code_free_at=now + _pause(wrong))
        return counted, Verdict.WRONG
    opened = replace(entry, wrong_codes=0, last_step=step, opened_for=machine.raised_for, opened_at=now)
    return replace(machine, entry=opened, opened_since_boot=True, code_free_at=None), Verdict.OPENS


def _steps_since(raised_at: datetime) -> range:
    return range(step_at(raised_at) - TOLERANCE_STEPS, step_at(raised_at + LONGEST_STAY) + 1)


def _pause(wrong_codes: int) -> timedelta:
    too_many = wrong_codes - WRONG_CODES_FREE
    return FIRST_PAUSE * (1 << min(too_many, MOST_DOUBLINGS)) if too_many >= 0 else timedelta(0)
