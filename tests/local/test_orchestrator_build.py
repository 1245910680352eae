"""The last build is used again when, and only when, nothing that goes into a build has changed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from local.deployment import source_fingerprint


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("template.yaml", "samconfig.toml", "functions/spots/api.py", "layers/parking/parking/http.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"contents of {name}")
    return tmp_path


def test_the_same_files_need_no_build(project: Path) -> None:
    before = source_fingerprint(project)
    for name in ("README.md", "functions/spots/__pycache__/api.pyc"):
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text("does not go into a build")
    assert source_fingerprint(project) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda project: (project / "template.yaml").write_text("another template"),
        lambda project: (project / "functions/spots/api.py").write_text("contents of functions/spots/api.pY"),
        lambda project: (project / "functions/spots/new.py").touch(),
        lambda project: (project / "layers/parking/parking/http.py").unlink(),
        lambda project: (project / "functions/spots/api.py").rename(project / "functions/spots/door.py"),
    ],
    ids=["template", "one letter", "a new file", "a file less", "renamed"],
)
def test_any_change_needs_a_build(project: Path, change: Callable[[Path], object]) -> None:
    before = source_fingerprint(project)
    change(project)
    assert source_fingerprint(project) != before
