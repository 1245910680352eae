"""What the unit tests share."""

import pytest

from tests.unit.world import World


@pytest.fixture
def world() -> World:
    """One spot with a connected blocker that has not reported yet."""
    return World()
