"""What must hold after all the other tests: the books balance, every right sufficed, and no log tells a secret."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from local.startup import STRIPE_SECRET
from tests.e2e import books, stored
from tests.e2e.books import Books
from tests.e2e.stored import Stored
from tests.e2e.world import World

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


@pytest.fixture(scope="module")
def all_books(world: World) -> list[Books]:
    """Those of every driver of the session."""
    return books.read(world.drivers)


@pytest.fixture(scope="module")
def in_tables(world: World) -> Stored:
    """What the tables hold."""
    return stored.read(world)


@pytest.fixture(scope="module")
def logs(world: World) -> dict[str, list[str]]:
    """Every log line of the session, by log group: reading them all takes seconds."""
    return world.logs()


def of_all(rule: Callable[[Books], Iterator[str]], all_books: list[Books]) -> list[str]:
    """Where the rule is broken."""
    return [line for one in all_books for line in rule(one)]


def test_every_ledger_balances(all_books: list[Books]) -> None:
    assert of_all(books.unbalanced, all_books) == []
    assert sum(len(one.transactions) for one in all_books) > 0, "no money moved: this proves nothing"


def test_every_payment_has_its_transactions(all_books: list[Books]) -> None:
    assert of_all(books.ill_booked, all_books) == []


def test_what_is_owed_to_cards_is_what_refunds_are_on_their_way(all_books: list[Books]) -> None:
    assert of_all(books.owed_wrongly, all_books) == []


def test_no_two_stays_overlap_and_the_calendar_shows_them_all(in_tables: Stored) -> None:
    assert list(stored.overlapping(in_tables)) == []
    assert list(stored.shown_wrongly(in_tables)) == []
    assert len(in_tables.reservations) > 0, "nothing was booked: this proves nothing"


def test_the_index_of_what_is_due_holds_what_is_outstanding(in_tables: Stored) -> None:
    assert list(stored.due_wrongly(in_tables)) == []


def test_what_was_charged_made_one_thing_or_goes_back(in_tables: Stored) -> None:
    assert list(stored.paid_wrongly(in_tables)) == []


def test_the_ledger_and_stripe_agree_on_everything_but_what_was_made_by_hand(world: World) -> None:
    report = world.reconcile(world.began_at, datetime.now(UTC) + timedelta(seconds=1))
    assert {one["stripe_id"] for one in report["first_differences"]} == world.made_by_hand
    assert report["settled"] == 0, "something waited that nobody looked after"
    assert report["charges"] > 0


def test_each_driver_was_told_once_of_each_thing(all_books: list[Books]) -> None:
    assert of_all(books.told_twice, all_books) == []


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
    assert len(world.queues) >= 4
    assert world.failed() == {}


def test_no_log_and_no_table_tells_a_secret_or_who_the_drivers_are(world: World, logs: dict[str, list[str]]) -> None:
    seen = world.secrets_seen | world.emails | set(STRIPE_SECRET.values())
    seen |= {driver.access_token for driver in world.drivers}
    texts = {group: "\n".join(lines) for group, lines in logs.items()} | world.tables_as_text()
    for place, text in texts.items():
        assert SECRETS.search(text) is None, f"{place}: {SECRETS.search(text)}"
        assert [secret[:12] for secret in seen if secret in text] == [], place
