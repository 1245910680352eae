"""What docs/app-developers.md promises: from an address to a paid reservation, by a client that nobody wrote."""

import json
import subprocess
import sys
from pathlib import Path

from local.client import generate
from tests.app_developers import first_reservation
from tests.e2e.world import World


def test_the_program_of_the_page_for_app_developers_reserves_and_pays(world: World, tmp_path: Path) -> None:
    generate(tmp_path)
    program = tmp_path / "first_reservation.py"
    program.write_text(first_reservation())
    told = tmp_path / ".local" / "stack.json"
    told.parent.mkdir()
    told.write_text(json.dumps(world.stack.document()))
    ran = subprocess.run(
        [sys.executable, program], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.splitlines()[1:] == [
        "a second wish for the same time: 409 spot_unavailable",
        "the reservation is CONFIRMED",
        "the reservation is CANCELLED",
    ]
