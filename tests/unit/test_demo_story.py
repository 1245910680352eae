"""What the demo says, and that it stops where the world is not as told."""

from collections.abc import Iterator
from io import StringIO

import pytest
from rich.console import Console

from local.demo import narrator
from local.demo.books import by_account
from local.demo.narrator import Narrator, Unexpected
from local.demo.words import at, clock, compact, money, short


@pytest.fixture
def screen() -> StringIO:
    return StringIO()


@pytest.fixture
def tell(screen: StringIO) -> Narrator:
    return Narrator(Console(file=screen, width=80))


@pytest.mark.parametrize(("amount_minor", "text"), [(0, "0.00 EUR"), (5, "0.05 EUR"), (-2000, "-20.00 EUR")])
def test_money_has_two_decimals(amount_minor: int, text: str) -> None:
    assert money(amount_minor) == text


def test_a_time_of_the_api_is_shown_on_the_clock_of_the_spot() -> None:
    assert clock("2026-11-23T22:30:05Z", "Europe/Tallinn") == "00:30"
    assert clock("2026-11-23T22:30:05.120Z", "Europe/Tallinn", seconds=True) == "00:30:05"


def test_only_ids_are_shortened() -> None:
    text = "GET /reservations/res_ezx6sihq2m4zq7ad5k3bw2ya arrival_requested_at spot_unavailable res_short"
    assert short(text) == "GET /reservations/res_ezx6si… arrival_requested_at spot_unavailable res_short"


def test_a_body_is_one_line_and_no_body_is_nothing() -> None:
    assert compact({"payment_id": "pay_4qinkqw7aaaaaaaaaaaaaaaa", "name": "Viru väljak"}) == (
        '{"payment_id": "pay_4qinkq…", "name": "Viru väljak"}'
    )
    assert compact(None) == ""


@pytest.mark.parametrize("path", ["amount", "price.lines", "price.amount.currency", "guard.position"])
def test_a_field_that_is_missing_is_named_by_its_path(path: str) -> None:
    with pytest.raises(KeyError, match=path):
        at({"price": {"amount": 480}, "guard": None}, path)


def test_a_transaction_is_split_by_account() -> None:
    entries = [{"account": "wallet", "amount": -480}, {"account": "revenue", "amount": 480}]
    assert by_account({"entries": entries}) == {"stripe": 0, "wallet": -480, "revenue": 480, "refunds": 0}


def test_a_fact_that_is_as_told_is_shown(tell: Narrator, screen: StringIO) -> None:
    tell.sees("Anna's wallet", 1520, expected=1520, shown=money)
    assert "✓ Anna's wallet: 15.20 EUR" in screen.getvalue()


def test_a_fact_that_is_not_as_told_says_what_was_expected_and_what_came(tell: Narrator, screen: StringIO) -> None:
    with pytest.raises(Unexpected) as stopped:
        tell.sees("Anna's wallet", 1520, expected=2000, shown=money)
    assert str(stopped.value).splitlines() == ["Anna's wallet", "  expected: 20.00 EUR", "  came:     15.20 EUR"]
    assert screen.getvalue() == ""


def test_a_fact_that_comes_about_later_is_waited_for(tell: Narrator, screen: StringIO) -> None:
    positions: Iterator[str] = iter(["LOWERED", "MOVING", "RAISED"])
    tell.awaits("the barrier", lambda: next(positions), expected="RAISED")
    assert "✓ the barrier: RAISED" in screen.getvalue()


def test_a_fact_that_never_comes_about_stops_the_story_at_the_deadline(
    tell: Narrator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(narrator, "WAIT_SECONDS_MAX", 0)
    with pytest.raises(Unexpected, match=r"(?s)the barrier.*expected: RAISED.*came:     MOVING"):
        tell.awaits("the barrier", lambda: "MOVING", expected="RAISED")
