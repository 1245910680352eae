"""A blocker's certificates: fetched with a code that counts once, replaced without a gap, cut off."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

from blockers import admit as admission
from parking import wiring
from parking.adapters.entry_codes import DerivedEntryCodes
from parking.adapters.memory.iot import MemoryThings
from parking.adapters.memory.store import MemoryStore
from parking.domain.audit import Action, Word
from parking.domain.blocker import Blocker
from parking.domain.enrolment import (
    CODE_BYTES,
    CODE_VALID_FOR,
    Enrolment,
    NotAdmitted,
    NotProven,
    digest_of,
    written_code,
)
from parking.domain.errors import NotFound
from parking.domain.ids import BlockerId
from parking.domain.spot import ServiceState
from parking.services import certificates
from parking.services.spots import CodeInstead, provision, spot_of
from tests.builders import a_spot
from tests.unit.world import World, at

CODE = "ABCD-EFGH-IJKL-MNOP"


def word(now: float = 0) -> Word:
    return Word(operator="Olga", reason="ticket 4711", request_id=f"request-{now}", at=at(now))


class Fleet(World):
    """One spot on the map whose device has its first certificate."""

    def __init__(self) -> None:
        super().__init__()
        self.things = MemoryThings()
        self.id = self.spot.blocker_id
        self.first = provision(self.store, self.things, self.spot, new_certificate=True).blocker.certificate_id or ""

    @property
    def certificates(self) -> list[str]:
        return self.things.active.get(self.id, [])

    def rotate(self, now: float = 1) -> str:
        return certificates.rotate(self.store, self.things, self.id, word(now)).certificate_id

    def connects_with(self, certificate_id: str, now: float) -> None:
        certificates.connected(self.store, self.id, certificate_id, at(now))

    def complete(self, now: float) -> str:
        return certificates.complete(self.store, self.things, self.id, word(now))

    def give_code(self, code: str = CODE, now: float = 0) -> None:
        certificates.give_code(self.store, self.id, code, word(now))

    def admit(self, certificate_id: str, code: str = CODE, now: float = 1) -> None:
        certificates.admit(self.store, self.id, code, certificate_id, at(now))

    def audited(self) -> list[Action]:
        return [one.action for one in self.store.audit(self.id, 100)][::-1]


@pytest.fixture
def fleet() -> Fleet:
    return Fleet()


@pytest.fixture
def fresh() -> Fleet:
    """Its device waits in a box: no certificate, but a code."""
    fleet = Fleet()
    fleet.spot = a_spot(spot_id="box", blocker_id=BlockerId("blocker-box"))
    fleet.id = fleet.spot.blocker_id
    made = provision(fleet.store, fleet.things, fleet.spot, new_certificate=False, instead=CodeInstead(CODE, at(0)))
    assert (made.certificate, made.code) == (None, CODE)
    return fleet


# Rotation


def test_both_certificates_connect_until_the_new_one_is_proven(fleet: Fleet) -> None:
    new = fleet.rotate()
    assert fleet.certificates == [fleet.first, new]
    for connection in (None, (fleet.first, 2)):
        if connection:
            fleet.connects_with(*connection)
        with pytest.raises(NotProven):
            fleet.complete(3)
        assert fleet.certificates == [fleet.first, new]
    fleet.connects_with(new, 4)
    assert fleet.complete(5) == new
    assert fleet.certificates == [new]
    assert fleet.blocker.certificate_id == new
    assert fleet.audited() == [Action.ROTATE, Action.COMPLETE]


def test_a_device_that_fell_back_to_its_old_certificate_keeps_it(fleet: Fleet) -> None:
    new = fleet.rotate()
    fleet.connects_with(new, 2)
    fleet.connects_with(fleet.first, 3)
    with pytest.raises(NotProven):
        fleet.complete(4)


def test_a_late_event_of_an_older_connection_is_no_news(fleet: Fleet) -> None:
    new = fleet.rotate()
    fleet.connects_with(new, 3)
    fleet.connects_with(fleet.first, 2)
    assert fleet.complete(4) == new


def test_a_connection_of_before_the_rotation_proves_nothing(fleet: Fleet) -> None:
    lost = fleet.rotate(1)
    fleet.connects_with(lost, 2)
    fleet.rotate(3)
    with pytest.raises(NotProven):
        fleet.complete(4)


def test_a_rotation_that_was_begun_twice_leaves_one_certificate(fleet: Fleet) -> None:
    fleet.rotate(1)
    new = fleet.rotate(2)
    fleet.connects_with(new, 3)
    fleet.complete(4)
    assert fleet.certificates == [new]


def test_without_a_rotation_nothing_is_completed_and_connections_are_not_written(fleet: Fleet) -> None:
    fleet.connects_with(fleet.first, 1)
    assert fleet.store.get(Enrolment, fleet.id) is None
    with pytest.raises(NotProven):
        fleet.complete(2)
    assert fleet.certificates == [fleet.first]


def test_a_completion_that_crashed_half_way_is_ended_by_the_next(fleet: Fleet) -> None:
    new = fleet.rotate()
    fleet.connects_with(new, 2)

    def crash() -> None:
        raise ConnectionError

    fleet.store.meanwhile(crash)
    with pytest.raises(ConnectionError):
        fleet.complete(3)
    assert fleet.blocker.certificate_id == fleet.first
    assert fleet.complete(4) == new
    assert fleet.blocker.certificate_id == new


# A lost device


@pytest.mark.parametrize("keep", [False, True])
def test_a_lost_device_is_cut_off_with_all_that_it_could_use(fleet: Fleet, keep: bool) -> None:
    fleet.give_code()
    fleet.rotate()
    for now in (2, 3):
        assert certificates.cut_off(fleet.store, fleet.things, fleet.id, word(now), out_of_service=not keep)
    assert fleet.certificates == []
    assert fleet.blocker.certificate_id is None
    with pytest.raises(NotAdmitted):
        fleet.admit("thief")
    expected = ServiceState.IN_SERVICE if keep else ServiceState.OUT_OF_SERVICE
    assert spot_of(fleet.store, fleet.spot.spot_id).service_state is expected
    said = {Action.CUT_OFF} if keep else {Action.CUT_OFF, Action.OUT_OF_SERVICE}
    assert set(fleet.audited()[2:]) == said


def test_nobody_is_let_in_with_a_code_while_a_device_is_cut_off(fleet: Fleet) -> None:
    fleet.give_code()

    class Things(MemoryThings):
        def cut_off(self, blocker_id: BlockerId) -> bool:
            with pytest.raises(NotAdmitted):
                fleet.admit("thief")
            return super().cut_off(blocker_id)

    certificates.cut_off(fleet.store, Things(), fleet.id, word(1), out_of_service=True)
    with pytest.raises(NotAdmitted):
        fleet.admit("thief", now=2)


def test_a_cut_that_failed_half_way_is_ended_by_saying_it_again(fleet: Fleet) -> None:
    class Broken(MemoryThings):
        def cut_off(self, blocker_id: BlockerId) -> bool:
            raise ConnectionError

    with pytest.raises(ConnectionError):
        certificates.cut_off(fleet.store, Broken(), fleet.id, word(1), out_of_service=True)
    assert fleet.certificates == [fleet.first]
    certificates.cut_off(fleet.store, fleet.things, fleet.id, word(2), out_of_service=True)
    assert fleet.certificates == []


def test_the_machine_that_comes_instead_fetches_its_certificate_with_a_new_code(fleet: Fleet) -> None:
    certificates.cut_off(fleet.store, fleet.things, fleet.id, word(1), out_of_service=False)
    fleet.give_code(now=2)
    fleet.admit("certificate-of-the-new-machine", now=3)
    assert fleet.blocker.certificate_id == "certificate-of-the-new-machine"


# Fleet provisioning


def test_a_device_with_the_code_gets_its_certificate_once(fresh: Fleet) -> None:
    fresh.admit("first")
    assert fresh.blocker.certificate_id == "first"
    fresh.admit("first", now=2)  # AWS IoT asks again when our answer was lost
    for other in ("second", "third"):
        with pytest.raises(NotAdmitted):
            fresh.admit(other, now=3)
    assert fresh.blocker.certificate_id == "first"


@pytest.mark.parametrize("code", ["", "ABCD-EFGH-IJKL-MNOQ", "ABCD", digest_of(CODE)])
def test_a_device_without_the_code_gets_none(fresh: Fleet, code: str) -> None:
    with pytest.raises(NotAdmitted):
        fresh.admit("first", code)
    assert fresh.blocker.certificate_id is None


def test_a_code_may_be_typed_as_people_do(fresh: Fleet) -> None:
    fresh.admit("first", "abcd efgh ijklmnop")


def test_a_code_ends_after_its_days(fresh: Fleet) -> None:
    minutes = CODE_VALID_FOR / timedelta(minutes=1)
    with pytest.raises(NotAdmitted):
        fresh.admit("first", now=minutes)
    fresh.admit("first", now=minutes - 0.001)


def test_a_newer_code_ends_the_older_one(fresh: Fleet) -> None:
    fresh.give_code("ZZZZ-EFGH-IJKL-MNOP", now=1)
    with pytest.raises(NotAdmitted):
        fresh.admit("first")
    fresh.admit("first", "ZZZZ-EFGH-IJKL-MNOP")


def test_a_code_of_one_blocker_is_of_no_use_to_another(fresh: Fleet) -> None:
    other = a_spot(spot_id="next", blocker_id=BlockerId("blocker-next"))
    provision(fresh.store, fresh.things, other, new_certificate=False, instead=CodeInstead("Z" * 16, at(0)))
    with pytest.raises(NotAdmitted):
        certificates.admit(fresh.store, other.blocker_id, CODE, "first", at(1))


def test_a_device_that_has_one_gets_the_next_beside_it(fleet: Fleet) -> None:
    fleet.give_code()
    fleet.admit("second")
    assert fleet.blocker.certificate_id == fleet.first
    fleet.connects_with("second", 2)
    assert fleet.complete(3) == "second"


def test_two_devices_with_one_code_race_and_one_gets_it(fresh: Fleet) -> None:
    fresh.store.meanwhile(lambda: fresh.admit("quick"))
    with pytest.raises(NotAdmitted):
        fresh.admit("slow")
    assert fresh.blocker.certificate_id == "quick"


def test_the_code_itself_is_kept_nowhere(fresh: Fleet) -> None:
    kept = repr([*fresh.store.all_of(Enrolment), *fresh.store.all_of(Blocker)])
    assert CODE not in kept
    assert CODE.replace("-", "") not in kept


def test_a_known_blocker_gets_no_code_by_being_provisioned_again(fresh: Fleet) -> None:
    again = provision(
        fresh.store, fresh.things, fresh.spot, new_certificate=False, instead=CodeInstead("Z" * 16, at(1))
    )
    assert (again.code, again.certificate) == (None, None)
    again = provision(fresh.store, fresh.things, replace(fresh.spot, name="B"), new_certificate=False)
    assert again.certificate is None, "its device is to fetch its own"
    fresh.admit("first")


def test_a_list_that_is_sent_again_gives_a_lost_device_nothing(fleet: Fleet) -> None:
    certificates.cut_off(fleet.store, fleet.things, fleet.id, word(), out_of_service=True)
    again = provision(fleet.store, fleet.things, replace(fleet.spot, name="B"), new_certificate=False)
    assert again.certificate is None
    assert again.spot.service_state is ServiceState.OUT_OF_SERVICE
    assert fleet.certificates == []


def test_codes_are_random_and_readable() -> None:
    assert written_code(bytes(CODE_BYTES)) == "AAAA-AAAA-AAAA-AAAA"
    assert re.fullmatch(r"([A-Z2-7]{4}-){3}[A-Z2-7]{4}", written_code(bytes(range(CODE_BYTES))))


@pytest.mark.parametrize("action", ["rotate", "give_code", "cut_off"])
def test_there_are_no_certificates_for_a_blocker_that_nobody_knows(action: str) -> None:
    store, things, nobody = MemoryStore(), MemoryThings(), BlockerId("blocker-none")
    acts: dict[str, Any] = {
        "rotate": lambda: certificates.rotate(store, things, nobody, word()),
        "give_code": lambda: certificates.give_code(store, nobody, CODE, word()),
        "cut_off": lambda: certificates.cut_off(store, things, nobody, word(), out_of_service=True),
    }
    with pytest.raises(NotFound):
        acts[action]()
    assert things.active == {}


# The hook's door


def asked(**parameters: str) -> dict[str, Any]:
    """The event of AWS IoT's documentation, "Pre-provisioning hooks"."""
    return {
        "claimCertificateId": "claim",
        "certificateId": "first",
        "certificatePem": "-----BEGIN CERTIFICATE-----",
        "templateArn": "arn:aws:iot:eu-central-1:123456789012:provisioningtemplate/x-blockers",
        "clientId": "claim-1",
        "parameters": parameters,
    }


