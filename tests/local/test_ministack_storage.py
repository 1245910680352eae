"""DynamoDB and Secrets Manager as the project uses them. Most of it MiniStack has; others build on it."""

import statistics
import time
from itertools import batched
from typing import Any
from uuid import uuid4

import pytest

from tests.local.ministack_support import REGION, RunningMiniStack

STARTS = (30, 10, 20)


def put_visits(running: RunningMiniStack) -> str:
    """A new user with three visits, put in neither order of their keys; returns the user's id."""
    user, dynamodb = f"user-{uuid4().hex[:8]}", running.client("dynamodb")
    for number, starts_at in enumerate(STARTS):
        item = {"user_id": {"S": user}, "visit_id": {"S": f"v{number}"}, "starts_at": {"N": str(starts_at)}}
        dynamodb.put_item(TableName=running.outputs["Visits"], Item=item | {"note": {"S": f"note {starts_at}"}})
    return user


@pytest.fixture
def user_id(patched: RunningMiniStack) -> str:
    return put_visits(patched)


def query(running: RunningMiniStack, user: str, **options: Any) -> Any:
    return running.client("dynamodb").query(
        TableName=running.outputs["Visits"],
        IndexName="by_start",
        KeyConditionExpression="user_id = :user",
        ExpressionAttributeValues={":user": {"S": user}},
        **options,
    )


def starts(answer: Any) -> list[int]:
    return [int(item["starts_at"]["N"]) for item in answer["Items"]]


def test_a_local_index_is_read_consistently_in_both_directions(patched: RunningMiniStack, user_id: str) -> None:
    assert starts(query(patched, user_id, ConsistentRead=True)) == [10, 20, 30]
    assert starts(query(patched, user_id, ConsistentRead=True, ScanIndexForward=False)) == [30, 20, 10]


def test_a_keys_only_local_index_gives_all_attributes_when_asked(patched: RunningMiniStack, user_id: str) -> None:
    bare = query(patched, user_id)["Items"][0]
    full = query(patched, user_id, ConsistentRead=True, Select="ALL_ATTRIBUTES")["Items"][0]
    named = query(patched, user_id, ProjectionExpression="note")["Items"][0]
    assert set(bare) == {"user_id", "visit_id", "starts_at"}
    assert full["note"] == {"S": "note 10"}
    assert named == {"note": {"S": "note 10"}}


def test_without_the_patch_a_keys_only_index_gives_keys_only(unpatched: RunningMiniStack) -> None:
    user = put_visits(unpatched)
    assert "note" not in query(unpatched, user, Select="ALL_ATTRIBUTES")["Items"][0]


def put_many(running: RunningMiniStack, count: int) -> str:
    """A new user with so many visits; returns the user's id."""
    user, table = f"user-{uuid4().hex[:8]}", running.outputs["Visits"]
    numbers = [str(number) for number in range(count)]
    items = [{"user_id": {"S": user}, "visit_id": {"S": n}, "starts_at": {"N": n}} for n in numbers]
    for some in batched(items, 25, strict=False):
        puts = [{"PutRequest": {"Item": item}} for item in some]
        running.client("dynamodb").batch_write_item(RequestItems={table: puts})
    return user


def test_a_condition_is_read_once_for_all_items_of_a_query(
    patched: RunningMiniStack, unpatched: RunningMiniStack
) -> None:
    """In turn on both, because milliseconds say more about the machine."""
    users = {running.endpoint: put_many(running, 500) for running in (patched, unpatched)}

    def counted_seconds(running: RunningMiniStack) -> float:
        began = time.perf_counter()
        answer = running.client("dynamodb").query(
            TableName=running.outputs["Visits"],
            KeyConditionExpression="user_id = :user AND visit_id BETWEEN :first AND :last",
            ExpressionAttributeValues={
                ":user": {"S": users[running.endpoint]},
                ":first": {"S": "0"},
                ":last": {"S": "999"},
            },
            Select="COUNT",
        )
        assert answer["Count"] == 500
        return time.perf_counter() - began

    pairs = [(counted_seconds(patched), counted_seconds(unpatched)) for _ in range(11)]
    with_patch, without = (statistics.median(seconds) for seconds in zip(*pairs, strict=True))
    assert with_patch < 0.8 * without


def test_a_local_index_pages_with_exclusive_start_key(patched: RunningMiniStack, user_id: str) -> None:
    first = query(patched, user_id, Limit=2)
    second = query(patched, user_id, Limit=2, ExclusiveStartKey=first["LastEvaluatedKey"])
    assert (starts(first), starts(second)) == ([10, 20], [30])
    assert set(first["LastEvaluatedKey"]) == {"user_id", "visit_id", "starts_at"}


def test_a_transaction_with_the_same_token_is_applied_once(patched: RunningMiniStack, user_id: str) -> None:
    dynamodb, token = patched.client("dynamodb"), uuid4().hex
    key = {"user_id": {"S": user_id}, "visit_id": {"S": "v0"}}

    def add(amount: int) -> None:
        update = {
            "TableName": patched.outputs["Visits"],
            "Key": key,
            "UpdateExpression": "ADD seen :amount",
            "ExpressionAttributeValues": {":amount": {"N": str(amount)}},
        }
        dynamodb.transact_write_items(TransactItems=[{"Update": update}], ClientRequestToken=token)

    add(1)
    add(1)
    with pytest.raises(dynamodb.exceptions.IdempotentParameterMismatchException):
        add(2)
    item = dynamodb.get_item(TableName=patched.outputs["Visits"], Key=key, ConsistentRead=True)["Item"]
    assert item["seen"] == {"N": "1"}


def test_a_secret_is_read_by_its_arn_and_refused_without_the_right(patched: RunningMiniStack) -> None:
    arn = patched.client("secretsmanager").create_secret(Name=f"stripe-{uuid4().hex[:8]}", SecretString="sk_test")[
        "ARN"
    ]
    right = patched.restricted_keys("secretsmanager:GetSecretValue", arn)
    wrong = patched.restricted_keys("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:{REGION}:1:secret:other")
    assert patched.client("secretsmanager", right).get_secret_value(SecretId=arn)["SecretString"] == "sk_test"
    refused = patched.client("secretsmanager", wrong)
    with pytest.raises(refused.exceptions.ClientError, match="AccessDenied"):
        refused.get_secret_value(SecretId=arn)
