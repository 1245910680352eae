"""How long the simulation takes to find a planted bug.

`python -m tests.simulation.hunt` hunts all of them and writes down the seed that found each: the next begins there.
A seed that finds its bug no more, because the code has changed, costs only the time of looking further.
"""

import json
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import chain, count
from pathlib import Path
from time import process_time

from tests.simulation.draws import SeededDraws
from tests.simulation.planted_bugs import PLANTED
from tests.simulation.planting import Planted, planted
from tests.simulation.simulation import simulate

STEPS = 100
SECONDS_MAX = 60.0
JOBS = 2
HUNTED = [bug for bug in PLANTED if not bug.unit_test]
_FINDING_SEEDS = Path(__file__).with_name("finding_seeds.json")


@dataclass(frozen=True, slots=True)
class Hunt:
    """How a hunt ended: `found` is the violation that gave the bug away ("" if none did), `seed` the one that did."""

    name: str
    found: str
    seed: int
    seconds: float


def hunt_all() -> Iterator[Hunt]:
    """Hunt every bug that the simulation is to find, some at once."""
    with ProcessPoolExecutor(JOBS) as pool:
        yield from pool.map(_hunt, HUNTED)


def main() -> int:
    """0: every bug was found."""
    seeds, missed = dict[str, int](), list[str]()
    for number, one in enumerate(hunt_all(), start=1):
        how = f"{one.seconds:5.1f} s, seed {one.seed}" if one.found else "not found"
        print(f"{number}/{len(HUNTED)} {one.name}: {how}", flush=True)
        if one.found:
            seeds[one.name] = one.seed
        else:
            missed.append(one.name)
    _FINDING_SEEDS.write_text(json.dumps(seeds, indent=2) + "\n")
    print(f"{len(seeds)} of {len(HUNTED)} found; not found: {missed}")
    return 1 if missed else 0


def _hunt(bug: Planted) -> Hunt:
    """Run seeds with the bug in place until one breaks an invariant that it keeps without the bug, or the processor
    time is over.
    """
    started = process_time()
    known = _finding_seeds().get(bug.name)
    for seed in chain([] if known is None else [known], count(1)):
        with planted(bug):
            violation = simulate(SeededDraws(seed), STEPS).violation
        if violation and simulate(SeededDraws(seed), STEPS).violation is None:
            return Hunt(bug.name, str(violation), seed, process_time() - started)
        if process_time() - started >= SECONDS_MAX:
            break
    return Hunt(bug.name, "", seed, process_time() - started)


@cache
def _finding_seeds() -> dict[str, int]:
    seeds: dict[str, int] = json.loads(_FINDING_SEEDS.read_text())
    return seeds


if __name__ == "__main__":
    sys.exit(main())
