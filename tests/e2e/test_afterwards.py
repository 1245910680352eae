"""What must hold after all the other tests: the books balance, every right sufficed, and no log tells a secret."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from local.drivers import Driver
from local.startup import STRIPE_SECRET
from tests.e2e.stays import balance, everything
from tests.e2e.world import Json, World

ASKED_FOR = ("BadInput", "NotFound: There is no such blocker", "Stripe could not be asked")
"""What tests made fail on purpose: operators' bad input, and an event about what Stripe does not know."""
FAILURE = re.compile(r'"level": ?"(ERROR|CRITICAL)"|\[ERROR\]|Traceback|Task timed out')
SECRETS = re.compile(
    r"sk_(test|live)_|whsec_|_secret_\w{8}|PRIVATE KEY|\beyJ\w+\.eyJ\w+"
    r"|\b4242\s?4242\s?4242\s?4242\b|\b4000000000000\d{3}\b"
)


@dataclass(frozen=True)
class Books:
    """What one driver sees of money and notices."""

    balance: int
    transactions: list[Json]
    payments: list[Json]
    notices: list[Json]


@pytest.fixture(scope="module")
def all_books(world: World) -> list[Books]:
    """Those of every driver of the session."""

    def read(driver: Driver) -> Books:
        lists = [everything(driver, path) for path in ("/wallet/transactions", "/payments", "/notifications")]
        return Books(balance(driver), *lists)

    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(read, world.drivers))


def test_every_ledger_balances(all_books: list[Books]) -> None:
    for books in all_books:
        for transaction in books.transactions:
            assert sum(entry["amount"] for entry in transaction["entries"]) == 0, transaction
            wallet = sum(entry["amount"] for entry in transaction["entries"] if entry["account"] == "wallet")
            assert wallet == transaction["amount"], transaction
        assert books.balance == sum(transaction["amount"] for transaction in books.transactions) >= 0
    assert sum(len(books.transactions) for books in all_books) > 0, "no money moved: this proves nothing"


def test_every_payment_has_its_transactions(all_books: list[Books]) -> None:
    for books in all_books:
        amounts: dict[str, list[int]] = {}
        for transaction in books.transactions:
            amounts.setdefault(transaction["payment_id"], []).append(transaction["amount"])
        for payment in books.payments:
            sign = 1 if payment["purpose"] == "DEPOSIT" else -1
            paid = [sign * payment["amount"]] if payment["status"] in ("SUCCEEDED", "REFUNDED") else []
            refunded = [payment["refunded_amount"]] if payment["refunded_amount"] else []
            assert sorted(amounts.pop(payment["payment_id"], [])) == sorted(paid + refunded), payment
        assert amounts == {}


def test_each_driver_was_told_once_of_each_thing(all_books: list[Books]) -> None:
    for books in all_books:
        told = [(notice["kind"], sorted(notice["data"].items())) for notice in books.notices]
        assert all(told.count(one) == 1 for one in told), told


def invocations(lines: list[str]) -> Iterator[str]:
    """The log of each invocation as one text."""
    text: list[str] = []
    for line in lines:
        if line.startswith("START ") and text:
            yield "\n".join(text)
            text = []
        text.append(line)
    yield "\n".join(text)


def test_every_function_ran_and_none_failed_without_being_asked_to(world: World) -> None:
    logs = {name: world.log(name) for name in world.functions}
    assert len(logs) >= 15
    assert [name for name, lines in logs.items() if not lines] == []
    failures = [
        f"{name}: {text[:3000]}"
        for name, lines in logs.items()
        for text in invocations(lines)
        if FAILURE.search(text) and not any(asked in text for asked in ASKED_FOR)
    ]
    assert failures == []


def test_every_role_and_policy_sufficed(world: World) -> None:
    refused = [
        f"{group}: {line[:500]}"
        for group, lines in world.logs().items()
        for line in lines
        if "AccessDenied" in line or "not authorized" in line
    ]
    assert refused == []


def test_nothing_waits_in_a_failure_queue(world: World) -> None:
    sqs = world.stack.client("sqs")
    assert len(world.queues) >= 4
    for name, address in world.queues.items():
        found = sqs.receive_message(QueueUrl=address, MaxNumberOfMessages=10)
        assert found.get("Messages", []) == [], name


def test_no_log_tells_a_secret(world: World) -> None:
    seen = world.secrets_seen | set(STRIPE_SECRET.values()) | {driver.access_token for driver in world.drivers}
    for group, lines in world.logs().items():
        text = "\n".join(lines)
        assert SECRETS.search(text) is None, f"{group}: {SECRETS.search(text)}"
        assert [secret[:12] for secret in seen if secret in text] == [], group
