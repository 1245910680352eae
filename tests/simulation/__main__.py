"""`make simulate SEEDS=N`, or one seed again: `make simulate SEED=n`."""

import argparse
import gc
import secrets
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from time import monotonic

from tests.simulation.batch import Batch, run_batch
from tests.simulation.coverage import Coverage
from tests.simulation.draws import SeededDraws
from tests.simulation.faults import Fault
from tests.simulation.report import trace_hash, trace_lines, violation_report
from tests.simulation.shrink import shrink
from tests.simulation.simulation import ALL_FAULTS, simulate

BATCH_SEEDS = 50
SHRINK_SECONDS = 30.0
SHOWN_MAX = 5
COMPLETE_FROM_SEEDS = 3_000
"""From so many seeds on, what was never reached fails the run."""


def main() -> int:
    """0: no violation, and with enough seeds nothing unreached."""
    arguments = _arguments()
    faults = frozenset(Fault(name) for name in arguments.faults) if arguments.faults else ALL_FAULTS
    if arguments.seed is not None:
        return _one(arguments.seed, arguments.steps, faults)
    first = secrets.randbelow(2**40) if arguments.first is None else arguments.first
    print(f"{arguments.seeds} seeds from {first}, {arguments.steps} steps each, {arguments.jobs} processes", flush=True)
    return _many(first, arguments.seeds, arguments.steps, arguments.jobs, faults)


def _one(seed: int, steps: int, faults: frozenset[Fault]) -> int:
    run = simulate(SeededDraws(seed), steps, faults)
    for line in trace_lines(run):
        print(line)
    print(f"trace {trace_hash(run)}")
    if run.violation is None:
        print(f"seed {seed}: no violation")
        return 0
    for line in violation_report(seed, steps, run, shrink(run, SHRINK_SECONDS)):
        print(line)
    return 1


def _many(first: int, seeds: int, steps: int, jobs: int, faults: frozenset[Fault]) -> int:
    coverage, broken, done, started = Coverage(), list[int](), 0, monotonic()
    starts = range(first, first + seeds, BATCH_SEEDS)
    batches = [range(start, min(start + BATCH_SEEDS, first + seeds)) for start in starts]
    # What is imported by now never becomes garbage: a worker's collector need not look at it again and again.
    with ProcessPoolExecutor(jobs, initializer=gc.freeze) as pool:
        for batch in pool.map(partial(run_batch, steps=steps, faults=faults), batches):
            coverage.add(batch.coverage)
            broken += _shown(batch, steps, faults, len(broken))
            done += batch.seeds
            rate = done / max(monotonic() - started, 0.001) * 60
            _progress(f"{done}/{seeds} seeds, {len(broken)} violations, {rate:.0f} seeds/min")
    print()
    for line in coverage.table():
        print(line)
    missing = coverage.missing(faults)
    for name in missing:
        print(f"never reached: {name}")
    print(f"{done} seeds in {monotonic() - started:.1f} s, {len(broken)} violations, {len(missing)} never reached")
    return 1 if broken or (missing and seeds >= COMPLETE_FROM_SEEDS) else 0


def _shown(batch: Batch, steps: int, faults: frozenset[Fault], already: int) -> list[int]:
    for number, seed in enumerate(batch.broken):
        print()
        run = simulate(SeededDraws(seed), steps, faults)
        if already + number < SHOWN_MAX:
            for line in violation_report(seed, steps, run, shrink(run, SHRINK_SECONDS)):
                print(line)
        else:
            print(f"seed {seed}: {run.violation}")
    return batch.broken


def _progress(text: str) -> None:
    end = "" if sys.stdout.isatty() else "\n"
    print(f"\r{text}" if sys.stdout.isatty() else text, end=end, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=2_000)
    parser.add_argument("--first", type=int, help="the first seed; without it a fresh one, which is printed")
    parser.add_argument("--seed", type=int, help="one seed again, with its whole trace")
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--faults", nargs="*", choices=[fault.value for fault in Fault], help="only these")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
