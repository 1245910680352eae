"""Asynchronous invocations by EventBridge and by IoT rules: at most a few at once, retried, then handed over."""

import json
from typing import Any
from uuid import uuid4

import pytest

from tests.local.ministack_support import RunningMiniStack, eventually

AT_ONCE = 6
BURST = 8


def announce(running: RunningMiniStack, details: list[dict[str, Any]]) -> None:
    entries = [{"Source": "probe", "DetailType": "probe", "Detail": json.dumps(detail)} for detail in details]
    running.client("events").put_events(Entries=entries)


def say(running: RunningMiniStack, details: list[dict[str, Any]]) -> None:
    data = running.client("iot-data")
    for detail in details:
        data.publish(topic="probe/events", qos=1, payload=json.dumps(detail))


def seen(running: RunningMiniStack, marker: str) -> list[dict[str, Any]]:
    found = running.recorded("events")
    return [entry for entry in found if entry["event"].get("detail", entry["event"]).get("marker") == marker]


def undelivered(running: RunningMiniStack) -> list[dict[str, Any]]:
    queue_url = running.outputs["UndeliveredUrl"]
    messages = running.client("sqs").receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get("Messages", [])
    return [json.loads(message["Body"]) for message in messages]


@pytest.mark.parametrize("send", [announce, say])
def test_a_failed_event_is_tried_again_then_sent_to_the_failure_destination(
    patched: RunningMiniStack, send: Any
) -> None:
    marker = uuid4().hex
    send(patched, [{"marker": marker, "crash": True}])
    found = eventually(lambda: undelivered(patched), bool)
    payloads = [message["requestPayload"] for message in found]
    assert [payload.get("detail", payload)["marker"] for payload in payloads] == [marker]
    assert len(seen(patched, marker)) == 2  # one, and MaximumRetryAttempts more


@pytest.mark.parametrize("send", [announce, say])
def test_a_burst_runs_in_few_workers_and_loses_nothing(patched: RunningMiniStack, send: Any) -> None:
    marker = uuid4().hex
    send(patched, [{"marker": marker, "seconds": 0.2} for _ in range(BURST)])
    entries = eventually(lambda: seen(patched, marker), lambda found: len(found) == BURST)
    assert len(entries) == BURST
    assert len({entry["pid"] for entry in entries}) <= AT_ONCE


def test_a_scheduled_function_can_be_invoked_for_any_minute(patched: RunningMiniStack) -> None:
    """How a test travels in time: the event of the schedule, with a `time` of its choice."""
    event = {"source": "aws.events", "detail-type": "Scheduled Event", "time": "2031-05-06T07:08:00Z", "detail": {}}
    assert patched.invoke("OnEvent", event) is None
    assert event in [entry["event"] for entry in patched.recorded("events")]


def test_the_schedule_of_the_template_is_an_enabled_rule_on_the_function(patched: RunningMiniStack) -> None:
    events = patched.client("events")
    (rule,) = [rule for rule in events.list_rules()["Rules"] if rule.get("ScheduleExpression") == "rate(1 minute)"]
    (target,) = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
    assert rule["State"] == "ENABLED"
    assert target["Arn"].endswith(f":function:{patched.outputs['OnEvent']}")


def test_without_the_patch_a_failed_event_is_forgotten(unpatched: RunningMiniStack) -> None:
    marker = uuid4().hex
    announce(unpatched, [{"marker": marker, "crash": True}])
    assert eventually(lambda: seen(unpatched, marker), bool)
    # The deadline is longer than the patch's pause before a retry.
    assert len(eventually(lambda: seen(unpatched, marker), lambda found: len(found) > 1, timeout_seconds=2)) == 1
    assert undelivered(unpatched) == []


@pytest.mark.parametrize("send", [announce, say])
def test_without_the_patch_a_burst_starts_a_worker_for_each_event(unpatched: RunningMiniStack, send: Any) -> None:
    marker = uuid4().hex
    send(unpatched, [{"marker": marker, "seconds": 1.5} for _ in range(BURST)])
    entries = eventually(lambda: seen(unpatched, marker), lambda found: len(found) == BURST)
    assert len({entry["pid"] for entry in entries}) > AT_ONCE
