"""The shortest trace that still breaks the same invariant: steps are taken out, and choices made tame."""

from collections.abc import Callable
from time import monotonic

from tests.simulation.draws import Recording, ReplayedDraws
from tests.simulation.simulation import Run, simulate


def shrink(run: Run, seconds_max: float) -> Run:
    """A run that breaks the same invariant with fewer steps and fewer faults, as far as the time allows."""
    if run.violation is None:
        return run
    deadline = monotonic() + seconds_max
    number = run.violation.number
    best = run

    def still_broken(recording: Recording) -> bool:
        nonlocal best
        tried = replay(recording)
        if tried.violation is None or tried.violation.number != number:
            return False
        best = tried
        return True

    smaller = True
    while smaller and monotonic() < deadline:
        before = _size(best.recording)
        _drop_steps(lambda: best.recording, still_broken, deadline)
        _tame_choices(lambda: best.recording, still_broken, deadline)
        smaller = _size(best.recording) < before
    return best


def replay(recording: Recording) -> Run:
    """The same run again, from its choices: the first group is the set-up's, the last the quiet end's."""
    return simulate(ReplayedDraws(recording), len(recording) - 2)


def _size(recording: Recording) -> tuple[int, int]:
    return len(recording), sum(1 for step in recording for value in step if value)


def _drop_steps(current: Callable[[], Recording], broken: Callable[[Recording], bool], deadline: float) -> None:
    length = max(1, len(current()) // 2)
    while length:
        start = 1
        while start < len(current()) - 1 and monotonic() < deadline:
            recording = current()
            fewer = recording[:start] + recording[min(start + length, len(recording) - 1) :]
            if len(fewer) == len(recording) or not broken(fewer):
                start += length
        length //= 2


def _tame_choices(current: Callable[[], Recording], broken: Callable[[Recording], bool], deadline: float) -> None:
    for place in range(len(current())):
        for index in range(len(current()[place]) if place < len(current()) else 0):
            if monotonic() > deadline or place >= len(current()):
                return
            recording = current()
            step = recording[place]
            if index < len(step) and step[index]:
                tamed = (*step[:index], 0, *step[index + 1 :])
                broken((*recording[:place], tamed, *recording[place + 1 :]))
