"""What a restored copy still has comes back into the live table, and nothing that is newer is lost by it."""

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from operators.restore import restore

type Item = dict[str, Any]


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Two tables of one shape: moto is enough for one caller."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB"):  # another test's emulator is not moto
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        client = boto3.client("dynamodb", region_name="eu-central-1")
        for table in ("restored", "live"):
            client.create_table(
                TableName=table,
                KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
            )
        yield client


def an_item(id_: str, version: int, text: str) -> Item:
    return {"id": {"S": id_}, "version": {"N": str(version)}, "text": {"S": text}}


@pytest.fixture
def fill(dynamodb: Any) -> Callable[..., None]:
    def put(table: str, *items: Item) -> None:
        for item in items:
            dynamodb.put_item(TableName=table, Item=item)

    return put


def live(dynamodb: Any) -> dict[str, tuple[str, str]]:
    items = dynamodb.scan(TableName="live")["Items"]
    return {item["id"]["S"]: (item["version"]["N"], item["text"]["S"]) for item in items}


def test_what_is_missing_comes_back_as_it_was_and_what_differs_stays(dynamodb: Any, fill: Callable[..., None]) -> None:
    fill("restored", an_item("lost", 3, "old"), an_item("same", 1, "x"), an_item("changed", 2, "old"))
    fill("live", an_item("same", 1, "x"), an_item("changed", 5, "new"), an_item("young", 1, "y"))
    counts = restore(dynamodb, "restored", "live", replace=False, check_only=False)
    assert counts == {"MISSING": 1, "SAME": 1, "CHANGED": 1}
    assert live(dynamodb) == {"lost": ("3", "old"), "same": ("1", "x"), "changed": ("5", "new"), "young": ("1", "y")}


def test_what_is_replaced_gets_a_version_that_nobody_has_read(dynamodb: Any, fill: Callable[..., None]) -> None:
    fill("restored", an_item("changed", 2, "old"))
    fill("live", an_item("changed", 5, "new"))
    restore(dynamodb, "restored", "live", replace=True, check_only=False)
    assert live(dynamodb) == {"changed": ("6", "old")}


def test_a_look_writes_nothing(dynamodb: Any, fill: Callable[..., None]) -> None:
    fill("restored", an_item("lost", 3, "old"))
    assert restore(dynamodb, "restored", "live", replace=True, check_only=True) == {"MISSING": 1}
    assert live(dynamodb) == {}


@pytest.mark.parametrize("there", [True, False])
def test_what_changes_while_we_look_is_left_as_it_is(
    dynamodb: Any, fill: Callable[..., None], monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    fill("restored", an_item("raced", 2, "old"))
    if there:
        fill("live", an_item("raced", 5, "new"))
    get_item = dynamodb.get_item

    def meanwhile(**asked: Any) -> Any:
        found = get_item(**asked)
        fill("live", an_item("raced", 6, "newest"))
        return found

    monkeypatch.setattr(dynamodb, "get_item", meanwhile)
    assert restore(dynamodb, "restored", "live", replace=True, check_only=False) == {"RACED": 1}
    assert live(dynamodb) == {"raced": ("6", "newest")}
