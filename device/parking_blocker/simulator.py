"""`python -m parking_blocker.simulator --config FILE`: many blockers in one process, with an HTTP control for tests.

Only the hardware is simulated: controller, contract and connection are those of the real program.
"""

import argparse
import asyncio
import logging
import sys
import threading
from pathlib import Path

from parking_blocker.config import ConfigError, SimulatorConfig, load_simulator
from parking_blocker.control import Control, make_server
from parking_blocker.program import Failed, run_until_told_to_end
from parking_blocker.simulated import SimulatedBlocker


async def run(config: SimulatorConfig) -> None:
    """All blockers until SIGTERM; raises OSError when the control port is taken."""
    simulated = {
        identity.blocker_id: SimulatedBlocker(identity, config.endpoint, config.travel_seconds, config.limits)
        for identity in config.identities
    }
    server = make_server(Control(simulated), config.control_port, asyncio.get_running_loop())
    thread = threading.Thread(target=server.serve_forever, name="control", daemon=True)
    thread.start()
    try:
        await run_until_told_to_end(
            list(simulated.values()),
            on_started=lambda: print(
                f"simulating {len(simulated)} blockers, control at http://127.0.0.1:{config.control_port}", flush=True
            ),
        )
    finally:
        await asyncio.to_thread(server.shutdown)
        server.server_close()


def main() -> int:
    """Parse the command line and run; 2 means that the configuration, or the control port, cannot be used."""
    parser = argparse.ArgumentParser(prog="parking_blocker.simulator", description="Many blockers, from a TOML file.")
    parser.add_argument("--config", type=Path, required=True)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    try:
        asyncio.run(run(load_simulator(parser.parse_args().config)))
    except (ConfigError, OSError) as error:
        sys.stderr.write(f"parking_blocker.simulator: {error}\n")
        return 2
    except Failed as error:
        sys.stderr.write(f"parking_blocker.simulator: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
