"""`parking-blocker --config FILE`: one blocker, as its spot's computer runs it."""

import argparse
import asyncio
import logging
import sys
from pathlib import Path

from parking_blocker.actuator import Actuator
from parking_blocker.blocker import Blocker
from parking_blocker.clock import ServiceClock
from parking_blocker.config import ConfigError, DeviceConfig, load_device
from parking_blocker.keypad import Keypad
from parking_blocker.memory_file import MemoryFile
from parking_blocker.program import Failed, run_until_told_to_end
from parking_blocker.simulated_actuator import SimulatedActuator

CONFIG_DEFAULT = Path("/etc/parking-blocker/device.toml")
TRAVEL_SECONDS = 4.0


def make_actuator(config: DeviceConfig) -> Actuator:
    """The hardware that the file names."""
    if config.pins is None:
        return SimulatedActuator(TRAVEL_SECONDS)
    from parking_blocker.gpio import GpioActuator  # noqa: PLC0415 - gpiozero is an extra, for computers with pins

    return GpioActuator(config.pins)


async def run(config: DeviceConfig) -> None:
    """One blocker until SIGTERM. Raises Failed."""
    memory = MemoryFile(config.memory, config.identity.blocker_id)
    actuator = make_actuator(config)
    blocker = Blocker(config.identity, config.endpoint, actuator, config.limits, memory, ServiceClock())
    if config.keypad:
        Keypad(config.keypad, blocker.type_code)
    await run_until_told_to_end([blocker])


async def switch_off(config: DeviceConfig) -> None:
    """Stop the motor that a process may have left running when it was killed."""
    make_actuator(config).stop()


def main() -> int:
    """Parse the command line and run; 1 means that something broke, 2 that the configuration cannot be used."""
    parser = argparse.ArgumentParser(prog="parking-blocker", description="One blocker, from a TOML file.")
    parser.add_argument("--config", type=Path, default=CONFIG_DEFAULT, help=f"by default {CONFIG_DEFAULT}")
    parser.add_argument("--motor-off", action="store_true", help="only switch motor and warning off")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    try:
        config = load_device(arguments.config)
    except (ConfigError, OSError) as error:
        sys.stderr.write(f"parking-blocker: {error}\n")
        return 2
    try:
        asyncio.run(switch_off(config) if arguments.motor_off else run(config))
    except Failed as error:
        sys.stderr.write(f"parking-blocker: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
