"""The simulation is as good as the bugs that it finds: every planted one, each within a minute of its own time."""

from concurrent.futures import ProcessPoolExecutor
from functools import partial

import pytest

from local.tools import ROOT
from tests.simulation.hunt import hunt
from tests.simulation.planted_bugs import PLANTED

SECONDS_MAX = 60.0
STEPS = 100
JOBS = 2
LEAST = 30


def test_every_planted_bug_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    hunted = [bug for bug in PLANTED if not bug.unit_test]
    with ProcessPoolExecutor(JOBS) as pool:
        hunts = list(pool.map(partial(hunt, first_seed=1, steps=STEPS, seconds_max=SECONDS_MAX), hunted))
    found = [one for one in hunts if one.found]
    slowest = max(found, key=lambda one: one.seconds)
    with capsys.disabled():
        print(f"\nplanted bugs: {len(found)} of {len(hunts)} found, the slowest in {slowest.seconds:.1f} s")
    assert [one.name for one in hunts if not one.found] == []
    assert len(found) >= LEAST


def test_a_bug_that_the_simulation_cannot_find_names_the_unit_test_that_does() -> None:
    for bug in PLANTED:
        if bug.unit_test:
            path, _, name = bug.unit_test.partition("::")
            assert f"def {name}(" in (ROOT / path).read_text(), f"{bug.name}: no such test"


def test_no_two_bugs_have_one_name() -> None:
    names = [bug.name for bug in PLANTED]
    assert len(set(names)) == len(names)
