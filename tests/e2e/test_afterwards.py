"""What must hold after all the other tests: the books balance, every right sufficed, and no log tells a secret."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from local.drivers import Driver
from local.startup import STRIPE_SECRET
from tests.e2e.stays import balance, everything
from tests.e2e.world import Json, World

ASKED_FOR = (
    "BadInput",
    "NotFound: There is no such blocker",
    "has not connected with its new certificate",
    '"message":"guard failed"',
    '"message":"arrival failed"',
    "Stripe could not be asked",
    "Stripe refuses a refund",
)
"""What tests made fail on purpose: operators' bad input, what Stripe does not know, a refund by hand, lost barriers."""
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


@pytest.fixture(scope="module")
def logs(world: World) -> dict[str, list[str]]:
    """Every log line of the session, by log group: reading them all takes seconds."""
    return world.logs()


def test_every_ledger_balances(all_books: list[Books]) -> None:
    for books in all_books:
        for transaction in books.transactions:
            assert sum(entry["amount"] for entry in transaction["entries"]) == 0, transaction
            wallet = sum(entry["amount"] for entry in transaction["entries"] if entry["account"] == "wallet")
            assert wallet == transaction["amount"], transaction
        assert books.balance == sum(transaction["amount"] for transaction in books.transactions) >= 0
    assert sum(len(books.transactions) for books in all_books) > 0, "no money moved: this proves nothing"


CHARGED = ("SUCCEEDED", "REFUND_PENDING", "PARTIALLY_REFUNDED", "REFUNDED")


def expected_kinds(payment: Json) -> Counter[str]:
    """The records that a payment must have, but for a CARD_REFUND whose money the bank has sent back since."""
    kinds = Counter[str]()
    refunds = Counter(one["status"] for one in payment["refunds"])
    kinds.update(CARD_REFUND=refunds["SUCCEEDED"], REFUND_TO_WALLET=refunds["TO_WALLET"])
    if payment["purpose"] == "WITHDRAWAL":
        kinds.update(WITHDRAWAL=1)
    elif payment["status"] in CHARGED:
        by_card = "DEPOSIT" if payment["purpose"] == "DEPOSIT" else "CARD_PAYMENT"
        kinds[by_card if payment["method"] == "CARD" else "WALLET_PAYMENT"] += 1
        kinds.update(REFUND=len(payment["refunds"]))
        kinds["REFUND"] += payment["method"] == "WALLET" and payment["refunded_amount"] > 0
        kinds.update(DISPUTE=int(payment["dispute"] is not None), DISPUTE_WON=int(payment["dispute"] == "WON"))
    return +kinds


def expected_in_wallet(payment: Json) -> int:
    """What a payment that no bank disputes has added to the wallet."""
    returned: int = sum(one["amount"] for one in payment["refunds"] if one["status"] == "TO_WALLET")
    amount: int = payment["amount"]
    refunded: int = payment["refunded_amount"]
    match payment["purpose"], payment["method"]:
        case "WITHDRAWAL", _:
            return returned - amount
        case "DEPOSIT", _:
            return amount if payment["status"] in CHARGED else 0
        case _, "WALLET":
            return refunded - amount
        case _:
            return returned


def test_every_payment_has_its_transactions(all_books: list[Books]) -> None:
    for books in all_books:
        found: dict[str, list[Json]] = {}
        for transaction in books.transactions:
            found.setdefault(transaction["payment_id"], []).append(transaction)
        for payment in books.payments:
            own = found.pop(payment["payment_id"], [])
            kinds = Counter(one["kind"] for one in own)
            expected = expected_kinds(payment)
            sent_back = kinds["CARD_REFUND"] - expected["CARD_REFUND"]
            assert 0 <= sent_back <= kinds["REFUND_TO_WALLET"], payment
            credited = kinds["CREDIT"]
            assert credited <= (payment["refunded_amount"] == payment["amount"]), payment
            assert kinds == expected + Counter(CARD_REFUND=sent_back, CREDIT=credited), payment
            if payment["dispute"] is None:
                moved = sum(one["amount"] for one in own if one["kind"] != "CREDIT")
                assert moved == expected_in_wallet(payment), payment
        assert found == {}


def test_what_is_owed_to_cards_is_what_refunds_are_on_their_way(all_books: list[Books]) -> None:
    for books in all_books:
        entries = [entry for transaction in books.transactions for entry in transaction["entries"]]
        owed = sum(entry["amount"] for entry in entries if entry["account"] == "refunds")
        refunds = [one for payment in books.payments for one in payment["refunds"] if one["status"] == "PENDING"]
        assert owed == sum(one["amount"] for one in refunds)


def test_the_ledger_and_stripe_agree_on_everything_but_what_was_made_by_hand(world: World) -> None:
    report = world.reconcile(world.began_at, datetime.now(UTC) + timedelta(seconds=1))
    assert {one["stripe_id"] for one in report["first_differences"]} == world.made_by_hand
    assert report["settled"] == 0, "something waited that nobody looked after"
    assert report["charges"] > 0


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


def test_every_function_ran_and_none_failed_without_being_asked_to(world: World, logs: dict[str, list[str]]) -> None:
    own = {name: logs[world.log_group(name)] for name in world.functions}
    assert len(own) >= 18
    assert [name for name, lines in own.items() if not lines] == []
    failures = [
        f"{name}: {text[:3000]}"
        for name, lines in own.items()
        for text in invocations(lines)
        if FAILURE.search(text) and not any(asked in text for asked in ASKED_FOR)
    ]
    assert not failures, "\n\n".join(failures)


METRICS = {
    "RefundsRefused",
    "StripeUnavailable",
    "CardRefundsFailed",
    "DisputesOpened",
    "PaymentDifferences",
    "PaymentDifferenceMinor",
}


def test_operators_were_told_by_metric_of_all_that_went_wrong_with_money(logs: dict[str, list[str]]) -> None:
    """The tests made each of these happen; a metric is a log line in CloudWatch's embedded metric format."""
    counted = Counter[str]()
    for lines in logs.values():
        for line in lines:
            if '"_aws"' in line:
                told = json.loads(line[line.index("{") :])
                assert told["service"] == "smart-parking"
                counted.update({name: sum(told[name]) for name in METRICS & told.keys()})
    assert {name for name, count in counted.items() if count} == METRICS


def test_every_role_and_policy_sufficed(logs: dict[str, list[str]]) -> None:
    refused = [
        f"{group}: {line[:500]}"
        for group, lines in logs.items()
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


def test_no_log_and_no_table_tells_a_secret_or_who_the_drivers_are(world: World, logs: dict[str, list[str]]) -> None:
    seen = world.secrets_seen | world.emails | set(STRIPE_SECRET.values())
    seen |= {driver.access_token for driver in world.drivers}
    texts = {group: "\n".join(lines) for group, lines in logs.items()} | world.tables_as_text()
    for place, text in texts.items():
        assert SECRETS.search(text) is None, f"{place}: {SECRETS.search(text)}"
        assert [secret[:12] for secret in seen if secret in text] == [], place
