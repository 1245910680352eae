"""What a run says to people: its trace, its hash, and how to see it again."""

import hashlib
from collections.abc import Iterator

from tests.simulation.simulation import Run


def trace_lines(run: Run) -> Iterator[str]:
    """One line for each thing that happened."""
    for template, now, words in run.world.log:
        yield f"{now:%d %b %H:%M:%S}.{now.microsecond // 1000:03d}  {template.format(*words)}"


def trace_hash(run: Run) -> str:
    """The same for the same seed, on any machine."""
    digest = hashlib.sha256()
    for line in trace_lines(run):
        digest.update(line.encode())
        digest.update(b"\n")
    return digest.hexdigest()


def violation_report(seed: int, steps: int, run: Run, shrunk: Run) -> Iterator[str]:
    """The seed, the broken invariant, the shortest trace found, and the command that shows it again."""
    yield f"seed {seed}: {run.violation}"
    yield f"shortest trace found, {shrunk.steps} of {steps} steps ({shrunk.violation}):"
    yield from (f"  {line}" for line in trace_lines(shrunk))
    yield f"again: make simulate SEED={seed} STEPS={steps}"
