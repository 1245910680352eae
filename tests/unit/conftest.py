"""What the unit tests share."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.unit.till import Till
from tests.unit.world import World

settings.register_profile("unit", deadline=None)  # a busy machine is no failure
settings.load_profile("unit")


@pytest.fixture
def world() -> World:
    """One spot with a connected blocker that has not reported yet."""
    return World()


@pytest.fixture
def till() -> Iterator[Till]:
    """The same with cards; whatever a test did, in the end the ledger has to say what Stripe says."""
    till = Till()
    yield till
    till.everything_arrives()
    till.books_must_fit()
