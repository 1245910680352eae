"""The configuration files, TOML. Paths in them are relative to the file. See docs/device.md."""

import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from parking_blocker.connection import Endpoint, Identity
from parking_blocker.machine import Limits

HEARTBEAT_SECONDS_DEFAULT = 300.0
VACANT_SECONDS_DEFAULT = 2.0
WARNING_SECONDS_DEFAULT = 3.0
SECONDS_MAY_BE_NOTHING = ("vacant_seconds", "warning_seconds")
PIN_MAX = 1023
SECRET_BYTES_MIN = 32
OTHERS_MAY = stat.S_IRWXO


class ConfigError(ValueError):
    """The file cannot be used; the message names the key."""


@dataclass(frozen=True, slots=True)
class Pins:
    """Where the hardware is connected: gpiozero's (BCM) pin numbers. None where a blocker has no such part.

    Inputs are contacts that are closed to ground when all is well (docs/device.md has the wiring). `battery` is a file
    that holds the charge in percent, as the kernel's power supply class has them.
    """

    motor_up: int
    motor_down: int
    raised: int
    lowered: int
    vacant: int
    clear: int
    occupied: int | None
    automatic: int | None
    sealed: int | None
    warning: int | None
    battery: Path | None


@dataclass(frozen=True, slots=True)
class DeviceConfig:
    """One blocker. `pins` is None where its barrier is simulated, `keypad` where nobody can type."""

    endpoint: Endpoint
    identity: Identity
    limits: Limits
    memory: Path
    pins: Pins | None
    keypad: Path | None


@dataclass(frozen=True, slots=True)
class SimulatorConfig:
    """Many blockers in one process. `travel_seconds` is what the barrier takes from end to end."""

    endpoint: Endpoint
    identities: tuple[Identity, ...]
    limits: Limits
    travel_seconds: float
    control_port: int


def load_device(path: Path) -> DeviceConfig:
    """Read one blocker's file; raises ConfigError, and OSError when it is not there."""
    table = _load(path)
    memory = path.parent / _text(table, "memory")
    if not memory.parent.is_dir():
        raise ConfigError(f"memory: {memory.parent} is not a folder")
    driver = _text(table, "driver")
    if driver not in ("gpio", "simulated"):
        raise ConfigError(f"driver: {driver!r} is neither gpio nor simulated")
    identity = _identity(table, path)
    if "keypad" in table and not identity.offline_secrets:
        raise ConfigError("keypad: without offline_secret no code could be checked")
    return DeviceConfig(
        endpoint=_endpoint(table, path),
        identity=identity,
        limits=_limits(table, VACANT_SECONDS_DEFAULT, WARNING_SECONDS_DEFAULT),
        memory=memory,
        pins=_pins(table) if driver == "gpio" else None,
        keypad=path.parent / _text(table, "keypad") if "keypad" in table else None,
    )


def load_simulator(path: Path) -> SimulatorConfig:
    """Read the simulator's file; raises ConfigError, and OSError when it is not there."""
    table = _load(path)
    blockers = table.get("blockers")
    if not isinstance(blockers, list) or not blockers:
        raise ConfigError("blockers: needs at least one [[blockers]] table")
    return SimulatorConfig(
        endpoint=_endpoint(table, path),
        identities=tuple(_identity(blocker, path) for blocker in blockers),
        limits=_limits(table, vacant_seconds=0.0, warning_seconds=0.0),
        travel_seconds=_seconds(table, "travel_seconds", None),
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
        offline_secrets=_secrets(table, path) if "offline_secret" in table else (),
    )


def _secrets(table: Mapping[str, object], path: Path) -> tuple[str, ...]:
    """The secrets in the file as they were handed out: hexadecimal, with a space between them."""
    file = _file(table, "offline_secret", path)
    if file.stat().st_mode & OTHERS_MAY:
        raise ConfigError(f"offline_secret: everybody may use {file}; chmod o= it")
    secrets = tuple(file.read_text(encoding="ascii", errors="replace").split())
    try:
        long_enough = all(len(bytes.fromhex(secret)) >= SECRET_BYTES_MIN for secret in secrets)
    except ValueError:
        long_enough = False
    if not secrets or not long_enough:
        raise ConfigError(f"offline_secret: {file} holds no secret")
    return secrets


def _limits(table: Mapping[str, object], vacant_seconds: float, warning_seconds: float) -> Limits:
    """The defaults are those of the street, or of the simulator, where nobody wants to wait."""
    return Limits(
        heartbeat_seconds=_seconds(table, "heartbeat_seconds", HEARTBEAT_SECONDS_DEFAULT),
        vacant_seconds=_seconds(table, "vacant_seconds", vacant_seconds),
        warning_seconds=_seconds(table, "warning_seconds", warning_seconds),
    )


def _pins(table: Mapping[str, object]) -> Pins:
    gpio = table.get("gpio")
    if not isinstance(gpio, dict):
        raise ConfigError("gpio: the table is missing")
    known = {field.name for field in fields(Pins)}
    if unknown := sorted(gpio.keys() - known):
        raise ConfigError(f"gpio.{unknown[0]}: no such pin")
    numbers = [value for key, value in gpio.items() if key != "battery"]
    if twice := [number for number in numbers if numbers.count(number) > 1]:
        raise ConfigError(f"gpio: pin {twice[0]} is named twice")
    return Pins(
        motor_up=_pin(gpio, "motor_up"),
        motor_down=_pin(gpio, "motor_down"),
        raised=_pin(gpio, "raised"),
        lowered=_pin(gpio, "lowered"),
        vacant=_pin(gpio, "vacant"),
        clear=_pin(gpio, "clear"),
        occupied=_pin(gpio, "occupied") if "occupied" in gpio else None,
        automatic=_pin(gpio, "automatic") if "automatic" in gpio else None,
        sealed=_pin(gpio, "sealed") if "sealed" in gpio else None,
        warning=_pin(gpio, "warning") if "warning" in gpio else None,
        battery=Path(_text(gpio, "battery")) if "battery" in gpio else None,
    )


def _pin(gpio: Mapping[str, object], key: str) -> int:
    number = gpio.get(key)
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number <= PIN_MAX:
        raise ConfigError(f"gpio.{key}: missing, or not a pin's number")
    return number


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


def _seconds(table: Mapping[str, object], key: str, default: float | None) -> float:
    value = table.get(key, default)
    if not isinstance(value, int | float) or isinstance(value, bool) or value < 0:
        raise ConfigError(f"{key}: not a number of seconds")
    if value == 0 and key not in SECONDS_MAY_BE_NOTHING:
        raise ConfigError(f"{key}: not a positive number of seconds")
    return float(value)
