"""`python -m parking_blocker --config FILE`: one blocker; its barrier is simulated until the hardware has a driver."""

import argparse
import asyncio
import logging
import sys
from pathlib import Path

from parking_blocker.actuator import SimulatedActuator
from parking_blocker.blocker import Blocker
from parking_blocker.config import ConfigError, DeviceConfig, load_device
from parking_blocker.controller import Limits
from parking_blocker.program import run_until_told_to_end

TRAVEL_SECONDS = 4.0


async def run(config: DeviceConfig) -> None:
    """One blocker until SIGTERM."""
    limits = Limits(heartbeat_seconds=config.heartbeat_seconds)
    blocker = Blocker(config.identity, config.endpoint, SimulatedActuator(TRAVEL_SECONDS), limits)
    await run_until_told_to_end([blocker])


def main() -> int:
    """Parse the command line and run; 2 means that the configuration cannot be used."""
    parser = argparse.ArgumentParser(prog="parking_blocker", description="One blocker, from a TOML file.")
    parser.add_argument("--config", type=Path, required=True)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        config = load_device(parser.parse_args().config)
    except (ConfigError, OSError) as error:
        sys.stderr.write(f"parking_blocker: {error}\n")
        return 2
    asyncio.run(run(config))
    return 0


if __name__ == "__main__":
    sys.exit(main())