class Context:
    """What the logger reads of Lambda's context."""

    function_name = "admit"
    memory_limit_in_mb = 128
    invoked_function_arn = "arn"
    aws_request_id = "request"


@pytest.mark.parametrize(
    ("parameters", "allowed"),
    [
        ({"BlockerId": "blocker-box", "RegistrationCode": CODE}, True),
        ({"BlockerId": "blocker-box", "RegistrationCode": "WRONG"}, False),
        ({"BlockerId": "blocker-none", "RegistrationCode": CODE}, False),
        ({"BlockerId": "../box", "RegistrationCode": CODE}, False),
        ({"BlockerId": "blocker-box"}, False),
        ({}, False),
    ],
)
def test_the_hook_answers_as_aws_iot_asks_and_logs_no_code(
    fresh: Fleet,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    parameters: dict[str, str],
    allowed: bool,
) -> None:
    codes = DerivedEntryCodes({"present": "master"})
    monkeypatch.setattr(wiring, "store", lambda: fresh.store)
    monkeypatch.setattr(wiring, "entry_codes", lambda: codes)
    monkeypatch.setattr(admission, "invoked_at", lambda: at(1))
    secret = codes.secret_of(BlockerId("blocker-box"))
    handed_out = {"parameterOverrides": {"OfflineSecret": secret}} if allowed else {}
    answer = admission.handler(asked(**parameters), cast(LambdaContext, Context()))
    assert answer == {"allowProvisioning": allowed} | handed_out
    logged = repr([vars(record) for record in caplog.records])
    assert ("not admitted" in logged) is not allowed
    for hidden in (CODE, "WRONG", secret):
        assert hidden not in logged
