"""IAM as MiniStack enforces it, and the record of what it allowed."""

import json
from typing import Any
from uuid import uuid4

import pytest

from local.ministack.patches.rights_used import MARK
from tests.local.ministack_support import Keys, RunningMiniStack


def reader_of_one_item(running: RunningMiniStack) -> tuple[Any, dict[str, Any], str]:
    """A client that may only get items of a table, the call, and the table's ARN."""
    root = running.client("dynamodb")
    arn = root.describe_table(TableName=running.outputs["Visits"])["Table"]["TableArn"]
    keys: Keys = running.restricted_keys("dynamodb:GetItem", arn)
    key = {"user_id": {"S": uuid4().hex}, "visit_id": {"S": "v0"}}
    return running.client("dynamodb", keys), {"TableName": running.outputs["Visits"], "Key": key}, arn


def told(running: RunningMiniStack, action: str, resource: str) -> list[str]:
    """Who was seen to use this right, as often as it was told."""
    lines = (running.record_folder / "ministack.log").read_text().splitlines()
    uses = [json.loads(line.removeprefix(MARK)) for line in lines if line.startswith(MARK)]
    return [use["principal"] for use in uses if (use["action"], use["resource"]) == (action, resource)]


def test_the_first_use_of_a_right_is_told_once(patched: RunningMiniStack) -> None:
    reader, call, arn = reader_of_one_item(patched)
    before = told(patched, "dynamodb:GetItem", arn)
    for _ in range(2):
        reader.get_item(**call)
    [principal] = [one for one in told(patched, "dynamodb:GetItem", arn) if one not in before]
    assert ":user/" in principal


def test_a_transaction_uses_the_rights_of_its_items(patched: RunningMiniStack) -> None:
    reader, call, arn = reader_of_one_item(patched)
    before = told(patched, "dynamodb:GetItem", arn)
    reader.transact_get_items(TransactItems=[{"Get": call}])
    assert len(told(patched, "dynamodb:GetItem", arn)) == len(before) + 1


def test_what_is_refused_is_no_use(patched: RunningMiniStack) -> None:
    reader, call, arn = reader_of_one_item(patched)
    with pytest.raises(reader.exceptions.ClientError, match="AccessDenied"):
        reader.delete_item(**call)
    assert told(patched, "dynamodb:DeleteItem", arn) == []


def test_without_the_patch_nobody_is_told_which_rights_are_used(unpatched: RunningMiniStack) -> None:
    reader, call, arn = reader_of_one_item(unpatched)
    reader.get_item(**call)
    assert told(unpatched, "dynamodb:GetItem", arn) == []
    assert "dynamodb:GetItem" not in (unpatched.record_folder / "ministack.log").read_text()
