"""`python -m local.demo`: start the whole system on free ports, play the story, and say whether all was as told."""

import sys

import httpx
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from local.demo.booking import book
from local.demo.books import open_books
from local.demo.leaving import leave
from local.demo.narrator import Narrator, Unexpected
from local.demo.staying import stay
from local.errors import LocalError
from local.progress import Progress
from local.stack import Stack
from local.startup import running

PLAIN_WIDTH = 120
LEGEND = "→ asked   ← answered   ✓ seen and checked.   Times of day are the spot's own; the API speaks UTC and cents."


def main() -> int:
    """0 when everything was as told, 1 when something was not, 130 after Ctrl-C."""
    on_terminal = sys.stdout.isatty()
    console = Console(highlight=False, emoji=False, width=None if on_terminal else PLAIN_WIDTH)
    progress = Progress(console)
    console.print("Two drivers and one spot. First the whole system starts, from template.yaml, on free ports:")
    try:
        with running(progress) as stack:
            started_seconds = progress.seconds()
            steps = _play(stack, console)
            played_seconds = progress.seconds() - started_seconds
    except LocalError as error:
        console.print(f"\n✗ {error}", style="bold red", markup=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        console.print("\nInterrupted: nothing is left running.")
        return 130
    took = f"{started_seconds:.0f} s to start the system, {played_seconds:.0f} s to play"
    console.print(f"\nAll {steps} steps were as told: {took}.", style="bold green")
    return 0


def _play(stack: Stack, console: Console) -> int:
    """Play the story and return how many steps it had; LocalError, with the way to the logs, where it goes wrong."""
    console.print(f"\n{LEGEND}", soft_wrap=True)
    tell = Narrator(console)
    try:
        journey, boris_payment = stay(book(stack, tell))
        leave(journey, boris_payment)
        open_books(journey)
    except (Unexpected, LookupError, httpx.HTTPError, BotoCoreError, ClientError) as error:
        what = str(error) if isinstance(error, Unexpected) else f"{type(error).__name__}: {error}"
        raise LocalError(f"Step {tell.steps}: {what}\n  logs:     {stack.folder / 'logs'}") from error
    return tell.steps


if __name__ == "__main__":
    sys.exit(main())
