"""`python -m operators.restore RESTORED LIVE`: bring back into a live table what a restored copy of it still has.

DynamoDB restores into a new table only, and the stack's table stays what functions, streams and rights name. What is
missing there is put back; what differs only with --replace, at a version above the live one's, so that whoever has read
the live item loses the race and decides again.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

type Item = dict[str, Any]


def restore(dynamodb: Any, restored: str, live: str, *, replace: bool, check_only: bool) -> Counter[str]:
    """How many items were as they should be, MISSING, or CHANGED; and RACED: changed while we looked, run it again."""
    keys = [one["AttributeName"] for one in dynamodb.describe_table(TableName=live)["Table"]["KeySchema"]]
    counts = Counter[str]()
    for item in _items(dynamodb, restored):
        key = {name: item[name] for name in keys}
        found: Item | None = dynamodb.get_item(TableName=live, Key=key, ConsistentRead=True).get("Item")
        what = "SAME" if found == item else "CHANGED" if found else "MISSING"
        if not check_only and (what == "MISSING" or (what == "CHANGED" and replace)):
            what = what if _put(dynamodb, live, item, found) else "RACED"
        counts[what] += 1
    return counts


def _items(dynamodb: Any, table: str) -> Iterator[Item]:
    """All of them: a copy that nobody uses may be scanned."""
    for page in dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
        yield from page["Items"]


def _put(dynamodb: Any, live: str, item: Item, found: Item | None) -> bool:
    """False if the live item is no longer what was read."""
    if found is None:
        guard: Item = {"ConditionExpression": "attribute_not_exists(version)"}
    else:
        item = item | {"version": {"N": str(int(found["version"]["N"]) + 1)}}
        guard = {
            "ConditionExpression": "version = :read",
            "ExpressionAttributeValues": {":read": found["version"]},
        }
    try:
        dynamodb.put_item(TableName=live, Item=item, **guard)
    except dynamodb.exceptions.ConditionalCheckFailedException:
        return False
    return True


def main() -> int:
    """Restore and say what was found; 1 if something changed while we looked."""
    parser = argparse.ArgumentParser(prog="operators.restore", description="Bring back what a restored table has.")
    parser.add_argument("restored")
    parser.add_argument("live")
    parser.add_argument("--replace", action="store_true", help="also what is there and differs")
    parser.add_argument("--check-only", action="store_true", help="say what would be done, and do nothing")
    told = parser.parse_args()
    try:
        counts = restore(
            boto3.client("dynamodb"), told.restored, told.live, replace=told.replace, check_only=told.check_only
        )
    except (BotoCoreError, ClientError) as error:
        print(error, file=sys.stderr)
        return 1
    print(*(f"{number} {what}" for what, number in sorted(counts.items())), sep=", ")
    return 1 if counts["RACED"] else 0


if __name__ == "__main__":
    sys.exit(main())
