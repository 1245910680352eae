"""What the unit tests share."""

import pytest
from hypothesis import settings

from tests.unit.world import World

settings.register_profile("unit", deadline=None)  # a busy machine is no failure
settings.load_profile("unit")


@pytest.fixture
def world() -> World:
    """One spot with a connected blocker that has not reported yet."""
    return World()
