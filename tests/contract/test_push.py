"""Mobile push, in memory and in MiniStack's SNS as far as that goes."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import boto3
import httpx
import pytest
from botocore.stub import Stubber

from parking.adapters.memory.push import MemoryPush
from parking.adapters.sns_push import SnsPush
from parking.domain.notification import Platform
from parking.services.ports import EndpointGone, Push
from parking.services.push_messages import message_of
from parking.services.wording.en import ENGLISH
from tests.builders import a_notification
from tests.contract.emulators import Aws

A_MESSAGE = message_of(a_notification(), ENGLISH)
BOTH = pytest.mark.parametrize("platform", Platform)


@dataclass
class Bench:
    """The port, how many times an endpoint was knocked at, and the platform's word that the app is gone."""

    push: Push
    knocks: Callable[[str], int]
    disable: Callable[[str], object]


@pytest.fixture(params=["memory", "sns"])
def bench(request: pytest.FixtureRequest) -> Bench:
    if request.param == "memory":
        memory = MemoryPush()
        return Bench(memory, lambda endpoint: sum(to == endpoint for to, _ in memory.published), memory.disable)
    aws: Aws = request.getfixturevalue("aws")
    client = boto3.client("sns")
    names = {Platform.APNS: "APNS_SANDBOX", Platform.FCM: "GCM"}
    applications = {
        platform.value: client.create_platform_application(
            Name=f"app-{uuid4().hex[:8]}", Platform=name, Attributes={"PlatformCredential": "x"}
        )["PlatformApplicationArn"]
        for platform, name in names.items()
    }

    def disable(endpoint: str) -> None:
        client.set_endpoint_attributes(EndpointArn=endpoint, Attributes={"Enabled": "false"})

    return Bench(SnsPush(applications), lambda endpoint: len(_recorded(aws, endpoint)), disable)


def _recorded(aws: Aws, endpoint: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (
        httpx.get(f"{aws.record_url}/_recorded", params={"topic_or_target": endpoint}).raise_for_status().json()
    )
    return found


@BOTH
def test_a_registered_device_is_knocked_at(bench: Bench, platform: Platform) -> None:
    endpoint = bench.push.register("phone", platform, uuid4().hex)
    assert endpoint
    bench.push.publish(endpoint, platform, A_MESSAGE)
    assert bench.knocks(endpoint) == 1


@BOTH
def test_registering_a_token_again_gives_its_endpoint(bench: Bench, platform: Platform) -> None:
    token = uuid4().hex
    endpoint = bench.push.register("phone", platform, token)
    assert endpoint
    assert bench.push.register("phone", platform, token) == endpoint
    assert bench.push.register("new-phone", platform, token) == endpoint
    assert bench.push.register("phone", platform, uuid4().hex) != endpoint


@BOTH
def test_a_removed_endpoint_is_gone_and_may_be_removed_again(bench: Bench, platform: Platform) -> None:
    endpoint = bench.push.register("phone", platform, uuid4().hex)
    assert endpoint
    bench.push.remove(endpoint)
    bench.push.remove(endpoint)


@BOTH
def test_registering_enables_again(bench: Bench, platform: Platform) -> None:
    token = uuid4().hex
    endpoint = bench.push.register("phone", platform, token)
    assert endpoint
    bench.disable(endpoint)
    assert bench.push.register("phone", platform, token) == endpoint
    bench.push.publish(endpoint, platform, A_MESSAGE)
    assert bench.knocks(endpoint) == 1


def test_a_platform_without_credentials_has_no_endpoint(aws: Aws) -> None:
    assert SnsPush({}).register("phone", Platform.APNS, "token") is None
    assert MemoryPush([Platform.FCM]).register("phone", Platform.APNS, "token") is None


def test_memory_says_that_a_disabled_endpoint_is_gone() -> None:
    push = MemoryPush()
    endpoint = push.register("phone", Platform.FCM, "token")
    assert endpoint
    push.disable(endpoint)
    with pytest.raises(EndpointGone):
        push.publish(endpoint, Platform.FCM, A_MESSAGE)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("EndpointDisabled", "Endpoint is disabled"),
        ("NotFound", "Endpoint does not exist"),
        ("InvalidParameter", "Invalid parameter: TargetArn Reason: No endpoint found for the target arn specified"),
    ],
)
def test_what_sns_says_of_a_dead_endpoint_is_gone(aws: Aws, code: str, message: str) -> None:
    push = SnsPush({})
    sns = Stubber(push._client)
    sns.add_client_error("publish", service_error_code=code, service_message=message)
    with sns, pytest.raises(EndpointGone):
        push.publish("arn:aws:sns:eu-central-1:1:endpoint/GCM/app/1", Platform.FCM, A_MESSAGE)


def test_an_endpoint_of_another_device_id_is_taken_over(aws: Aws) -> None:
    push = SnsPush({Platform.FCM.value: "arn:aws:sns:eu-central-1:1:app/GCM/app"})
    existing = "arn:aws:sns:eu-central-1:1:endpoint/GCM/app/1"
    message = (
        f"Invalid parameter: Token Reason: Endpoint {existing} already exists with the same Token, "
        "but different attributes."
    )
    wanted = {"Enabled": "true", "Token": "token", "CustomUserData": "phone"}
    with Stubber(push._client) as sns:
        sns.add_client_error("create_platform_endpoint", "InvalidParameter", message)
        sns.add_response("set_endpoint_attributes", {}, {"EndpointArn": existing, "Attributes": wanted})
        assert push.register("phone", Platform.FCM, "token") == existing
        sns.assert_no_pending_responses()


def test_each_platform_gets_its_own_message(aws: Aws) -> None:
    client = boto3.client("sns")
    for platform, name in ((Platform.APNS, "APNS_SANDBOX"), (Platform.FCM, "GCM")):
        application = client.create_platform_application(
            Name=f"app-{uuid4().hex[:8]}", Platform=name, Attributes={"PlatformCredential": "x"}
        )["PlatformApplicationArn"]
        push = SnsPush({platform.value: application})
        endpoint = push.register("phone", platform, uuid4().hex)
        assert endpoint
        push.publish(endpoint, platform, A_MESSAGE)
        [published] = _recorded(aws, endpoint)
        assert published["message_structure"] == "json"
        message = json.loads(published["message"])
        assert message["default"] == A_MESSAGE.text
        payload = json.loads(message[name])
        if platform is Platform.APNS:
            assert payload["aps"]["alert"] == {"title": A_MESSAGE.title, "body": A_MESSAGE.text}
            assert payload["notification_id"] == A_MESSAGE.notification_id
        else:
            sent = payload["fcmV1Message"]["message"]
            assert sent["notification"] == {"title": A_MESSAGE.title, "body": A_MESSAGE.text}
            assert sent["data"]["reservation_id"] == A_MESSAGE.data["reservation_id"]
            assert sent["android"]["notification"]["tag"] == A_MESSAGE.notification_id
