"""Many seeds in one process."""

import gc
from collections.abc import Iterable
from dataclasses import dataclass

from tests.simulation.coverage import Coverage
from tests.simulation.draws import SeededDraws
from tests.simulation.faults import Fault
from tests.simulation.simulation import simulate


@dataclass(frozen=True, slots=True)
class Batch:
    """What some seeds came to: which of them broke an invariant."""

    seeds: int
    broken: list[int]
    coverage: Coverage


def run_batch(seeds: Iterable[int], steps: int, faults: frozenset[Fault]) -> Batch:
    """Run them one after the other."""
    coverage, broken, count = Coverage(), list[int](), 0
    for seed in seeds:
        run = simulate(SeededDraws(seed), steps, faults)
        coverage.add(run.coverage)
        count += 1
        if run.violation:
            broken.append(seed)
    gc.collect()
    return Batch(count, broken, coverage)
