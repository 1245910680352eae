"""How long the simulation takes to find a planted bug."""

from dataclasses import dataclass
from time import process_time

from tests.simulation.draws import SeededDraws
from tests.simulation.planting import Planted, planted
from tests.simulation.simulation import simulate


@dataclass(frozen=True, slots=True)
class Hunt:
    """How a hunt ended: `found` is the violation that gave the bug away ("" if none did)."""

    name: str
    found: str
    seeds: int
    seconds: float


def hunt(bug: Planted, first_seed: int, steps: int, seconds_max: float) -> Hunt:
    """Run seeds with the bug in place until one breaks an invariant that it keeps without the bug, or the processor
    time is over.
    """
    started = process_time()
    seeds = 0
    while process_time() - started < seconds_max:
        seed = first_seed + seeds
        seeds += 1
        with planted(bug):
            violation = simulate(SeededDraws(seed), steps).violation
        if violation and simulate(SeededDraws(seed), steps).violation is None:
            return Hunt(bug.name, str(violation), seeds, process_time() - started)
    return Hunt(bug.name, "", seeds, process_time() - started)
