"""From the driver's tap to the motor: `make bench-arrival`.

How long it takes from the request of an arrival until the device starts to lower its barrier, beside a bare update of
the same shadow by boto3, in turn on one spot of the running system. The difference is ours: API Gateway, the function,
its commit, and what it asks of IoT. Both times end with the device's own note of its motor.
"""

import json
import statistics
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from rich.console import Console

from local import city
from local.drivers import Driver
from local.errors import LocalError
from local.progress import Progress
from local.startup import running
from tests.e2e.stays import RICH_MINOR, act, await_guard, await_status, paid
from tests.e2e.world import Spot, World, eventually, instant, utc

ROUNDS = 15
WARM_UP = 2


def _lowering_at(world: World, spot: Spot, since: datetime) -> datetime:
    """When the motor began to lower the barrier, by the device's journal."""

    def noted() -> datetime | None:
        entries = [
            one for one in world.machine(spot)["journal"] if (one["what"], one["detail"]) == ("motor", "lowering")
        ]
        times = [at for at in (instant(one["at"]) for one in entries) if at >= since]
        return min(times, default=None)

    return eventually(noted, f"{spot.blocker_id} to be lowered")


def _measured(world: World, spot: Spot, ask: Callable[[], object]) -> float:
    """Seconds from the asking to the motor."""
    world.await_machine(spot, "RAISED")
    # Whatever the last round has left on its way is handled first: it would be measured, too.
    time.sleep(1)
    began = datetime.now(UTC)
    ask()
    return (_lowering_at(world, spot, began) - began).total_seconds()


def _by_shadow(world: World, spot: Spot) -> float:
    """The least that can be asked of IoT. The service raises the barrier again, since nobody has come."""
    shadows = world.stack.client("iot-data")
    desired = {
        "position": "LOWERED",
        "command_id": f"cmd_bench_{uuid.uuid4().hex}",
        "expires_at": utc(datetime.now(UTC) + timedelta(minutes=2)),
    }
    payload = json.dumps({"state": {"desired": desired}}).encode()
    return _measured(
        world,
        spot,
        lambda: shadows.update_thing_shadow(thingName=spot.blocker_id, shadowName="barrier", payload=payload),
    )


def _by_arrival(world: World, spot: Spot, driver: Driver) -> float:
    """A paid stay, its arrival, and its departure."""
    stay = paid(driver, spot)
    await_guard(driver, stay, position="RAISED")
    seconds = _measured(world, spot, lambda: act(driver, stay, "arrival", status=202))
    await_status(driver, stay, "ACTIVE")
    act(driver, stay, "departure")
    return seconds


def main() -> None:
    """Print both as medians and their ratio."""
    console = Console(highlight=False, emoji=False)
    with running(Progress(console)) as stack:
        world = World(stack)
        raised = next(wish for wish in city.load().wishes if wish["idle_position"] == "RAISED")
        # Without a turnover the next stay may begin as soon as the one before has ended.
        answer, failed = world.invoke("ProvisionSpot", raised | {"turnover_minutes": 0})
        if failed:
            raise LocalError(f"the spot could not be changed: {answer}")
        spot, driver = Spot(raised["spot_id"]), world.driver(RICH_MINOR)
        arrivals, updates = list[float](), list[float]()
        for n in range(WARM_UP + ROUNDS):
            updates.append(_by_shadow(world, spot))
            arrivals.append(_by_arrival(world, spot, driver))
            console.print(f"  round {n + 1}: shadow {updates[-1] * 1000:.0f} ms, arrival {arrivals[-1] * 1000:.0f} ms")
    bare, whole = (statistics.median(times[WARM_UP:]) for times in (updates, arrivals))
    console.print(f"bare shadow update → motor  {bare * 1000:7.1f} ms, median of {ROUNDS}")
    console.print(f"arrival request → motor     {whole * 1000:7.1f} ms, ratio {whole / bare:.1f}")


if __name__ == "__main__":
    main()
