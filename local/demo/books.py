"""The books at the end: every account's ledger, both inboxes, and what the machine wrote down."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from local.day.play import A_MOMENT, reconciled
from local.demo.cast import Person
from local.demo.journey import Journey
from local.demo.words import clock, money, short, utc

ACCOUNTS = ("stripe", "wallet", "revenue", "refunds")

ANNA_IS_TOLD = (
    "DEPOSIT_SUCCEEDED",
    "PAYMENT_SUCCEEDED",
    "PAYMENT_SUCCEEDED",
    "RESERVATION_COMPLETED",
    "STAY_ENDING_EXTENDABLE",
    "STAY_ENDING_SPOT_TAKEN",
)
BORIS_IS_TOLD = ("PAYMENT_SUCCEEDED", "RESERVATION_CANCELLED")


def open_books(journey: Journey) -> None:
    """Print and check them. Raises Unexpected."""
    journey.tell.act("The books")
    _ledger(journey)
    _compare(journey)
    journey.tell.step("The inboxes, as the app shows them")
    _inbox(journey, journey.anna, ANNA_IS_TOLD)
    _inbox(journey, journey.boris, BORIS_IS_TOLD)
    _history(journey)


def _ledger(journey: Journey) -> None:
    tell, zone = journey.tell, journey.spot["time_zone"]
    tell.step("The ledger: each transaction adds up to zero")
    table = _table("at", "driver", "transaction", *(f"{account} >" for account in ACCOUNTS), "sum >", footer=True)
    totals = dict.fromkeys(ACCOUNTS, 0)
    sums_minor = []
    for driver in (journey.anna, journey.boris):
        for transaction in reversed(driver.ledger()):
            amounts = by_account(transaction)
            sums_minor.append(sum(amounts.values()))
            totals = {account: totals[account] + amounts[account] for account in ACCOUNTS}
            when = clock(transaction["created_at"], zone, seconds=True)
            shown = [money(amount) if amount else "" for amount in amounts.values()]
            table.add_row(when, driver.name, transaction["kind"], *shown, money(sums_minor[-1]))
    for column, amount in zip(table.columns[3:], [*totals.values(), sum(totals.values())], strict=True):
        column.footer = money(amount)
    tell.shows(table)
    tell.sees("transactions that do not add up to zero", len([one for one in sums_minor if one]), expected=0)
    for driver in (journey.anna, journey.boris):
        entries_minor = sum(by_account(one)["wallet"] for one in driver.ledger())
        tell.sees(
            f"{driver.name}'s wallet is the sum of its entries",
            driver.balance_minor(),
            expected=entries_minor,
            shown=money,
        )
    tell.sees("revenue is what Anna paid", totals["revenue"], expected=journey.paid_minor, shown=money)
    tell.sees("nothing is owed to a card any more", totals["refunds"], expected=0, shown=money)


def _compare(journey: Journey) -> None:
    """As every night, and whenever an operator asks."""
    tell = journey.tell
    tell.step("An operator compares the ledger with Stripe")
    tell.asks(f"invoke PaymentsReconcile since {utc(journey.began_at)}")
    report = reconciled(journey.stack, journey.began_at, datetime.now(UTC) + A_MOMENT)
    tell.answers(f"{report['charges']} charges, {report['refunds']} refund, at Stripe {money(report['stripe_amount'])}")
    tell.sees("the ledger says the same", report["ledger_amount"], expected=report["stripe_amount"], shown=money)
    tell.sees("the differences", report["difference_amount"], expected=0, shown=money)


def by_account(transaction: dict[str, Any]) -> dict[str, int]:
    """What a transaction adds to each account, in minor units; credits are positive."""
    amounts = dict.fromkeys(ACCOUNTS, 0)
    for entry in transaction["entries"]:
        amounts[entry["account"]] += entry["amount"]
    return amounts


def _inbox(journey: Journey, driver: Person, expected: Sequence[str]) -> None:
    table = _table(f"{driver.name}: at", "kind", "text")
    inbox = driver.inbox()
    for one in inbox:
        table.add_row(clock(one["created_at"], journey.spot["time_zone"]), one["kind"], one["text"])
    journey.tell.shows(table)
    kinds = sorted(one["kind"] for one in inbox)
    journey.tell.sees(
        f"{driver.name} was told once of each thing",
        kinds,
        expected=list(expected),
        shown=lambda told: f"{len(told)} notices",
    )


def _history(journey: Journey) -> None:
    tell, zone = journey.tell, journey.spot["time_zone"]
    tell.step(f"What {journey.machine.blocker_id} wrote down")
    table = _table("at", "what", "detail")
    journal = journey.machine.journal()
    for one in journal:
        table.add_row(clock(one["at"], zone, seconds=True), one["what"], short(one["detail"]))
    tell.shows(table)
    runs = ["raising", "lowering"]
    tell.sees("in all the motor ran twice", journey.machine.motor_runs(), expected=runs, shown=", ".join)
    refused = [one for one in journal if one["what"] in ("refused", "report_rejected")]
    tell.sees("reports and commands refused", len(refused), expected=0)


def _table(*headings: str, footer: bool = False) -> Table:
    """A plain table; a heading that ends in > has its column aligned to the right."""
    table = Table(box=SIMPLE_HEAD, show_footer=footer, pad_edge=False)
    for heading in headings:
        name = heading.removesuffix(" >")
        table.add_column(name, justify="left" if name == heading else "right", overflow="fold")
    return table
