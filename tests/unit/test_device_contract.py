"""What the device takes from its shadow, and what it refuses."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parking_blocker.contract import (
    ContractError,
    Desired,
    Occupancy,
    Outcome,
    Position,
    Reason,
    Reported,
    Result,
    delta_command_id,
    parse_desired,
    parse_object,
    parse_rejection,
    parse_shadow,
)

COMMAND: dict[str, object] = {
    "position": "RAISED",
    "command_id": "c-1",
    "reservation_id": "r-1",
    "expires_at": "2026-01-31T09:30:00Z",
}
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def test_a_command_is_read_with_its_time_in_utc() -> None:
    assert parse_desired(COMMAND) == Desired(
        position=Position.RAISED,
        command_id="c-1",
        reservation_id="r-1",
        expires_at=datetime(2026, 1, 31, 9, 30, tzinfo=UTC),
    )


def test_a_command_without_a_reservation_is_read_because_a_shadow_never_holds_null() -> None:
    command = {key: value for key, value in COMMAND.items() if key != "reservation_id"}
    assert parse_desired(command).reservation_id is None


def test_keys_that_this_firmware_does_not_know_are_ignored() -> None:
    assert parse_desired({**COMMAND, "colour": "green"}) == parse_desired(COMMAND)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"position": "MOVING"}, "position"),
        ({"position": "raised"}, "position"),
        ({"position": None}, "position"),
        ({"position": ["RAISED"]}, "position"),
        ({"command_id": ""}, "command_id"),
        ({"command_id": "x" * 129}, "command_id"),
        ({"command_id": 7}, "command_id"),
        ({"reservation_id": 7}, "reservation_id"),
        ({"expires_at": None}, "expires_at"),
        ({"expires_at": "2026-01-31T09:30:00"}, "expires_at"),
        ({"expires_at": "2026-01-31T09:30:00+01:00"}, "expires_at"),
        ({"expires_at": "soonZ"}, "expires_at"),
        ({"expires_at": 1769851800}, "expires_at"),
    ],
)
def test_a_command_that_breaks_the_contract_is_refused_by_the_name_of_its_field(
    change: dict[str, object], field: str
) -> None:
    with pytest.raises(ContractError, match=field):
        parse_desired({**COMMAND, **change})


def shadow_document(**state: object) -> dict[str, object]:
    return {"state": state, "version": 7, "timestamp": 1769851800}


def test_a_shadow_gives_the_command_and_what_was_reported_before() -> None:
    shadow = parse_shadow(
        shadow_document(desired=COMMAND, reported={"command_id": "c-0", "result": "REJECTED", "reason": "OCCUPIED"})
    )
    assert shadow.desired == parse_desired(COMMAND)
    assert shadow.last_outcome == Outcome("c-0", Result.REJECTED, Reason.OCCUPIED)
    assert (shadow.version, shadow.timestamp, shadow.refusal) == (7, datetime(2026, 1, 31, 9, 30, tzinfo=UTC), None)


def test_a_bad_command_leaves_the_rest_of_the_shadow_readable() -> None:
    shadow = parse_shadow(shadow_document(desired={**COMMAND, "position": "UP"}, reported={"command_id": "c-0"}))
    assert shadow.desired is None
    assert shadow.refusal == "desired.position: 'UP' is neither RAISED nor LOWERED"
    assert shadow.last_outcome == Outcome("c-0")


@pytest.mark.parametrize("reported", [None, {}, {"command_id": 7}, {"command_id": "c-0", "result": "PERHAPS"}, []])
def test_a_reported_section_of_another_firmware_is_no_obstacle(reported: object) -> None:
    assert parse_shadow(shadow_document(reported=reported)).last_outcome is None


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"state": 1, "version": 1, "timestamp": 1},
        {"state": {}, "timestamp": 1},
        {"state": {}, "version": True, "timestamp": 1},
        {"state": {}, "version": 1, "timestamp": 10**20},
    ],
)
def test_a_broken_frame_is_refused(document: dict[str, object]) -> None:
    with pytest.raises(ContractError):
        parse_shadow(document)


@pytest.mark.parametrize("payload", [b"", b"[]", b"{", b"\xff", b"nul", b"[" * 100_000])
def test_a_payload_that_is_no_json_object_is_refused(payload: bytes) -> None:
    with pytest.raises(ContractError, match="payload"):
        parse_object(payload)


def test_a_delta_tells_of_a_command_only_when_the_command_id_differs() -> None:
    assert delta_command_id({"state": {"command_id": "c-2", "expires_at": "2026-01-31T09:30:00Z"}}) == "c-2"
    assert delta_command_id({"state": {"expires_at": "2026-01-31T09:30:00Z"}}) is None


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["state", "version", "timestamp", "code", "message"]), JSON_VALUES))
def test_no_document_makes_a_reader_fail_in_any_other_way(document: dict[str, Any]) -> None:
    for read in (parse_shadow, delta_command_id, parse_rejection):
        try:
            read(document)
        except ContractError:
            continue


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(list(COMMAND)), JSON_VALUES))
def test_no_command_makes_the_reader_fail_in_any_other_way(change: dict[str, Any]) -> None:
    try:
        parse_desired({**COMMAND, **change})
    except ContractError:
        return


def test_a_report_is_json_with_every_field_of_the_contract() -> None:
    reported = Reported(
        position=Position.MOVING,
        occupancy=Occupancy.VACANT,
        command_id="c-1",
        result=None,
        reason=None,
        battery_percent=88,
        tamper=False,
        manual_override=False,
        firmware="1.0.0",
        at=datetime(2026, 1, 31, 9, 30, 0, 250_000, tzinfo=UTC),
        opened_for="r-1",
        opened_at=datetime(2026, 1, 31, 9, 30, tzinfo=UTC),
    )
    assert json.loads(json.dumps(reported.document())) == {
        "position": "MOVING",
        "occupancy": "VACANT",
        "command_id": "c-1",
        "result": None,
        "reason": None,
        "battery_percent": 88,
        "tamper": False,
        "manual_override": False,
        "opened_for": "r-1",
        "opened_at": "2026-01-31T09:30:00.000Z",
        "firmware": "1.0.0",
        "at": "2026-01-31T09:30:00.250Z",
    }
