"""The configuration files, TOML. Paths in them are relative to the file. See docs/device.md."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from parking_blocker.connection import Endpoint, Identity

HEARTBEAT_SECONDS_DEFAULT = 300.0


class ConfigError(ValueError):
    """The file cannot be used; the message names the key."""


@dataclass(frozen=True, slots=True)
class DeviceConfig:
    """One blocker."""

    endpoint: Endpoint
    identity: Identity
    heartbeat_seconds: float


@dataclass(frozen=True, slots=True)
class SimulatorConfig:
    """Many blockers in one process. `travel_seconds` is what the barrier takes from end to end."""

    endpoint: Endpoint
    identities: tuple[Identity, ...]
    heartbeat_seconds: float
    travel_seconds: float
    control_port: int


def load_device(path: Path) -> DeviceConfig:
    """Read one blocker's file; raises ConfigError, and OSError when it is not there."""
    table = _load(path)
    return DeviceConfig(_endpoint(table, path), _identity(table, path), _heartbeat_seconds(table))


def load_simulator(path: Path) -> SimulatorConfig:
    """Read the simulator's file; raises ConfigError, and OSError when it is not there."""
    table = _load(path)
    blockers = table.get("blockers")
    if not isinstance(blockers, list) or not blockers:
        raise ConfigError("blockers: needs at least one [[blockers]] table")
    return SimulatorConfig(
        endpoint=_endpoint(table, path),
        identities=tuple(_identity(blocker, path) for blocker in blockers),
        heartbeat_seconds=_heartbeat_seconds(table),
        travel_seconds=_seconds(table, "travel_seconds"),
        control_port=_port(table, "control_port"),
    )


def _load(path: Path) -> Mapping[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path.name}: {error}") from error


def _endpoint(table: Mapping[str, object], path: Path) -> Endpoint:
    return Endpoint(host=_text(table, "endpoint"), port=_port(table, "port"), ca=_file(table, "ca", path))


def _identity(table: Mapping[str, object], path: Path) -> Identity:
    return Identity(
        blocker_id=_text(table, "blocker_id"),
        certificate=_file(table, "certificate", path),
        key=_file(table, "key", path),
    )


def _heartbeat_seconds(table: Mapping[str, object]) -> float:
    return _seconds(table, "heartbeat_seconds") if "heartbeat_seconds" in table else HEARTBEAT_SECONDS_DEFAULT


def _text(table: Mapping[str, object], key: str) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not value:
        raise ConfigError(f"{key}: missing, or not a text")
    return value


def _file(table: Mapping[str, object], key: str, path: Path) -> Path:
    file = path.parent / _text(table, key)
    if not file.is_file():
        raise ConfigError(f"{key}: {file} is not a file")
    return file


def _port(table: Mapping[str, object], key: str) -> int:
    value = table.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 2**16:
        raise ConfigError(f"{key}: not a port number")
    return value


def _seconds(table: Mapping[str, object], key: str) -> float:
    value = table.get(key)
    if not isinstance(value, int | float) or isinstance(value, bool) or value <= 0:
        raise ConfigError(f"{key}: not a positive number of seconds")
    return float(value)
