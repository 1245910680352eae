"""DynamoDB streams: partial failures, retries, bisecting, the failure destination, isolation, order, filters."""

import json
import time
from typing import Any
from uuid import uuid4

from tests.local.ministack_support import RunningMiniStack, eventually

SLOW_SECONDS = 2  # how long a probe takes over a slow record
ATTEMPTS = 2  # one, and MaximumRetryAttempts more


def put(running: RunningMiniStack, table: str, *behaviours: str) -> list[str]:
    """One transaction of new items, which therefore arrive as one batch; returns their ids."""
    ids = [f"{behaviour}-{uuid4().hex[:8]}" for behaviour in behaviours]
    items = [{"id": {"S": item_id}, "behaviour": {"S": item_id.split("-")[0]}} for item_id in ids]
    name = running.outputs[table]
    running.client("dynamodb").transact_write_items(
        TransactItems=[{"Put": {"TableName": name, "Item": item}} for item in items]
    )
    return ids


def sightings(running: RunningMiniStack, item_id: str) -> list[dict[str, Any]]:
    return [seen for seen in running.recorded("records") if seen["id"] == item_id]


def discarded(running: RunningMiniStack) -> list[dict[str, Any]]:
    """Takes what has arrived at the failure destination."""
    queue_url = running.outputs["DiscardedUrl"]
    messages = running.client("sqs").receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get("Messages", [])
    return [json.loads(message["Body"]) for message in messages]


def test_a_reported_record_is_retried_then_sent_to_the_failure_destination(patched: RunningMiniStack) -> None:
    first, poison, last = put(patched, "Orders", "ok", "report", "ok")
    found = eventually(lambda: discarded(patched), bool)
    assert [message["requestContext"]["condition"] for message in found] == ["RetryAttemptsExhausted"]
    assert [message["DDBStreamBatchInfo"]["batchSize"] for message in found] == [1]
    assert len(sightings(patched, first)) == 1
    assert len([seen for seen in sightings(patched, poison) if seen["batch_size"] == 1]) == ATTEMPTS
    assert eventually(lambda: sightings(patched, last), bool)


def test_a_crash_is_bisected_until_only_the_poison_record_is_discarded(patched: RunningMiniStack) -> None:
    ids = put(patched, "Orders", "ok", "ok", "crash", "ok")
    found = eventually(lambda: discarded(patched), bool)
    assert [message["DDBStreamBatchInfo"]["batchSize"] for message in found] == [1]
    poison = ids[2]
    assert len([seen for seen in sightings(patched, poison) if seen["batch_size"] == 1]) == ATTEMPTS
    assert eventually(lambda: {seen["id"] for seen in patched.recorded("records")}, lambda seen: seen >= set(ids))
    assert all(sightings(patched, item_id) for item_id in ids)


def test_records_after_a_poison_record_still_arrive_in_order(patched: RunningMiniStack) -> None:
    ids = [item_id for behaviour in ("ok", "report", "ok", "ok") for item_id in put(patched, "Orders", behaviour)]
    eventually(lambda: sightings(patched, ids[-1]), bool)
    first_seen = list(dict.fromkeys(seen["id"] for seen in patched.recorded("records") if seen["id"] in ids))
    assert first_seen == ids
    assert eventually(lambda: discarded(patched), bool)


def test_a_slow_stream_does_not_hold_up_another(patched: RunningMiniStack) -> None:
    put(patched, "Others", "ok")  # a warm worker, so that the clock measures waiting only
    (slow,) = put(patched, "Orders", "slow")
    assert eventually(lambda: sightings(patched, slow), bool)
    started_at = time.monotonic()
    (quick,) = put(patched, "Others", "ok")
    assert eventually(lambda: sightings(patched, quick), bool)
    assert time.monotonic() - started_at < SLOW_SECONDS / 2


def test_a_filter_keeps_other_events_from_the_function(patched: RunningMiniStack) -> None:
    (changed,) = put(patched, "Others", "ok")
    table = patched.outputs["Others"]
    item = {"id": {"S": changed}, "behaviour": {"S": "ok"}, "changed": {"BOOL": True}}
    patched.client("dynamodb").put_item(TableName=table, Item=item)
    (after,) = put(patched, "Others", "ok")
    assert eventually(lambda: sightings(patched, after), bool)
    assert [seen["event"] for seen in sightings(patched, changed)] == ["INSERT"]


def test_without_the_patch_a_reported_record_is_lost(unpatched: RunningMiniStack) -> None:
    (poison,) = put(unpatched, "Orders", "report")
    (after,) = put(unpatched, "Orders", "ok")
    assert eventually(lambda: sightings(unpatched, after), bool)
    assert len(sightings(unpatched, poison)) == 1
    assert discarded(unpatched) == []


def test_without_the_patch_one_thread_serves_all_streams(unpatched: RunningMiniStack) -> None:
    (slow,) = put(unpatched, "Orders", "slow")
    assert eventually(lambda: sightings(unpatched, slow), bool)
    started_at = time.monotonic()
    (quick,) = put(unpatched, "Others", "ok")
    assert eventually(lambda: sightings(unpatched, quick), bool)
    assert time.monotonic() - started_at > SLOW_SECONDS / 2


def test_without_the_patch_a_crash_is_retried_beyond_the_limit(unpatched: RunningMiniStack) -> None:
    """Last on this stream: the poison record blocks it for good."""
    (poison,) = put(unpatched, "Orders", "crash")
    assert len(eventually(lambda: sightings(unpatched, poison), lambda seen: len(seen) > ATTEMPTS)) > ATTEMPTS
    assert discarded(unpatched) == []
