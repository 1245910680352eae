"""The shortest trace that still breaks the same invariant: steps are taken out, and choices made tame."""

from time import process_time

from tests.simulation.draws import Recording, ReplayedDraws
from tests.simulation.simulation import Run, simulate


def shrink(run: Run, seconds_max: float) -> Run:
    """A run that breaks the same invariant with fewer steps and fewer faults, as far as the time allows."""
    if run.violation is None:
        return run
    shrinker = _Shrinker(run, run.violation.number, process_time() + seconds_max)
    smaller = True
    while smaller and not shrinker.late:
        before = shrinker.size
        shrinker.drop_steps()
        shrinker.tame_choices()
        smaller = shrinker.size < before
    return shrinker.best


def replay(recording: Recording, steps: int) -> Run:
    """The same run again, from its choices."""
    return simulate(ReplayedDraws(recording), steps)


class _Shrinker:
    """Holds the smallest run so far."""

    def __init__(self, run: Run, number: int, deadline: float) -> None:
        self.best = run
        self._number = number
        self._deadline = deadline

    @property
    def late(self) -> bool:
        """Whether the time is over."""
        return process_time() > self._deadline

    @property
    def size(self) -> tuple[int, int]:
        """Steps, and choices that are not tame."""
        return self.best.steps, sum(1 for step in self.best.recording for value in step if value)

    def drop_steps(self) -> None:
        """Take out ever shorter stretches of steps."""
        length = max(1, self.best.steps // 2)
        while length and not self.late:
            start = 1
            while start <= self.best.steps and not self.late:
                stretch = min(length, self.best.steps - start + 1)
                recording = self.best.recording
                fewer = recording[:start] + recording[start + stretch :]
                if not self._still_broken(fewer, self.best.steps - stretch):
                    start += stretch
            length //= 2

    def tame_choices(self) -> None:
        """Make each choice the tamest, where the violation stays."""
        for place in range(len(self.best.recording)):
            for index in range(len(self.best.recording[place]) if place < len(self.best.recording) else 0):
                recording = self.best.recording
                if self.late or place >= len(recording):
                    return
                step = recording[place]
                if index < len(step) and step[index]:
                    tamed = (*step[:index], 0, *step[index + 1 :])
                    self._still_broken((*recording[:place], tamed, *recording[place + 1 :]), self.best.steps)

    def _still_broken(self, recording: Recording, steps: int) -> bool:
        tried = replay(recording, steps)
        if tried.violation is None or tried.violation.number != self._number:
            return False
        self.best = tried
        return True
