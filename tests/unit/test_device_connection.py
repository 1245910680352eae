"""How the blocker asks the SDK to connect, and which answers count; the SDK itself is stood in for."""

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from awscrt import mqtt5
from awsiot import mqtt5_client_builder

from parking_blocker.connection import READ_RETRY_SECONDS, Endpoint, Identity, ShadowConnection
from parking_blocker.contract import Rejection, Shadow
from tests.unit.virtual_time import run

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
TOPICS = "$aws/things/blocker-1/shadow/name/barrier"


class Client:
    """Stands for the SDK's client: every question is taken, and none is answered by itself."""

    def __init__(self, **options: Any) -> None:
        self.options = options
        self.questions: list[str] = []
        self.silent = False

    def start(self) -> None:
        self.options["on_lifecycle_connection_success"](None)

    def subscribe(self, _: mqtt5.SubscribePacket) -> Future[Any]:
        granted = SimpleNamespace(reason_codes=[mqtt5.SubackReasonCode.GRANTED_QOS_1])
        return Future() if self.silent else done(granted)

    def publish(self, packet: mqtt5.PublishPacket) -> Future[Any]:
        self.questions.append(json.loads(str(packet.payload))["clientToken"])
        return done(None)

    def answer(self, token: str) -> None:
        payload = {"state": {}, "version": 1, "timestamp": 1, "clientToken": token}
        packet = mqtt5.PublishPacket(topic=f"{TOPICS}/get/accepted", payload=json.dumps(payload).encode())
        self.options["on_publish_received"](SimpleNamespace(publish_packet=packet))


def done(result: object) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_result(result)
    return future


class Listener:
    """Hears."""

    def __init__(self) -> None:
        self.shadows = 0

    def on_lost(self, why: str) -> None:
        raise AssertionError(why)

    def on_shadow(self, shadow: Shadow | None) -> None:
        self.shadows += 1

    def on_report_rejected(self, rejection: Rejection) -> None:
        raise AssertionError(rejection)

    def on_refused(self, why: str) -> None:
        raise AssertionError(why)


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Callable[[], tuple[Client, Listener]]:
    def connect() -> tuple[Client, Listener]:
        clients: list[Client] = []

        def build(**options: Any) -> Client:
            clients.append(Client(**options))
            return clients[0]

        monkeypatch.setattr(mqtt5_client_builder, "mtls_from_path", build)
        listener = Listener()
        identity = Identity("blocker-1", Path("b.crt"), Path("b.key"))
        ShadowConnection(Endpoint("broker", 8883, Path("ca.pem")), identity, listener, lambda: NOON).open()
        return clients[0], listener

    return connect


def test_the_session_outlives_a_connection_and_reconnecting_waits_longer_each_time_with_jitter(
    connect: Callable[[], tuple[Client, Listener]],
) -> None:
    async def story() -> None:
        options = connect()[0].options
        assert options["session_behavior"] is mqtt5.ClientSessionBehaviorType.REJOIN_POST_SUCCESS
        assert options["session_expiry_interval_sec"] == 3600
        assert options["retry_jitter_mode"] is mqtt5.ExponentialBackoffJitterMode.FULL
        assert (options["min_reconnect_delay_ms"], options["max_reconnect_delay_ms"]) == (1_000, 64_000)
        assert options["keep_alive_interval_sec"] == 60

    run(story)


def test_both_sides_show_a_certificate_and_the_last_will_names_the_blocker(
    connect: Callable[[], tuple[Client, Listener]],
) -> None:
    async def story() -> None:
        options = connect()[0].options
        assert (options["cert_filepath"], options["pri_key_filepath"], options["ca_filepath"]) == (
            "b.crt",
            "b.key",
            "ca.pem",
        )
        assert options["client_id"] == "blocker-1"
        will = options["will"]
        assert (will.topic, will.qos) == ("parking/blockers/blocker-1/will", mqtt5.QoS.AT_LEAST_ONCE)
        assert json.loads(will.payload)["blocker_id"] == "blocker-1"

    run(story)


def test_an_answer_that_comes_too_late_to_set_the_clock_by_is_asked_for_again(
    connect: Callable[[], tuple[Client, Listener]],
) -> None:
    async def story() -> None:
        client, listener = connect()
        await asyncio.sleep(0.1)
        client.silent = True
        await asyncio.sleep(READ_RETRY_SECONDS)
        client.answer(client.questions[0])
        await asyncio.sleep(0.1)
        assert (listener.shadows, len(client.questions)) == (0, 1)
        client.silent = False
        await asyncio.sleep(READ_RETRY_SECONDS)
        client.answer(client.questions[1])
        await asyncio.sleep(60)
        assert (listener.shadows, len(client.questions)) == (1, 2)

    run(story)
