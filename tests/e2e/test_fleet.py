"""A blocker's certificate from the factory to the scrapyard: fetched with a code, replaced without a gap, cut off."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from local.drivers import Driver
from parking_blocker.connection import Endpoint
from parking_blocker.enrol import Claim, Files, NotEnrolled, enrol
from tests.e2e.test_operators import WISH, shown
from tests.e2e.things import Thing, authority, connected, made, publish, shadow_topic, subscribe
from tests.e2e.world import Json, World, eventually

WORD = {"operator": "Mari", "reason": "of the test"}


@dataclass
class Factory:
    """What each machine of a batch has inside when it leaves."""

    world: World
    claim: Claim
    certificate: Thing
    folder: Path

    def enrol(self, blocker_id: str, code: str, name: str = "machine") -> Thing:
        """The device's own program, with its own three files."""
        files = Files(*(self.folder / f"{name}.{kind}" for kind in ("crt", "key", "secret")))
        enrol(self.endpoint, self.claim, blocker_id, code, files)
        for secret in (files.key, files.offline_secret):
            assert secret.stat().st_mode & 0o777 == 0o600
        self.world.secrets_seen.add(files.offline_secret.read_text())
        return Thing(blocker_id, files.certificate.read_text(), files.key.read_text())

    @property
    def endpoint(self) -> Endpoint:
        stack = self.world.stack
        return Endpoint(stack.mqtt_host, stack.mqtt_port, self.folder / "ca.pem")


@pytest.fixture(scope="module")
def factory(world: World, tmp_path_factory: pytest.TempPathFactory) -> Factory:
    """Its claim certificate is made as docs/operations/blockers.md says."""
    folder = tmp_path_factory.mktemp("factory")
    iot = world.stack.client("iot")
    claim = iot.create_keys_and_certificate(setAsActive=True)
    outputs = world.stack.client("cloudformation").describe_stacks(StackName=world.stack.stack_name)
    named = {one["OutputKey"]: one["OutputValue"] for one in outputs["Stacks"][0]["Outputs"]}
    iot.attach_policy(policyName=named["FleetClaimPolicyName"], target=claim["certificateArn"])
    (folder / "ca.pem").write_bytes(authority(world))
    (folder / "claim.crt").write_text(claim["certificatePem"])
    (folder / "claim.key").write_text(claim["keyPair"]["PrivateKey"])
    shared = Claim(folder / "claim.crt", folder / "claim.key", named["FleetTemplateName"])
    return Factory(world, shared, Thing("claim-1", claim["certificatePem"], claim["keyPair"]["PrivateKey"]), folder)


@pytest.fixture
def box(factory: Factory, tmp_path: Path) -> Factory:
    """The same factory with a folder for one machine."""
    (tmp_path / "ca.pem").write_bytes((factory.folder / "ca.pem").read_bytes())
    return replace(factory, folder=tmp_path)


def act(world: World, blocker_id: str, action: str) -> Json:
    answer, failed = world.invoke("BlockerCertificate", WORD | {"blocker_id": blocker_id, "action": action})
    assert not failed, answer
    return answer


def registered(world: World, spot_id: str) -> Json:
    """A new spot whose device is to fetch its certificate: with the blocker's id, and the code."""
    answer, failed = world.invoke("ProvisionSpot", WISH | {"spot_id": spot_id, "registration_code": True})
    assert not failed, answer
    assert (answer["certificate_id"], answer["private_key"]) == (None, None)
    world.secrets_seen.add(answer["registration_code"])
    return answer


def is_refused(world: World, thing: Thing) -> bool:
    try:
        with connected(world, thing, thing.blocker_id):
            return False
    except ConnectionRefusedError:
        return True


