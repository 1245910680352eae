"""Two running MiniStacks for the whole session: one as the project uses it, one with every patch off."""

from collections.abc import Iterator

import pytest

from local.ministack.patches import PATCH_NAMES
from tests.local.ministack_support import RunningMiniStack, launched


@pytest.fixture(scope="session")
def patched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMiniStack]:
    with launched(tmp_path_factory.mktemp("patched")) as running:
        running.deploy_probes()
        yield running


@pytest.fixture(scope="session")
def unpatched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMiniStack]:
    """Shows the gaps: a test on it that fails says that MiniStack has closed one, and that our patch can go."""
    with launched(tmp_path_factory.mktemp("unpatched"), *PATCH_NAMES) as running:
        running.deploy_probes()
        yield running
