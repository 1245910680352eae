"""The documents of the named shadow `barrier`, as the device reads and writes them (design, section 7).

The device writes `reported` only. What it reads is refused with a `ContractError` that names the field when it
does not fit; keys that this firmware does not know are ignored, so that the service may add some first.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

SHADOW_NAME = "barrier"
COMMAND_ID_LENGTH_MAX = 128


class ContractError(ValueError):
    """A document does not follow the contract; the message names the field and says why."""


class Position(StrEnum):
    """Where the barrier is; only RAISED and LOWERED can be asked for."""

    RAISED = "RAISED"
    LOWERED = "LOWERED"
    MOVING = "MOVING"
    UNKNOWN = "UNKNOWN"


class Occupancy(StrEnum):
    """What the sensor sees in the spot; UNKNOWN is treated as OCCUPIED."""

    VACANT = "VACANT"
    OCCUPIED = "OCCUPIED"
    UNKNOWN = "UNKNOWN"


class Result(StrEnum):
    """How a command ended."""

    DONE = "DONE"
    REJECTED = "REJECTED"


class Reason(StrEnum):
    """Why a command was rejected."""

    OCCUPIED = "OCCUPIED"
    OBSTRUCTED = "OBSTRUCTED"
    EXPIRED = "EXPIRED"
    LOW_BATTERY = "LOW_BATTERY"
    MANUAL_OVERRIDE = "MANUAL_OVERRIDE"
    SENSOR_FAULT = "SENSOR_FAULT"


@dataclass(frozen=True, slots=True)
class Desired:
    """A command of the service."""

    position: Position
    command_id: str
    reservation_id: str | None
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """How far the newest command has come; `result` is None while it is under way, or if power failed in between."""

    command_id: str
    result: Result | None = None
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Reported:
    """The device's whole state, as it is sent."""

    position: Position
    occupancy: Occupancy
    command_id: str | None
    result: Result | None
    reason: Reason | None
    battery_percent: int
    tamper: bool
    manual_override: bool
    firmware: str
    at: datetime
    opened_for: str | None = None
    """The reservation whose code has lowered the barrier, since it was last raised."""
    opened_at: datetime | None = None

    def document(self) -> dict[str, object]:
        """The `reported` section, ready for JSON."""
        return {
            "position": self.position,
            "occupancy": self.occupancy,
            "command_id": self.command_id,
            "result": self.result,
            "reason": self.reason,
            "battery_percent": self.battery_percent,
            "tamper": self.tamper,
            "manual_override": self.manual_override,
            "opened_for": self.opened_for,
            "opened_at": utc_text(self.opened_at) if self.opened_at else None,
            "firmware": self.firmware,
            "at": utc_text(self.at),
        }


@dataclass(frozen=True, slots=True)
class Shadow:
    """The answer to a shadow get. `refusal` says why `desired` could not be read, when it could not."""

    version: int
    timestamp: datetime
    desired: Desired | None
    refusal: str | None
    last_outcome: Outcome | None


@dataclass(frozen=True, slots=True)
class Rejection:
    """The shadow service's refusal of a get or an update: an HTTP-like code and its text."""

    code: int
    message: str


def utc_text(moment: datetime) -> str:
    """`2026-01-31T09:30:00.250Z`; milliseconds, because a motion takes less than a second in the simulator."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_object(payload: bytes) -> Mapping[str, object]:
    """A JSON object; raises ContractError for anything else."""
    try:
        document = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise ContractError(f"payload: not JSON ({error.__class__.__name__})") from error
    return _object(document, "payload")


def parse_shadow(document: Mapping[str, object]) -> Shadow:
    """Read a `get/accepted` document; raises ContractError when its frame is broken.

    A bad `desired` does not raise: the device must be able to report its state beside a command that it refuses.
    """
    state = _object(document.get("state"), "state")
    desired: Desired | None = None
    refusal: str | None = None
    if state.get("desired"):
        try:
            desired = parse_desired(_object(state["desired"], "desired"))
        except ContractError as error:
            refusal = str(error)
    return Shadow(
        version=_integer(document, "version"),
        timestamp=_epoch(document),
        desired=desired,
        refusal=refusal,
        last_outcome=_parse_outcome(state.get("reported")),
    )


def parse_desired(document: Mapping[str, object]) -> Desired:
    """Read and validate a command; raises ContractError."""
    position = document.get("position")
    if not isinstance(position, str) or position not in (Position.RAISED, Position.LOWERED):
        raise ContractError(f"desired.position: {position!r} is neither RAISED nor LOWERED")
    reservation_id = document.get("reservation_id")
    if reservation_id is not None and not isinstance(reservation_id, str):
        raise ContractError("desired.reservation_id: neither text nor null")
    return Desired(
        position=Position(position),
        command_id=_command_id(document.get("command_id")),
        reservation_id=reservation_id,
        expires_at=_parse_utc(document.get("expires_at")),
    )


def delta_command_id(document: Mapping[str, object]) -> str | None:
    """The command id that a delta document brings, or None when desired and reported agree on it already.

    A delta holds only the keys that differ (and `expires_at` always differs, since it is never reported), so it can
    tell that there is a new command but not what the command is. Raises ContractError.
    """
    state = _object(document.get("state"), "state")
    return _command_id(state["command_id"]) if "command_id" in state else None


def parse_rejection(document: Mapping[str, object]) -> Rejection:
    """Read a `get/rejected` or `update/rejected` document; raises ContractError."""
    return Rejection(code=_integer(document, "code"), message=str(document.get("message", "")))


def _parse_outcome(reported: object) -> Outcome | None:
    """The outcome that this device reported before a reboot; None when there is none that this firmware reads."""
    if not isinstance(reported, Mapping):
        return None
    try:
        result, reason = reported.get("result"), reported.get("reason")
        return Outcome(
            command_id=_command_id(reported.get("command_id")),
            result=None if result is None else Result(result),
            reason=None if reason is None else Reason(reason),
        )
    except ValueError:
        return None


def _object(value: object, field: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise ContractError(f"{field}: not an object")
    return value


def _integer(document: Mapping[str, object], field: str) -> int:
    value = document.get(field)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ContractError(f"{field}: not an integer")
    return value


def _epoch(document: Mapping[str, object]) -> datetime:
    """The service's clock, whole seconds since 1970."""
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=_integer(document, "timestamp"))
    except OverflowError as error:
        raise ContractError("timestamp: out of range") from error


def _command_id(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= COMMAND_ID_LENGTH_MAX:
        raise ContractError(f"command_id: not a text of 1 to {COMMAND_ID_LENGTH_MAX} characters")
    return value


def _parse_utc(value: object) -> datetime:
    if not isinstance(value, str) or not value.endswith("Z"):
        raise ContractError("desired.expires_at: not a UTC time like 2026-01-31T09:30:00Z")
    try:
        return datetime.fromisoformat(value)
    except ValueError as error:
        raise ContractError("desired.expires_at: not a UTC time like 2026-01-31T09:30:00Z") from error
