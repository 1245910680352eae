"""The simulation is as good as the bugs that it finds: every planted one, each within a minute of its own time."""

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from local.tools import ROOT
from tests.conftest import SAYS
from tests.simulation.hunt import hunt_all
from tests.simulation.planted_bugs import PLANTED
from tests.simulation.planting import Planted

LEAST = 30


def test_every_planted_bug_is_found(record_property: Callable[[str, object], None]) -> None:
    hunts = list(hunt_all())
    found = [one for one in hunts if one.found]
    slowest = max(found, key=lambda one: one.seconds)
    record_property(SAYS, f"planted bugs: {len(found)} of {len(hunts)} found, the slowest in {slowest.seconds:.1f} s")
    assert [one.name for one in hunts if not one.found] == []
    assert len(found) >= LEAST


_WITH_THE_BUG = """
import sys
import pytest
from tests.simulation.planted_bugs import PLANTED
from tests.simulation.planting import planted
bug = next(bug for bug in PLANTED if bug.name == sys.argv[1])
with planted(bug):
    sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", bug.unit_test]))
"""


@pytest.mark.parametrize("bug", [bug for bug in PLANTED if bug.unit_test], ids=lambda bug: bug.name)
def test_a_bug_that_the_simulation_cannot_see_fails_its_unit_test(bug: Planted) -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", _WITH_THE_BUG, bug.name]
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == pytest.ExitCode.TESTS_FAILED, ended.stdout


def test_no_two_bugs_have_one_name() -> None:
    names = [bug.name for bug in PLANTED]
    assert len(set(names)) == len(names)
