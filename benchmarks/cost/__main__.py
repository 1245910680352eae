"""What a journey costs: `make bench-cost`. LINES=1 prints every item that is read or written, and why it costs that."""

import argparse
import logging
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.cost import prices
from benchmarks.cost.journey import Bill, Journey
from benchmarks.cost.prices import Price
from parking.metrics import metrics
from tests.contract.emulators import running_aws

MEMORY_MB = 512  # template.yaml, Globals
FULL_CPU_MB = 1769  # Lambda gives one whole vCPU from here on
WAIT_MS = 4  # for each call of another service, inside the region
JOURNEYS = {
    "wallet": {"card": False, "extended": False},
    "card": {"card": True, "extended": False},
    "wallet, extended": {"card": False, "extended": True},
    "card, extended": {"card": True, "extended": True},
}
WRITES_MAX = {"wallet": 24, "card": 28}
READS_MAX = 6
API = ("reservations.api", "payments.api", "payments.stripe_webhook")


def main() -> None:
    """Exit 1 if a journey costs more units than the promise."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cost", description=__doc__)
    parser.add_argument("--lines", action="store_true")
    arguments = parser.parse_args()
    console = Console(highlight=False, emoji=False, file=sys.stdout, width=180)
    played = {}
    with tempfile.TemporaryDirectory() as logs, running_aws(Path(logs)) as aws:
        os.environ.update(aws.variables | {"CURRENCY": "EUR", "POWERTOOLS_METRICS_NAMESPACE": "SmartParking"})
        metrics.namespace = "SmartParking"
        logging.disable()
        for name, how in JOURNEYS.items():
            console.print(f"playing: {name}")
            with redirect_stdout(StringIO()):  # metrics are printed there
                journey = Journey()
                played[name] = journey.play(**how)
            if arguments.lines:
                _show_lines(console, name, journey)
    _show_units(console, played)
    for name in ("wallet", "card"):
        _show_functions(console, name, played[name])
    _show_bill(console, played)
    missed = [name for name, most in WRITES_MAX.items() if played[name].writes > most]
    missed += [f"{name} (reads)" for name in WRITES_MAX if played[name].reads > READS_MAX]
    console.print(
        f"\npromised: {WRITES_MAX} write units, {READS_MAX} read units. Missed: {', '.join(missed) or 'nothing'}"
    )
    sys.exit(bool(missed))


def _show_lines(console: Console, name: str, journey: Journey) -> None:
    table = Table("function", "call", "item", "writes", "reads", "why", title=name, box=None)
    for line in journey.bill.lines:
        table.add_row(line.function, line.call, journey.named(line), f"{line.writes:g}", f"{line.reads:g}", line.why)
    console.print(table)


def _show_units(console: Console, played: dict[str, Bill]) -> None:
    table = Table("journey", "write units", "read units", "DynamoDB calls' items", "Lambda invocations", box=None)
    for name, bill in played.items():
        invocations = str(bill.invocations.total())
        table.add_row(name, f"{bill.writes:g}", f"{bill.reads:g}", str(len(bill.lines)), invocations)
    console.print(table)


def _show_functions(console: Console, name: str, bill: Bill) -> None:
    table = Table("function", "invocations", "CPU ms", "writes", "reads", title=f"\n{name}", box=None)
    for function in sorted({line.function for line in bill.lines} | set(bill.invocations)):
        own = [line for line in bill.lines if line.function == function]
        runs = bill.invocations[function]
        table.add_row(
            function,
            str(runs) if runs else "(a schedule)",
            f"{bill.cpu_ms[function]:.0f}" if runs else "",
            f"{sum(line.writes for line in own):g}",
            f"{sum(line.reads for line in own):g}",
        )
    console.print(table)
    console.print("calls of other services: " + ", ".join(f"{n} {what}" for what, n in sorted(bill.calls.items())))


def _used(bill: Bill) -> Iterator[tuple[Price, float]]:
    """How many of what is paid for. Lambda's milliseconds are the CPU's at the share that 512 MB has, and waiting."""
    yield prices.WRITES, bill.writes
    yield prices.READS, bill.reads
    yield prices.INVOCATIONS, bill.invocations.total()
    calls = bill.calls.total() + len({id(line) for line in bill.lines})
    yield prices.GB_MS, (sum(bill.cpu_ms.values()) * FULL_CPU_MB / MEMORY_MB + calls * WAIT_MS) * MEMORY_MB / 1024
    yield prices.REQUESTS, sum(bill.invocations[function] for function in API)
    iot = Counter({call: n for call, n in bill.calls.items() if call.startswith("iot.")})
    reports = bill.invocations["blockers.on_shadow_update"]
    yield prices.SHADOW, iot.total() + reports
    yield prices.MESSAGES, reports + iot["iot.desire"]  # what the device says, and the delta that it hears
    yield prices.RULES, 2 * (reports + iot["iot.desire"])  # each document starts a rule, which has one action
    yield prices.PUSHES, bill.calls["sns.publish"]


def _show_bill(console: Console, played: dict[str, Bill]) -> None:
    table = Table("USD per million journeys", "per million of it", *played, "page", box=None)
    columns = {name: list(_used(bill)) for name, bill in played.items()}
    for row in zip(*columns.values(), strict=True):
        price = row[0][0]
        costs = [f"{number * price.usd_per_million:,.2f}" for _, number in row]
        table.add_row(price.name, f"{price.usd_per_million:g}", *costs, price.page)
    sums = [sum(number * price.usd_per_million for price, number in used) for used in columns.values()]
    table.add_row("together", "", *(f"{one:,.2f}" for one in sums), "")
    console.print("\n", table)


if __name__ == "__main__":
    main()
