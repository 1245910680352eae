"""One contract, two twins: every test that asks for a port runs on the memory adapter and on the real one."""

from collections.abc import Iterator

import pytest

from parking.adapters.dynamodb.store import DynamoStore
from parking.adapters.memory.store import MemoryStore
from parking.adapters.parallel import in_parallel
from parking.services.ports import Store
from tests.contract.emulators import Aws, create_tables, running_aws


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    """MiniStack, and the environment that leads every AWS client to it."""
    with running_aws(tmp_path_factory.mktemp("aws")) as aws, pytest.MonkeyPatch.context() as environment:
        for name, value in aws.variables.items():
            environment.setenv(name, value)
        yield aws


@pytest.fixture(scope="session")
def dynamo_store(aws: Aws) -> DynamoStore:
    """The tables of the template, with threads as in Lambda."""
    return DynamoStore(create_tables(), in_parallel)


@pytest.fixture(params=["memory", "dynamodb"])
def store(request: pytest.FixtureRequest) -> Store:
    """Tests share the DynamoDB tables, so each makes drivers, spots and times of its own."""
    if request.param == "memory":
        return MemoryStore()
    dynamo_store: DynamoStore = request.getfixturevalue("dynamo_store")
    return dynamo_store
