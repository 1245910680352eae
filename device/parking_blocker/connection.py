"""MQTT 5 over mutual TLS to AWS IoT Core: this blocker's shadow topics and its last will, nothing else.

The SDK keeps the connection and reconnects with exponential backoff and jitter. Its callbacks come on threads of
its own and are handed to the event loop here, so that everything above runs on one thread.
"""

import asyncio
import json
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from awscrt import mqtt5
from awsiot import mqtt5_client_builder

from parking_blocker.contract import (
    SHADOW_NAME,
    ContractError,
    Rejection,
    Reported,
    Shadow,
    delta_command_id,
    parse_object,
    parse_rejection,
    parse_shadow,
    utc_text,
)

# A dead device is noticed after one and a half of these (MQTT 5, 3.1.2.10).
KEEP_ALIVE_SECONDS = 60
# How long the broker keeps the session, with the messages that wait in it: AWS IoT's default limit.
SESSION_EXPIRY_SECONDS = 3600
RECONNECT_DELAY_MIN_MS = 1_000
RECONNECT_DELAY_MAX_MS = 64_000
# Subscribing and reading the shadow are tried again until the shadow is there: the broker may throttle both.
READ_RETRY_SECONDS = 5.0
# MQTT 5, 2.4: reason codes from here on mean failure.
FAILURE_CODE_MIN = 0x80
# get/rejected with this code: the thing has no such shadow yet.
NO_SHADOW_CODE = 404


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the broker is and which certificate authority vouches for it."""

    host: str
    port: int
    ca: Path


@dataclass(frozen=True, slots=True)
class Identity:
    """A blocker's id (its thing name and its MQTT client id), its certificate with key, and what it shares with us.

    `offline_secrets` check codes that are typed at the barrier; two while one is to replace the other, none where
    nobody can type.
    """

    blocker_id: str
    certificate: Path
    key: Path
    offline_secrets: tuple[str, ...] = field(default=(), repr=False)


class Listener(Protocol):
    """What a connection tells; every call comes on the event loop's thread."""

    def on_lost(self, why: str) -> None:
        """The connection broke; the SDK is trying again."""

    def on_shadow(self, shadow: Shadow | None) -> None:
        """The shadow as it is now; None when there is none yet."""

    def on_report_rejected(self, rejection: Rejection) -> None:
        """The service did not take a report."""

    def on_refused(self, why: str) -> None:
        """Something arrived that does not follow the contract, or is not allowed."""


