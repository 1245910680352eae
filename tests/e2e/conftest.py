"""One running system for all end-to-end tests. They share it, so each takes drivers and a spot of its own."""

from collections.abc import Iterator

import pytest

from local.drivers import Driver
from local.startup import running
from tests.e2e.bank import Bank
from tests.e2e.cards import Phone
from tests.e2e.stays import RICH_MINOR
from tests.e2e.world import Spot, World

LAST = ("test_afterwards.py", "test_afterwards_rights.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What must hold after everything else is looked at last."""
    items.sort(key=lambda item: item.path.name in LAST)


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    with running() as stack:
        yield World(stack)


@pytest.fixture
def spot(world: World) -> Spot:
    return world.spot()


@pytest.fixture
def quarter_spot(world: World) -> Spot:
    """A spot that sells quarters of an hour: a blocker's report is as fresh at the end of such a stay."""
    return world.spot(minimum_minutes=15)


@pytest.fixture
def later_spot(world: World) -> Spot:
    """A spot for stays that begin later: nothing of these tests needs its machine, so it has none."""
    return world.spot_without_machine()


@pytest.fixture
def driver(world: World) -> Driver:
    """A driver with enough money for any stay of these tests."""
    return world.driver(RICH_MINOR)


@pytest.fixture
def other_driver(world: World) -> Driver:
    """Another one, as rich."""
    return world.driver(RICH_MINOR)


@pytest.fixture
def poor(world: World) -> Driver:
    """A driver whose wallet is empty."""
    return world.driver()


@pytest.fixture
def bank(world: World) -> Bank:
    """Stripe's books."""
    return Bank(world.stack)


@pytest.fixture
def phone(world: World) -> Phone:
    """Stripe's mobile SDK in the app."""
    return Phone(world)
