"""`make bench-load`: many drivers at once on the running system; exit 1 where a promise of issue 7 is not kept."""

import argparse
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from rich.console import Console

from benchmarks.load import answers as answered
from benchmarks.load import people
from benchmarks.load.answers import Answer
from benchmarks.load.people import Person
from benchmarks.load.plot import plotted
from local import city
from local.drivers import Driver
from local.errors import LocalError
from local.progress import Progress
from local.startup import running
from tests.e2e import books, stored
from tests.e2e.world import World

SIGNED_UP_AT_ONCE = 4
WALLET_MINOR = 50_000
TOLD_EVERY_SECONDS = 10.0
# The first drivers find nothing warm: until ten seconds have no answer that waited for a function to start. But seven
# rounds at least: the schedules' first runs come within a minute, and their cold starts are in everybody's way.
COLD_MS, WARM_UP_ROUNDS_MIN, WARM_UP_ROUNDS_MAX = 1000, 7, 18
SHOWN = 10
PLOT = Path("docs/images/load.svg")
A_MOMENT = timedelta(seconds=1)  # Stripe counts whole seconds


def main() -> int:
    """Start the system, fill it with drivers, warm it up, measure, and judge."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("--drivers", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    console = Console(highlight=False, emoji=False, markup=False, soft_wrap=True)
    progress = Progress(console)
    with running(progress) as stack:
        world = World(stack)
        with progress.step("let the next driver come at once to each spot"):
            _without_turnover(world)
        with (
            progress.step(f"sign up {arguments.drivers} drivers and fill their wallets"),
            ThreadPoolExecutor(SIGNED_UP_AT_ONCE) as pool,
        ):
            drivers = list(pool.map(lambda _: world.driver(WALLET_MINOR), range(arguments.drivers)))
        console.print(f"\n{len(drivers)} drivers for {arguments.seconds:.0f} s, seed {arguments.seed}; {_thinking()}:")
        run = _driven(drivers, arguments.seconds, arguments.seed, console.print)
        violations = list(_violations(world))
    given, cold = run.measured, run.cold
    table = answered.lines(given)
    title = f"{arguments.drivers} drivers, {arguments.seconds:.0f} s"
    PLOT.parent.mkdir(exist_ok=True)
    PLOT.write_bytes(plotted(table, title))
    console.print(f"\n{answered.markdown(table)}\n")
    console.print(f"{len(given)} requests, {len(given) / arguments.seconds:.1f} a second; plot: {PLOT}")
    conflicts = answered.conflicts(given).most_common()
    console.print(f"conflicts: {', '.join(f'{count} × {code}' for code, count in conflicts) or 'none'}")
    console.print(f"in the warm-up: {_so_far(cold)}")
    _show_slowest(console, given)
    for line in violations[:SHOWN]:
        console.print(f"✗ {line}")
    missed = list(answered.missed(table, violations))
    for line in missed:
        console.print(f"✗ {line}", style="bold red")
    if not missed:
        console.print(
            f"✓ 0 × 5xx, 0 rules broken, each read's p99 at most {answered.EVENNESS_MAX} × its p50.",
            style="bold green",
        )
    return 1 if missed else 0


@dataclass(frozen=True)
class _Run:
    """Everything that was answered, and how much of it before the measurement began."""

    answers: list[Answer]
    warm_up: int

    @property
    def cold(self) -> list[Answer]:
        return self.answers[: self.warm_up]

    @property
    def measured(self) -> list[Answer]:
        return self.answers[self.warm_up :]


def _driven(drivers: Sequence[Driver], seconds: float, seed: int, tell: Callable[[str], None]) -> _Run:
    """All drivers at once: first until everything is warm, then without a pause so many seconds more."""
    tallinn, answers, over = city.load(), list[Answer](), threading.Event()
    centre = (tallinn.latitude, tallinn.longitude)
    crowd = [Person(driver, centre, f"{seed} {number}", answers) for number, driver in enumerate(drivers)]
    with ThreadPoolExecutor(len(crowd)) as pool:
        lives = [pool.submit(person.lives, over) for person in crowd]
        try:
            for number in range(WARM_UP_ROUNDS_MAX):
                before = len(answers)
                time.sleep(TOLD_EVERY_SECONDS)
                tell(f"  warm-up: {_so_far(answers[before:])}")
                if number >= WARM_UP_ROUNDS_MIN and _slowest_ms(answers[before:]) < COLD_MS:
                    break
            warm_up, ends = len(answers), time.monotonic() + seconds
            while (left := ends - time.monotonic()) > 0:
                time.sleep(min(TOLD_EVERY_SECONDS, left))
                tell(f"  measured: {_so_far(answers[warm_up:])}")
        finally:
            over.set()
    for life in lives:
        life.result()
    return _Run(answers, warm_up)


def _so_far(answers: Sequence[Answer]) -> str:
    conflicts, errors = sum(one.conflict for one in answers), sum(one.server_error for one in answers)
    return f"{len(answers)} requests, {conflicts} × 409, {errors} × 5xx, the slowest {_slowest_ms(answers):.0f} ms"


def _slowest_ms(answers: Sequence[Answer]) -> float:
    return max((one.milliseconds for one in answers), default=0)


def _without_turnover(world: World) -> None:
    """So that a spot serves more than one driver in the time."""
    for wish in city.load().wishes:
        said, failed = world.invoke("ProvisionSpot", wish | {"turnover_minutes": 0})
        if failed:
            raise LocalError(f"{wish['spot_id']} could not be changed: {said}")


def _violations(world: World) -> Iterator[str]:
    """What is broken when all is over: by the drivers' books, tables, Stripe, barriers and failure queues."""
    for one in books.read(world.drivers):
        yield from books.violations(one)
    yield from stored.violations(stored.read(world))
    report = world.reconcile(world.began_at, datetime.now(UTC) + A_MOMENT)
    yield from (f"the ledger and Stripe differ: {one}" for one in report["first_differences"])
    barriers = httpx.get(f"{world.stack.simulator_url}/verdict").raise_for_status().json()
    yield from (f"a barrier: {one}" for one in barriers["violations"])
    yield from (f"{name} holds {len(bodies)} failed events" for name, bodies in world.failed().items())


def _thinking() -> str:
    low, usual, high = people.THINK_SECONDS_MIN, people.THINK_SECONDS_USUAL, people.THINK_SECONDS_MAX
    return f"between two taps each waits {low} to {high} s, most often {usual}"


def _show_slowest(console: Console, answers: Sequence[Answer]) -> None:
    """When they came: a burst has one cause."""
    console.print("the slowest reads:")
    reads = sorted((one for one in answers if one.read), key=lambda one: -one.milliseconds)
    for one in reads[:SHOWN]:
        console.print(f"  {one.asked_at:%H:%M:%S}  {one.milliseconds:5.0f} ms  {one.route}")


if __name__ == "__main__":
    sys.exit(main())
