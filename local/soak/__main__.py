"""`python -m local.soak --blockers 200 --minutes 5`: start the system, let chance break its blockers, and judge."""

import argparse
import shutil
import sys

import httpx
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from local.errors import LocalError
from local.ports import Ports
from local.progress import Progress
from local.soak.play import Outcome, Street
from local.startup import supervised
from local.tools import STATE_FOLDER


def main() -> int:
    """0 when all is well, 1 when it is not or something went wrong, 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m local.soak", description=__doc__)
    parser.add_argument("--blockers", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--commands-per-second", type=float, default=2)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    console = Console(highlight=False, emoji=False)
    progress = Progress(console)
    ports = Ports.free()
    folder = STATE_FOLDER / "stacks" / str(ports.aws)
    console.print("First the whole system starts, from template.yaml, on free ports:")
    try:
        with supervised(ports, folder, progress) as (stack, processes):
            with progress.step(f"provision and connect {arguments.blockers} more blockers"):
                street = Street(stack, processes, ports, folder / "soak", arguments.blockers)
            outcome = street.play(60 * arguments.minutes, arguments.commands_per_second, arguments.seed, console.print)
    except (LocalError, httpx.HTTPError, BotoCoreError, ClientError) as error:
        console.print(f"\n✗ {type(error).__name__}: {error}", style="bold red", markup=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        console.print("\nInterrupted: nothing is left running.")
        return 130
    shutil.rmtree(folder)
    _show(console, outcome)
    return 0 if outcome.good else 1


def _show(console: Console, outcome: Outcome) -> None:
    for name, value in {
        "stays": dict(outcome.stays),
        "operators asked": outcome.asked,
        "answers": dict(outcome.answers),
        "at the service": dict(outcome.statuses),
        **outcome.verdict,
        "offline at the end": outcome.offline,
        "drivers outside": outcome.outside,
        "lost": outcome.lost,
        "still pending": outcome.pending,
    }.items():
        console.print(f"  {name:>18}  {value}", markup=False, soft_wrap=True)
    if outcome.good:
        console.print(
            "✓ No car was lifted; every driver was let in; every command has an end, and none was lost.",
            style="bold green",
        )
    else:
        console.print("✗ See the list.", style="bold red")


if __name__ == "__main__":
    sys.exit(main())
