"""The device program against MiniStack's IoT Core: mutual TLS, the things' rights, the last will, a lost network."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
import pytest
from awscrt import mqtt5
from awsiot import mqtt5_client_builder

from local.ports import Ports
from parking_blocker.blocker import Blocker
from parking_blocker.clock import ServiceClock
from parking_blocker.connection import Endpoint, Identity
from parking_blocker.contract import Position, utc_text
from parking_blocker.machine import Limits
from parking_blocker.memory_file import MemoryFile
from parking_blocker.simulated_actuator import SimulatedActuator
from tests.local.ministack_support import RunningMiniStack

PROJECT = Path(__file__).parents[2]
TRAVEL_SECONDS = 0.2
CONDITION_SECONDS_MAX = 15.0

OWN_TOPICS = (
    "$aws/things/${iot:Connection.Thing.ThingName}/shadow/name/barrier/*",
    "parking/blockers/${iot:Connection.Thing.ThingName}/*",
)
ALLOWED = {
    "iot:Connect": ["arn:aws:iot:*:*:client/${iot:Connection.Thing.ThingName}"],
    "iot:Publish": [f"arn:aws:iot:*:*:topic/{topic}" for topic in OWN_TOPICS],
    "iot:Receive": [f"arn:aws:iot:*:*:topic/{topic}" for topic in OWN_TOPICS],
    "iot:Subscribe": [f"arn:aws:iot:*:*:topicfilter/{topic}" for topic in OWN_TOPICS],
}
DEVICE_POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": action, "Resource": allowed} for action, allowed in ALLOWED.items()],
}
OBSERVER_POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iot:*", "Resource": "*"}]}


def free_port() -> int:
    return Ports.free().simulator


@dataclass
class Cloud:
    """What the tests ask of IoT Core."""

    ministack: RunningMiniStack
    folder: Path

    @cached_property
    def iot(self) -> Any:
        return self.ministack.client("iot")

    @cached_property
    def iot_data(self) -> Any:
        return self.ministack.client("iot-data")

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint("localhost", self.ministack.ports.mqtt, self.folder / "ca.pem")

    def provision(self, name: str, policy: dict[str, Any]) -> Identity:
        """A thing with a certificate and rights of its own."""
        iot = self.iot
        iot.create_thing(thingName=name)
        keys = iot.create_keys_and_certificate(setAsActive=True)
        iot.create_policy(policyName=f"{name}-policy", policyDocument=json.dumps(policy))
        iot.attach_policy(policyName=f"{name}-policy", target=keys["certificateArn"])
        iot.attach_thing_principal(thingName=name, principal=keys["certificateArn"])
        identity = Identity(name, self.folder / f"{name}.crt", self.folder / f"{name}.key")
        identity.certificate.write_text(keys["certificatePem"])
        identity.key.write_text(keys["keyPair"]["PrivateKey"])
        return identity

    def command(self, blocker_id: str, position: str, command_id: str, lasts: timedelta = timedelta(minutes=5)) -> None:
        desired = {
            "position": position,
            "command_id": command_id,
            "reservation_id": None,
            "expires_at": utc_text(datetime.now(UTC) + lasts),
        }
        self.iot_data.update_thing_shadow(
            thingName=blocker_id, shadowName="barrier", payload=json.dumps({"state": {"desired": desired}})
        )

    def shadow(self, blocker_id: str) -> dict[str, Any]:
        answer = self.iot_data.get_thing_shadow(thingName=blocker_id, shadowName="barrier")
        document: dict[str, Any] = json.loads(answer["payload"].read())
        return document

    def reported(self, blocker_id: str) -> dict[str, Any]:
        try:
            reported: dict[str, Any] = self.shadow(blocker_id)["state"].get("reported", {})
        except self.iot_data.exceptions.ResourceNotFoundException:
            return {}
        return reported


@pytest.fixture(scope="module")
def cloud(patched: RunningMiniStack, tmp_path_factory: pytest.TempPathFactory) -> Cloud:
    cloud = Cloud(patched, tmp_path_factory.mktemp("things"))
    authority = httpx.get(f"{patched.endpoint}/_ministack/iot/ca.pem").raise_for_status()
    cloud.endpoint.ca.write_bytes(authority.content)
    return cloud


class Cable:
    """A TCP line to the broker that can be cut without a word of goodbye on either side."""

    def __init__(self, broker: Endpoint) -> None:
        self._broker = broker
        self._port = free_port()
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []

    @property
    def endpoint(self) -> Endpoint:
        return replace(self._broker, port=self._port)

    async def plug_in(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self._port)

    def cut(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        broker_reader, broker_writer = await asyncio.open_connection("127.0.0.1", self._broker.port)
        self._writers += [writer, broker_writer]
        await asyncio.gather(pump(reader, broker_writer), pump(broker_reader, writer))


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(4096):
            writer.write(data)
            await writer.drain()
    writer.close()


async def until[T](ask: Callable[[], T], wanted: Callable[[T], bool]) -> T:
    """Ask until the answer is the wanted one; the condition fails the test after its deadline."""
    deadline = time.monotonic() + CONDITION_SECONDS_MAX
    while not wanted(answer := await asyncio.to_thread(ask)):
        assert time.monotonic() < deadline, f"still {answer!r}"
        await asyncio.sleep(0.02)
    return answer


@asynccontextmanager
async def running(endpoint: Endpoint, identity: Identity, heartbeat_seconds: float = 300.0) -> AsyncIterator[Blocker]:
    limits = Limits(heartbeat_seconds=heartbeat_seconds)
    memory = MemoryFile(identity.key.with_suffix(".json"), identity.blocker_id)
    blocker = Blocker(identity, endpoint, SimulatedActuator(TRAVEL_SECONDS), limits, memory, ServiceClock())
    blocker.connect()
    try:
        yield blocker
    finally:
        blocker.stop()
        await blocker.disconnect(announced=True)


def journal(blocker: Blocker, what: str) -> list[str]:
    return [entry.detail for entry in blocker.journal if entry.what == what]


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        await asyncio.wait_for(test(), timeout=60)

    asyncio.run(bounded())


def test_a_raise_command_moves_the_barrier_and_the_report_names_the_command(cloud: Cloud) -> None:
    identity = cloud.provision("raises", DEVICE_POLICY)

    async def story() -> None:
        async with running(cloud.endpoint, identity) as blocker:
            await until(lambda: cloud.reported("raises"), lambda reported: reported.get("position") == "LOWERED")
            cloud.command("raises", "RAISED", "c-1")
            reported = await until(lambda: cloud.reported("raises"), lambda reported: bool(reported.get("result")))
            assert (reported["position"], reported["command_id"], reported["result"]) == ("RAISED", "c-1", "DONE")
            assert journal(blocker, "motor") == ["raising", "stopped"]
            assert journal(blocker, "refused") == []
            assert [words.split()[0] for words in journal(blocker, "report")] == ["LOWERED", "MOVING", "RAISED"]

    run(story)


def test_the_same_command_written_again_moves_nothing(cloud: Cloud) -> None:
    identity = cloud.provision("repeats", DEVICE_POLICY)

    async def story() -> None:
        async with running(cloud.endpoint, identity) as blocker:
            cloud.command("repeats", "RAISED", "c-1")
            await until(lambda: cloud.reported("repeats"), lambda reported: reported.get("result") == "DONE")
            cloud.command("repeats", "RAISED", "c-1", lasts=timedelta(minutes=6))
            cloud.command("repeats", "LOWERED", "c-2")
            await until(lambda: cloud.reported("repeats"), lambda reported: reported.get("command_id") == "c-2")
            assert journal(blocker, "motor").count("raising") == 1

    run(story)


def test_a_command_given_while_the_network_is_lost_is_carried_out_after_reconnecting(cloud: Cloud) -> None:
    identity = cloud.provision("returns", DEVICE_POLICY)

    async def story() -> None:
        cable = Cable(cloud.endpoint)
        await cable.plug_in()
        async with running(cable.endpoint, identity) as blocker:
            await until(lambda: cloud.reported("returns"), lambda reported: reported.get("position") == "LOWERED")
            cable.cut()
            await until(lambda: blocker.connected, lambda connected: not connected)
            cloud.command("returns", "RAISED", "c-1")
            cloud.command("returns", "LOWERED", "c-2")
            cloud.command("returns", "RAISED", "c-3")
            await cable.plug_in()
            reported = await until(lambda: cloud.reported("returns"), lambda reported: bool(reported.get("result")))
            assert (reported["position"], reported["command_id"], reported["result"]) == ("RAISED", "c-3", "DONE")
            assert journal(blocker, "motor") == ["raising", "stopped"]
        cable.cut()

    run(story)


def test_a_rebooted_device_does_not_repeat_the_command_that_its_shadow_calls_done(cloud: Cloud) -> None:
    identity = cloud.provision("reboots", DEVICE_POLICY)

    async def story() -> None:
        async with running(cloud.endpoint, identity):
            cloud.command("reboots", "RAISED", "c-1")
            await until(lambda: cloud.reported("reboots"), lambda reported: reported.get("result") == "DONE")
        async with running(cloud.endpoint, identity) as blocker:
            # The simulated barrier starts LOWERED, as if lowered by hand while the power was off.
            reported = await until(lambda: cloud.reported("reboots"), lambda now: now["position"] == "LOWERED")
            assert (reported["command_id"], reported["result"]) == ("c-1", "DONE")
            assert journal(blocker, "motor") == []

    run(story)


def test_an_expired_command_is_rejected_without_a_motion(cloud: Cloud) -> None:
    identity = cloud.provision("expires", DEVICE_POLICY)

    async def story() -> None:
        async with running(cloud.endpoint, identity) as blocker:
            cloud.command("expires", "RAISED", "c-1", lasts=timedelta(seconds=-5))
            reported = await until(lambda: cloud.reported("expires"), lambda reported: bool(reported.get("result")))
            assert (reported["result"], reported["reason"]) == ("REJECTED", "EXPIRED")
            assert journal(blocker, "motor") == []

    run(story)


def test_a_command_that_breaks_the_contract_is_refused_and_the_device_goes_on(cloud: Cloud) -> None:
    identity = cloud.provision("refuses", DEVICE_POLICY)

    async def story() -> None:
        async with running(cloud.endpoint, identity) as blocker:
            cloud.command("refuses", "SIDEWAYS", "c-1")
            await until(lambda: journal(blocker, "refused"), bool)
            assert "desired.position" in journal(blocker, "refused")[0]
            cloud.command("refuses", "RAISED", "c-2")
            await until(lambda: cloud.reported("refuses"), lambda reported: reported.get("result") == "DONE")

    run(story)


def test_silence_never_lasts_longer_than_the_heartbeat(cloud: Cloud) -> None:
    identity = cloud.provision("beats", DEVICE_POLICY)

    async def story() -> None:
        async with running(cloud.endpoint, identity, heartbeat_seconds=0.3) as blocker:
            await until(lambda: len(journal(blocker, "report")), lambda reports: reports >= 4)
            assert journal(blocker, "report_rejected") == []

    run(story)


@asynccontextmanager
async def listening(cloud: Cloud, topic: str) -> AsyncIterator[list[dict[str, Any]]]:
    """Everything that is published on a topic while the context is open."""
    observer = cloud.provision(f"observer-{free_port()}", OBSERVER_POLICY)
    heard: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    connected, stopped = asyncio.Event(), asyncio.Event()
    client = mqtt5_client_builder.mtls_from_path(
        cert_filepath=str(observer.certificate),
        pri_key_filepath=str(observer.key),
        ca_filepath=str(cloud.endpoint.ca),
        endpoint=cloud.endpoint.host,
        port=cloud.endpoint.port,
        client_id=observer.blocker_id,
        on_publish_received=lambda data: heard.append(json.loads(data.publish_packet.payload)),
        on_lifecycle_connection_success=lambda _: loop.call_soon_threadsafe(connected.set),
        on_lifecycle_stopped=lambda _: loop.call_soon_threadsafe(stopped.set),
    )
    client.start()
    try:
        await asyncio.wait_for(connected.wait(), CONDITION_SECONDS_MAX)
        packet = mqtt5.SubscribePacket([mqtt5.Subscription(topic, mqtt5.QoS.AT_LEAST_ONCE)])
        await asyncio.wrap_future(client.subscribe(packet))
        yield heard
    finally:
        client.stop(mqtt5.DisconnectPacket())
        await asyncio.wait_for(stopped.wait(), CONDITION_SECONDS_MAX)


def test_the_last_will_is_published_for_a_lost_network_and_not_for_a_shutdown(cloud: Cloud) -> None:
    identity = cloud.provision("wills", DEVICE_POLICY)

    async def story() -> None:
        async with listening(cloud, "parking/blockers/+/will") as wills:
            cable = Cable(cloud.endpoint)
            await cable.plug_in()
            async with running(cable.endpoint, identity) as blocker:
                await until(lambda: blocker.machine.online, bool)
                cable.cut()
                await until(lambda: len(wills), lambda count: count == 1)
                await cable.plug_in()
                await until(lambda: blocker.machine.online, bool)
            cable.cut()
            assert [will["blocker_id"] for will in wills] == ["wills"]
            assert set(wills[0]) == {"blocker_id", "session_id", "connected_at"}

    run(story)


def test_a_certificate_cannot_connect_as_another_blocker(cloud: Cloud) -> None:
    thief = cloud.provision("thief", DEVICE_POLICY)
    cloud.provision("victim", DEVICE_POLICY)

    async def story() -> None:
        impostor = Identity("victim", thief.certificate, thief.key)
        async with running(cloud.endpoint, impostor) as blocker:
            await until(lambda: journal(blocker, "disconnected"), bool)
            assert not blocker.connected

    run(story)
    assert cloud.reported("victim") == {}


def test_the_simulator_is_driven_over_http(cloud: Cloud) -> None:
    names = ["simulated-1", "simulated-2"]
    identities = [cloud.provision(name, DEVICE_POLICY) for name in names]
    control_port = free_port()
    config = cloud.folder / "simulator.toml"
    head = {"endpoint": "localhost", "port": cloud.endpoint.port, "ca": "ca.pem", "travel_seconds": TRAVEL_SECONDS}
    lines = [f"{key} = {json.dumps(value)}" for key, value in {**head, "control_port": control_port}.items()]
    for each in identities:
        lines.append(f'[[blockers]]\nblocker_id = "{each.blocker_id}"')
        lines.append(f'certificate = "{each.certificate.name}"\nkey = "{each.key.name}"')
    config.write_text("\n".join(lines))
    process = subprocess.Popen(
        [sys.executable, "-m", "parking_blocker.simulator", "--config", config],
        env={**os.environ, "PYTHONPATH": str(PROJECT / "device")},
    )

    def ask(method: str, path: str, body: dict[str, bool] | None = None) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = httpx.request(
                method, f"http://127.0.0.1:{control_port}{path}", json=body, timeout=15
            ).json()
        except httpx.ConnectError:
            return {}
        return answer

    async def story() -> None:
        await until(lambda: ask("GET", "/health"), lambda health: health == {"blockers": 2, "connected": 2})
        ask("PUT", "/blockers/simulated-1/car", {"present": True})
        cloud.command("simulated-1", "RAISED", "c-1")
        seen = await until(lambda: ask("GET", "/blockers/simulated-1"), lambda seen: seen["result"] is not None)
        assert (seen["position"], seen["occupancy"], seen["reason"]) == ("LOWERED", "OCCUPIED", "OCCUPIED")
        ask("PUT", "/blockers/simulated-2/network", {"online": False})
        assert ask("GET", "/health")["connected"] == 1
        ask("PUT", "/blockers/simulated-2/network", {"online": True})
        await until(lambda: ask("GET", "/health"), lambda health: health["connected"] == 2)

    try:
        run(story)
    finally:
        process.terminate()
    assert process.wait(CONDITION_SECONDS_MAX) == 0
    assert Position.UNKNOWN not in {cloud.reported(name)["position"] for name in names}
