"""`python -m local.day --journeys 500`: start the system, play a day on it, and say whether the books agree."""

import argparse
import sys
from collections import Counter

import httpx
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.progress import Progress as ProgressBar
from rich.table import Table

from local.day.play import Day, play_day
from local.errors import LocalError
from local.progress import Progress
from local.stack import Stack
from local.startup import running

TOLD_EVERY = 50  # journeys, where there is no terminal for a bar


def main() -> int:
    """0 when ledger and Stripe agree, 1 when they do not or something went wrong, 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m local.day", description=__doc__)
    parser.add_argument("--journeys", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    console = Console(highlight=False, emoji=False)
    progress = Progress(console)
    console.print("First the whole system starts, from template.yaml, on free ports:")
    try:
        with running(progress) as stack:
            started_seconds = progress.seconds()
            day = _played(stack, console, arguments.journeys, arguments.seed)
            played_seconds = progress.seconds() - started_seconds
    except (LocalError, httpx.HTTPError, BotoCoreError, ClientError) as error:
        console.print(f"\n✗ {type(error).__name__}: {error}", style="bold red", markup=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        console.print("\nInterrupted: nothing is left running.")
        return 130
    _show(console, day, played_seconds)
    return 1 if day.difference_minor else 0


def _played(stack: Stack, console: Console, journeys: int, seed: int) -> Day:
    console.print(f"\n{journeys} journeys of seed {seed}:")
    with ProgressBar(console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("journeys", total=journeys)

        def tell(more: int) -> None:
            bar.advance(task, more)
            done = int(bar.tasks[0].completed)
            if not console.is_terminal and done % TOLD_EVERY == 0:
                console.print(f"  {done} of {journeys}")

        return play_day(stack, journeys, seed=seed, on_done=tell)


def _show(console: Console, day: Day, seconds: float) -> None:
    table = Table("what", "how many", show_header=False, box=None, pad_edge=False)
    for name, count in sorted(Counter(one.paying for one in day.journeys).items()):
        table.add_row(f"  paid by {name}", str(count))
    for name, count in sorted(Counter(one.mishap for one in day.journeys).items()):
        table.add_row(f"  before that: {name}", str(count))
    for name, count in sorted(Counter(one.ending for one in day.journeys).items()):
        table.add_row(f"  {name}", str(count))
    console.print(table)
    console.print(
        f"\n{len(day.journeys)} journeys of {day.drivers} drivers in {seconds:.0f} s. payments.reconcile says:"
    )
    for name, value in day.report.items():
        console.print(f"  {name:>18}  {value}", markup=False)
    console.print(f"  {'wallets':>18}  {day.wallet_difference_minor} away from the sum of their entries")
    if day.difference_minor:
        console.print("✗ The books differ.", style="bold red")
    else:
        console.print("✓ Difference 0: the ledger, the wallets and Stripe say the same.", style="bold green")


if __name__ == "__main__":
    sys.exit(main())
