"""SNS mobile push: applications, endpoints, publishes, and the record of what was published."""

import json
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.local.ministack_support import RunningMiniStack


def publish_to_new_endpoint(running: RunningMiniStack) -> tuple[str, str]:
    """The endpoint's ARN and the message."""
    sns, name = running.client("sns"), f"app-{uuid4().hex[:8]}"
    application = sns.create_platform_application(Name=name, Platform="GCM", Attributes={"PlatformCredential": "x"})
    endpoint: str = sns.create_platform_endpoint(
        PlatformApplicationArn=application["PlatformApplicationArn"], Token="device-token"
    )["EndpointArn"]
    message = json.dumps({"default": "hello", "GCM": json.dumps({"notification": {"title": "Привет"}})})
    sns.publish(TargetArn=endpoint, Message=message, MessageStructure="json")
    return endpoint, message


def recorded(running: RunningMiniStack, target: str) -> Any:
    url = f"http://127.0.0.1:{running.ports.sns_record}/_recorded"
    return httpx.get(url, params={"topic_or_target": target}).json()


def test_a_push_to_an_endpoint_is_recorded(patched: RunningMiniStack) -> None:
    endpoint, message = publish_to_new_endpoint(patched)
    (publish,) = recorded(patched, endpoint)
    assert (publish["message"], publish["message_structure"]) == (message, "json")


def test_a_publish_to_a_topic_is_recorded(patched: RunningMiniStack) -> None:
    sns = patched.client("sns")
    topic_arn = sns.create_topic(Name=f"topic-{uuid4().hex[:8]}")["TopicArn"]
    sns.publish(TopicArn=topic_arn, Subject="alarm", Message="look")
    assert [(publish["subject"], publish["message"]) for publish in recorded(patched, topic_arn)] == [("alarm", "look")]


def test_a_refused_publish_is_not_recorded(patched: RunningMiniStack) -> None:
    sns, missing = patched.client("sns"), "arn:aws:sns:eu-central-1:000000000000:endpoint/GCM/none/none"
    with pytest.raises(sns.exceptions.NotFoundException):
        sns.publish(TargetArn=missing, Message="lost")
    assert recorded(patched, missing) == []


def test_without_the_patch_nothing_shows_what_was_published(unpatched: RunningMiniStack) -> None:
    endpoint, message = publish_to_new_endpoint(unpatched)
    log = (unpatched.record_folder / "ministack.log").read_text()
    assert f"publish stub to {endpoint}" in log
    assert message not in log
