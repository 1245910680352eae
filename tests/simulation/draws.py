"""Where every choice of a run comes from: one seeded stream, or a recording of an earlier run.

The choices are kept step by step, so that a step taken out of a recording leaves the choices of the others as they
were; and 0 is always the tamest choice, so that zeroing one makes a run simpler.
"""

import random
from collections.abc import Iterator, Sequence

Recording = tuple[tuple[int, ...], ...]


class Draws:
    """What the world asks for its choices."""

    def __init__(self) -> None:
        self._steps: list[list[int]] = []
        self._step: list[int] = []

    def begin_step(self) -> None:
        """The choices from here on belong to the next step."""
        self._step = []
        self._steps.append(self._step)

    def draw(self, options: int) -> int:
        """A number from 0 to options - 1."""
        raise NotImplementedError

    def pick[T](self, options: Sequence[T]) -> T:
        """One of the options; the first is the tamest."""
        return options[self.draw(len(options))]

    def chance(self, per_mille: int) -> bool:
        """True that often; False is the tame answer."""
        return self.draw(1000) >= 1000 - per_mille

    def weighted[T](self, table: "Weighted[T]") -> T:
        """One of the table's options."""
        return table.rows[self.draw(table.total)]

    @property
    def recording(self) -> Recording:
        """Everything that was drawn."""
        return tuple(tuple(step) for step in self._steps)


class Weighted[T]:
    """Options with whole weights; an option of weight 0 is left out."""

    def __init__(self, weights: Sequence[tuple[T, int]]) -> None:
        self.rows = [option for option, weight in weights for _ in range(weight)]
        self.total = len(self.rows)


class SeededDraws(Draws):
    """Fresh choices. Python promises that `random.Random(seed).random()` is the same everywhere."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._random = random.Random(seed).random  # noqa: S311 - a repeatable stream, nothing secret

    def draw(self, options: int) -> int:
        """See Draws."""
        value = int(self._random() * options)
        self._step.append(value)
        return value


class ReplayedDraws(Draws):
    """The choices of a recording; where it has none, the tamest."""

    def __init__(self, recording: Recording) -> None:
        super().__init__()
        self._recorded = iter(recording)
        self._values: Iterator[int] = iter(())

    def begin_step(self) -> None:
        """See Draws."""
        super().begin_step()
        none: tuple[int, ...] = ()
        self._values = iter(next(self._recorded, none))

    def draw(self, options: int) -> int:
        """See Draws."""
        value = min(next(self._values, 0), options - 1)
        self._step.append(value)
        return value
