"""IoT Core: presence events, last wills, named shadows, policies. MiniStack has these; others build on them."""

import json
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.local.ministack_support import REGION, RunningMiniStack, eventually

CONNACK_ACCEPTED = b"\x20\x02\x00\x00"
DISCONNECT = b"\xe0\x00"


def mqtt_text(text: str) -> bytes:
    return len(text).to_bytes(2) + text.encode()


def mqtt_connect(client_id: str, will_topic: str, will: str) -> bytes:
    """MQTT 3.1.1 CONNECT: clean session, a will with QoS 1, 60 s keep-alive. Shorter than 16 KB."""
    body = mqtt_text("MQTT") + bytes([4, 0b0000_1110]) + (60).to_bytes(2)
    body += mqtt_text(client_id) + mqtt_text(will_topic) + mqtt_text(will)
    return bytes([0x10, len(body) % 128 | 0x80, len(body) // 128]) + body


class Thing:
    """A registered device with a certificate that may do everything as itself."""

    def __init__(self, running: RunningMiniStack, folder: Path) -> None:
        self.running, self.name = running, f"barrier-{uuid4().hex[:8]}"
        iot = running.client("iot")
        iot.create_thing(thingName=self.name)
        keys = iot.create_keys_and_certificate(setAsActive=True)
        arn = f"arn:aws:iot:{REGION}:000000000000"
        allowed = {
            "iot:Connect": f"{arn}:client/${{iot:Connection.Thing.ThingName}}",
            "iot:Publish": f"{arn}:topic/probe/wills/${{iot:Connection.Thing.ThingName}}",
        }
        statements = [{"Effect": "Allow", "Action": action, "Resource": target} for action, target in allowed.items()]
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iot.create_policy(policyName=self.name, policyDocument=document)
        iot.attach_policy(policyName=self.name, target=keys["certificateArn"])
        iot.attach_thing_principal(thingName=self.name, principal=keys["certificateArn"])
        self.certificate_id: str = keys["certificateId"]
        authority = httpx.get(f"{running.endpoint}/_ministack/iot/ca.pem").text
        self.context = ssl.create_default_context(cadata=authority)
        self.context.check_hostname = False
        pair = folder / f"{self.name}.pem"
        pair.write_text(keys["keyPair"]["PrivateKey"] + keys["certificatePem"])
        self.context.load_cert_chain(pair)

    @contextmanager
    def connected(self, client_id: str | None = None) -> Iterator[ssl.SSLSocket]:
        """A raw MQTT session, which ends uncleanly unless DISCONNECT is sent."""
        with (
            socket.create_connection(("127.0.0.1", self.running.ports.mqtt), timeout=10) as plain,
            self.context.wrap_socket(plain) as session,
        ):
            session.sendall(mqtt_connect(client_id or self.name, f"probe/wills/{self.name}", '{"said": "gone"}'))
            assert session.recv(4) == CONNACK_ACCEPTED
            yield session

    def events(self) -> list[dict[str, Any]]:
        found = [entry["event"] for entry in self.running.recorded("events")]
        return [event for event in found if event.get("clientId") == self.name]

    def presence(self, count: int) -> list[dict[str, Any]]:
        """The presence events in their order, once there are as many as expected.

        A connection's two events have the same version; the next connection has a higher one.
        """
        found = eventually(self.events, lambda events: len(events) == count)
        return sorted(found, key=lambda event: (event["versionNumber"], event["eventType"]))


@pytest.fixture
def thing(patched: RunningMiniStack, tmp_path: Path) -> Thing:
    return Thing(patched, tmp_path)


def wills(running: RunningMiniStack) -> int:
    return sum(entry["event"] == {"said": "gone"} for entry in running.recorded("events"))


def test_connecting_and_disconnecting_are_presence_events_with_rising_versions(thing: Thing) -> None:
    for _ in range(2):
        with thing.connected() as session:
            session.sendall(DISCONNECT)
            assert session.recv(1) == b""
    found = thing.presence(4)
    assert [event["eventType"] for event in found] == ["connected", "disconnected"] * 2
    connected, disconnected, connected_again, disconnected_again = found
    assert connected["versionNumber"] == disconnected["versionNumber"]
    assert connected["versionNumber"] < connected_again["versionNumber"] == disconnected_again["versionNumber"]
    assert connected["principalIdentifier"] == thing.certificate_id
    assert connected["sessionIdentifier"] == disconnected["sessionIdentifier"]
    assert abs(connected["timestamp"] / 1000 - time.time()) < 60
    assert disconnected["clientInitiatedDisconnect"] is True
    assert disconnected["disconnectReason"] == "CLIENT_INITIATED_DISCONNECT"


def test_a_lost_connection_delivers_the_last_will_and_says_that_the_client_did_not_ask(thing: Thing) -> None:
    before = wills(thing.running)
    with thing.connected():
        pass
    assert eventually(lambda: wills(thing.running), lambda count: count > before) == before + 1
    disconnected = thing.presence(2)[1]
    assert disconnected["clientInitiatedDisconnect"] is False
    assert disconnected["disconnectReason"] == "CONNECTION_LOST"


def test_a_clean_disconnect_delivers_no_will(thing: Thing) -> None:
    before = wills(thing.running)
    with thing.connected() as session:
        session.sendall(DISCONNECT)
        assert session.recv(1) == b""
    thing.presence(2)
    assert wills(thing.running) == before


def test_a_certificate_cannot_connect_as_another_thing(thing: Thing) -> None:
    with pytest.raises((AssertionError, OSError)), thing.connected(client_id="somebody-else"):
        pass
    assert thing.events() == []


def test_a_named_shadow_is_written_with_its_version_and_its_document_reaches_a_rule(thing: Thing) -> None:
    data = thing.running.client("iot-data")
    desired = json.dumps({"state": {"desired": {"position": "RAISED"}}})
    data.update_thing_shadow(thingName=thing.name, shadowName="barrier", payload=desired)
    shadow = json.loads(data.get_thing_shadow(thingName=thing.name, shadowName="barrier")["payload"].read())
    assert (shadow["version"], shadow["state"]["desired"]) == (1, {"position": "RAISED"})
    stale = json.dumps({"state": {"desired": {"position": "LOWERED"}}, "version": 7})
    with pytest.raises(data.exceptions.ConflictException):
        data.update_thing_shadow(thingName=thing.name, shadowName="barrier", payload=stale)

    def documents() -> list[dict[str, Any]]:
        found = [entry["event"] for entry in thing.running.recorded("events")]
        return [event for event in found if event.get("thing_name") == thing.name]

    (document,) = eventually(documents, bool)
    assert document["current"]["state"]["desired"] == {"position": "RAISED"}


def test_a_shadow_that_does_not_exist_is_not_found(thing: Thing) -> None:
    data = thing.running.client("iot-data")
    with pytest.raises(data.exceptions.ResourceNotFoundException):
        data.get_thing_shadow(thingName=thing.name, shadowName="barrier")


@pytest.mark.parametrize(
    ("resource", "allowed"),
    [("thing/{thing}", True), ("thing/*", True), ("thing/{thing}/barrier", False), ("thing/other", False)],
)
def test_a_role_writes_a_named_shadow_only_through_the_arn_of_the_thing(
    thing: Thing, resource: str, allowed: bool
) -> None:
    target = f"arn:aws:iot:{REGION}:000000000000:{resource.format(thing=thing.name)}"
    data = thing.running.client("iot-data", thing.running.restricted_keys("iot:UpdateThingShadow", target))

    def write() -> None:
        data.update_thing_shadow(thingName=thing.name, shadowName="barrier", payload='{"state": {"desired": {"a": 1}}}')

    if allowed:
        write()
    else:
        with pytest.raises(data.exceptions.ClientError, match=r"ForbiddenException|AccessDenied"):
            write()