class ShadowConnection:
    """One session of one blocker, from `open` to `close`, over as many TCP connections as the network needs."""

    def __init__(self, endpoint: Endpoint, identity: Identity, listener: Listener, now: Callable[[], datetime]) -> None:
        self._loop = asyncio.get_running_loop()
        self._listener = listener
        self._topics = f"$aws/things/{identity.blocker_id}/shadow/name/{SHADOW_NAME}"
        self._read_token: str | None = None
        self._retry: asyncio.TimerHandle | None = None
        self._connected = False
        self._closing = False
        self._stopped = asyncio.Event()
        will = {
            "blocker_id": identity.blocker_id,
            "session_id": str(uuid.uuid4()),
            "connected_at": utc_text(now()),
        }
        self._client = mqtt5_client_builder.mtls_from_path(
            cert_filepath=str(identity.certificate),
            pri_key_filepath=str(identity.key),
            ca_filepath=str(endpoint.ca),
            endpoint=endpoint.host,
            port=endpoint.port,
            client_id=identity.blocker_id,
            keep_alive_interval_sec=KEEP_ALIVE_SECONDS,
            session_behavior=mqtt5.ClientSessionBehaviorType.REJOIN_POST_SUCCESS,
            session_expiry_interval_sec=SESSION_EXPIRY_SECONDS,
            # After a reconnect the full state goes out; queued reports would only tell the past.
            offline_queue_behavior=mqtt5.ClientOperationQueueBehaviorType.FAIL_ALL_ON_DISCONNECT,
            retry_jitter_mode=mqtt5.ExponentialBackoffJitterMode.FULL,
            min_reconnect_delay_ms=RECONNECT_DELAY_MIN_MS,
            max_reconnect_delay_ms=RECONNECT_DELAY_MAX_MS,
            will=mqtt5.PublishPacket(
                topic=f"parking/blockers/{identity.blocker_id}/will",
                payload=json.dumps(will),
                qos=mqtt5.QoS.AT_LEAST_ONCE,
            ),
            on_publish_received=lambda data: self._post(
                self._on_message, data.publish_packet.topic, bytes(data.publish_packet.payload or b"")
            ),
            on_lifecycle_connection_success=lambda _: self._post(self._on_connected),
            on_lifecycle_connection_failure=lambda data: self._post(self._on_lost, str(data.exception)),
            on_lifecycle_disconnection=lambda data: self._post(self._on_lost, str(data.exception)),
            on_lifecycle_stopped=lambda _: self._loop.call_soon_threadsafe(self._stopped.set),
        )

    @property
    def connected(self) -> bool:
        """Whether the broker has accepted the connection."""
        return self._connected

    def open(self) -> None:
        """Connect, and stay connected until `close`."""
        self._client.start()

    async def close(self, *, announced: bool) -> None:
        """End the session. Announced, the broker drops the last will; else it publishes it, as for a lost network."""
        self._closing = True
        self._connected = False
        self._cancel_retry()
        self._client.stop(mqtt5.DisconnectPacket() if announced else None)
        await self._stopped.wait()

    def publish_reported(self, reported: Reported) -> None:
        """Send the whole reported state, QoS 1. Only while connected: every reconnect sends the newest state anyway."""
        if self._connected:
            sent = self._publish("update", {"state": {"reported": reported.document()}})
            sent.add_done_callback(lambda done: self._post(self._on_report_sent, done))

    def _subscribe(self) -> None:
        """Subscribe to the answers and to news, then read. The session may remember the topics; again does no harm.

        An answer that took longer than the retry does not count: the clock is set by it, and would be late by as much.
        """
        self._retry_later()
        self._read_token = None
        topics = ("get/accepted", "get/rejected", "update/delta", "update/rejected")
        packet = mqtt5.SubscribePacket(
            [mqtt5.Subscription(f"{self._topics}/{topic}", mqtt5.QoS.AT_LEAST_ONCE) for topic in topics]
        )
        self._client.subscribe(packet).add_done_callback(lambda done: self._post(self._on_subscribed, done))

    def _read_shadow(self) -> None:
        """Ask for the full shadow. Answers to earlier questions do not count any more."""
        self._retry_later()
        self._read_token = str(uuid.uuid4())
        self._publish("get", {"clientToken": self._read_token})

    def _retry_later(self) -> None:
        """Begin again at the subscription unless the shadow arrives in the meantime."""
        self._cancel_retry()
        self._retry = self._loop.call_later(READ_RETRY_SECONDS, self._subscribe)

    def _cancel_retry(self) -> None:
        if self._retry:
            self._retry.cancel()
            self._retry = None

    def _publish(self, operation: str, document: dict[str, object]) -> Future[mqtt5.PublishCompletionData]:
        packet = mqtt5.PublishPacket(
            topic=f"{self._topics}/{operation}", payload=json.dumps(document), qos=mqtt5.QoS.AT_LEAST_ONCE
        )
        future: Future[mqtt5.PublishCompletionData] = self._client.publish(packet)
        return future

    def _post(self, handler: Callable[..., None], *arguments: object) -> None:
        """From an SDK thread to the event loop."""
        self._loop.call_soon_threadsafe(self._handle, handler, arguments)

    def _handle(self, handler: Callable[..., None], arguments: tuple[object, ...]) -> None:
        if not self._closing:
            handler(*arguments)

    def _on_connected(self) -> None:
        self._connected = True
        self._subscribe()

    def _on_lost(self, why: str) -> None:
        self._connected = False
        self._cancel_retry()
        self._listener.on_lost(why)

    def _on_subscribed(self, done: Future[mqtt5.SubackPacket]) -> None:
        if error := done.exception():
            self._listener.on_refused(f"subscription: {error}")
            return
        if refused := [code.name for code in done.result().reason_codes if code >= FAILURE_CODE_MIN]:
            self._listener.on_refused(f"subscription: {refused[0]}")
            return
        self._read_shadow()

    def _on_report_sent(self, done: Future[mqtt5.PublishCompletionData]) -> None:
        if error := done.exception():
            # A lost connection ends here too; reconnecting sends the state again.
            if self._connected:
                self._listener.on_report_rejected(Rejection(0, str(error)))
        elif (code := done.result().puback.reason_code) >= FAILURE_CODE_MIN:
            self._listener.on_report_rejected(Rejection(int(code), code.name))

    def _on_message(self, topic: str, payload: bytes) -> None:
        try:
            self._take(topic.removeprefix(f"{self._topics}/"), parse_object(payload))
        except ContractError as error:
            self._listener.on_refused(f"{topic}: {error}")

    def _take(self, kind: str, document: Mapping[str, object]) -> None:
        """Raises ContractError for a document that cannot be read."""
        is_our_read = self._read_token is not None and document.get("clientToken") == self._read_token
        match kind:
            case "update/delta":
                if delta_command_id(document) is not None:
                    self._read_shadow()
            case "get/accepted" if is_our_read:
                shadow = parse_shadow(document)
                self._cancel_retry()
                self._listener.on_shadow(shadow)
            case "get/rejected" if is_our_read:
                rejection = parse_rejection(document)
                if rejection.code == NO_SHADOW_CODE:
                    self._cancel_retry()
                    self._listener.on_shadow(None)
                else:
                    self._listener.on_refused(f"shadow get: {rejection.code} {rejection.message}")
            case "update/rejected":
                self._listener.on_report_rejected(parse_rejection(document))
