"""docs/openapi.json is good enough for a typed client, and docs/app-developers.md uses it as it is."""

import subprocess
import sys
from pathlib import Path

from local.client import PACKAGE, generate
from tests.app_developers import first_reservation


def test_the_client_and_the_page_that_uses_it_have_no_type_error(tmp_path: Path) -> None:
    generate(tmp_path)
    program = tmp_path / "first_reservation.py"
    program.write_text(first_reservation())
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "-p", PACKAGE, "-m", program.stem],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
