"""The simulation in CI: a fixed set of seeds, fresh ones, and what the harness itself promises."""

import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from local.tools import ROOT
from tests.conftest import SAYS
from tests.simulation.batch import Batch, run_batch
from tests.simulation.coverage import Coverage
from tests.simulation.draws import SeededDraws
from tests.simulation.planted_bugs.machines import MACHINES
from tests.simulation.planting import planted
from tests.simulation.report import trace_hash
from tests.simulation.shrink import replay, shrink
from tests.simulation.simulation import ALL_FAULTS, simulate

SELDOM = (2_788,)
"""It reaches what the others do not: an answer that is lost where a customer is deleted."""
FIXED_SEEDS = (*range(1, 1_501), *SELDOM)
FRESH_SEEDS = 300
STEPS = 100
BATCH = 50
JOBS = 2


def _run(seeds: Sequence[int]) -> Batch:
    """All the seeds, in parallel."""
    total = Batch(0, [], Coverage())
    batches = [seeds[start : start + BATCH] for start in range(0, len(seeds), BATCH)]
    with ProcessPoolExecutor(JOBS) as pool:
        for batch in pool.map(partial(run_batch, steps=STEPS, faults=ALL_FAULTS), batches):
            total.coverage.add(batch.coverage)
            total = Batch(total.seeds + batch.seeds, total.broken + batch.broken, total.coverage)
    return total


def test_the_fixed_seeds_keep_every_invariant_and_reach_everything() -> None:
    batch = _run(FIXED_SEEDS)
    assert not batch.broken, f"make simulate SEED={batch.broken[0]} shows the first of {len(batch.broken)}"
    assert batch.coverage.missing(ALL_FAULTS) == []


def test_fresh_seeds_keep_every_invariant(record_property: Callable[[str, object], None]) -> None:
    first = secrets.randbelow(2**40)
    record_property(SAYS, f"simulation: {FRESH_SEEDS} fresh seeds from {first}")
    batch = _run(range(first, first + FRESH_SEEDS))
    assert not batch.broken, f"make simulate SEED={batch.broken[0]} shows the first of {len(batch.broken)}"


def test_a_seed_gives_the_same_trace_in_another_process() -> None:
    # The seed of Python's own hashing differs, so an order that depends on it would show.
    script = (
        "from tests.simulation.draws import SeededDraws\n"
        "from tests.simulation.report import trace_hash\n"
        "from tests.simulation.simulation import simulate\n"
        f"print(*(trace_hash(simulate(SeededDraws(seed), {STEPS})) for seed in range(20)))"
    )
    here = [trace_hash(simulate(SeededDraws(seed), STEPS)) for seed in range(20)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONHASHSEED": "4711"}
    there = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert there.stdout.split() == here


def test_a_recording_replays_the_run() -> None:
    run = simulate(SeededDraws(7), STEPS)
    assert trace_hash(replay(run.recording, run.steps)) == trace_hash(run)


def test_a_violation_is_shrunk_to_a_trace_that_still_shows_it() -> None:
    bug = next(bug for bug in MACHINES if bug.name == "the device does not see a car on the way up")
    with planted(bug):
        runs = (simulate(SeededDraws(seed), STEPS) for seed in range(1_000))
        run = next(run for run in runs if run.violation and run.steps > STEPS / 2)
        shrunk = shrink(run, seconds_max=20)
    assert run.violation is not None
    assert shrunk.violation is not None
    assert shrunk.violation.number == run.violation.number
    assert shrunk.steps < run.steps / 2
    assert simulate(SeededDraws(1), STEPS).violation is None, "the bug is gone with its block"
