"""A device that no simulator runs: its certificate, its connection, and what the broker lets it do."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from awscrt import mqtt5
from awsiot import mqtt5_client_builder

from tests.e2e.world import WAIT_SECONDS_MAX, Json, World


@dataclass(frozen=True)
class Thing:
    """A provisioned blocker that no simulator runs."""

    blocker_id: str
    certificate_pem: str
    private_key: str


def made(world: World, answer: Json) -> Thing:
    """The thing whose certificate a function has answered; its key and its secret must never be seen again."""
    world.secrets_seen |= {answer["private_key"].splitlines()[1], answer["offline_secret"]}
    return Thing(answer["blocker_id"], answer["certificate_pem"], answer["private_key"])


@contextmanager
def connected(world: World, thing: Thing, client_id: str) -> Iterator[mqtt5.Client]:
    """A client with the thing's certificate under a name; raises what the broker says if it refuses."""
    outcome: Future[None] = Future()
    stopped: Future[None] = Future()

    def accepted(_: Any) -> None:
        if not outcome.done():
            outcome.set_result(None)

    def refused(data: Any) -> None:
        if not outcome.done():
            outcome.set_exception(ConnectionRefusedError(str(data.exception)))

    client = mqtt5_client_builder.mtls_from_bytes(
        cert_bytes=thing.certificate_pem.encode(),
        pri_key_bytes=thing.private_key.encode(),
        ca_bytes=authority(world),
        endpoint=world.stack.mqtt_host,
        port=world.stack.mqtt_port,
        client_id=client_id,
        # A clean session: else a refused publish would be sent again for ever.
        session_behavior=mqtt5.ClientSessionBehaviorType.CLEAN,
        on_lifecycle_connection_success=accepted,
        on_lifecycle_connection_failure=refused,
        on_lifecycle_disconnection=refused,
        on_lifecycle_stopped=lambda _: stopped.set_result(None),
    )
    client.start()
    try:
        outcome.result(WAIT_SECONDS_MAX)
        yield client
    finally:
        client.stop()
        stopped.result(WAIT_SECONDS_MAX)


def authority(world: World) -> bytes:
    """The CA of the broker, as the blockers know it."""
    return (Path(world.stack.folder) / "blockers" / "ca.pem").read_bytes()


def subscribe(client: mqtt5.Client, topic: str) -> bool:
    """Whether the broker takes a subscription."""
    packet = mqtt5.SubscribePacket([mqtt5.Subscription(topic, mqtt5.QoS.AT_LEAST_ONCE)])
    return is_taken(lambda: client.subscribe(packet).result(WAIT_SECONDS_MAX).reason_codes[0])


def publish(client: mqtt5.Client, topic: str) -> bool:
    """Whether the broker takes a message."""
    packet = mqtt5.PublishPacket(b"{}", topic=topic, qos=mqtt5.QoS.AT_LEAST_ONCE)
    return is_taken(lambda: client.publish(packet).result(WAIT_SECONDS_MAX).puback.reason_code)


def is_taken(ask: Callable[[], int]) -> bool:
    """Brokers refuse with a reason code, or by ending the connection."""
    try:
        return int(ask()) < int(mqtt5.SubackReasonCode.UNSPECIFIED_ERROR)
    except Exception:  # awscrt raises its own exceptions, which have no common base
        return False


def shadow_topic(blocker_id: str, last: str) -> str:
    return f"$aws/things/{blocker_id}/shadow/name/barrier/{last}"