def test_a_device_from_the_factory_fetches_its_certificate_once(world: World, box: Factory) -> None:
    new = registered(world, "e2e-fleet")
    blocker_id, code = new["blocker_id"], new["registration_code"]
    with pytest.raises(NotEnrolled, match="AccessDenied"):
        box.enrol(blocker_id, "AAAA-AAAA-AAAA-AAAA")
    with pytest.raises(NotEnrolled, match="AccessDenied"):
        box.enrol("blocker-e2e-nobody", code)
    assert not [*box.folder.glob("machine*")], "nothing is written for a device that was refused"

    thing = box.enrol(blocker_id, code.lower().replace("-", " "))
    world.secrets_seen.add(thing.private_key.splitlines()[1])
    with connected(world, thing, blocker_id) as client:
        assert subscribe(client, shadow_topic(blocker_id, "update/delta"))
        assert publish(client, shadow_topic(blocker_id, "get"))
    with pytest.raises(NotEnrolled, match="is there already"):
        box.enrol(blocker_id, code)
    with pytest.raises(NotEnrolled, match="AccessDenied"):
        box.enrol(blocker_id, code, "second machine")
    again, failed = world.invoke("ProvisionSpot", WISH | {"spot_id": "e2e-fleet"})
    assert not failed
    assert (again["certificate_pem"], again["registration_code"]) == (None, None), "a list sent again cuts nobody off"


def test_a_claim_certificate_can_do_nothing_but_ask(world: World, factory: Factory, box: Factory) -> None:
    blocker_id = registered(world, "e2e-fleet-2")["blocker_id"]
    claim = factory.certificate
    for name in (blocker_id, "somebody"):
        assert is_refused(world, replace(claim, blocker_id=name))
    for way in (subscribe, publish):
        for topic in (shadow_topic(blocker_id, "update"), f"parking/blockers/{blocker_id}/will", "anything"):
            with connected(world, claim, "claim-1") as client:
                assert not way(client, topic), topic


def test_a_certificate_is_replaced_without_a_gap(world: World) -> None:
    answer, failed = world.invoke("ProvisionSpot", WISH | {"spot_id": "e2e-renewed"})
    assert not failed, answer
    old = made(world, answer)
    new = made(world, act(world, old.blocker_id, "ROTATE"))
    wish = WORD | {"blocker_id": old.blocker_id, "action": "COMPLETE"}
    for thing in (None, old):
        if thing:
            with connected(world, thing, old.blocker_id) as client:
                assert publish(client, shadow_topic(old.blocker_id, "get"))
        refusal, failed = world.invoke("BlockerCertificate", wish)
        assert failed
        assert "has not connected with its new certificate" in refusal["errorMessage"]

    with connected(world, new, old.blocker_id) as client:
        assert publish(client, shadow_topic(old.blocker_id, "get"))
        eventually(lambda: not world.invoke("BlockerCertificate", wish)[1], "the connection to count as proof")
        assert publish(client, shadow_topic(old.blocker_id, "get")), "the connection goes on"
    assert is_refused(world, old)
    assert not is_refused(world, new)


def test_a_lost_device_is_cut_off_by_one_command(world: World, driver: Driver) -> None:
    answer, failed = world.invoke("ProvisionSpot", WISH | {"spot_id": "e2e-lost"})
    assert not failed, answer
    lost = made(world, answer)
    with connected(world, lost, lost.blocker_id) as client:
        assert publish(client, shadow_topic(lost.blocker_id, "get"))
        act(world, lost.blocker_id, "CUT_OFF")
        assert not publish(client, shadow_topic(lost.blocker_id, "get")), "not even over its open connection"
    assert is_refused(world, lost)
    assert shown(driver, "e2e-lost")["service_state"] == "OUT_OF_SERVICE"
    report, failed = world.invoke("SpotReport", {"spot_id": "e2e-lost"})
    assert not failed, report
    assert {entry["action"] for entry in report["audit"]} == {"CUT_OFF", "OUT_OF_SERVICE"}
    assert report["blocker"]["certificate_id"] is None

    code = act(world, lost.blocker_id, "NEW_CODE")["registration_code"]
    world.secrets_seen.add(code)
    assert code not in str(world.log("BlockerCertificate"))
