"""The receipt of a stay: what was sold, paid and given back, what the barrier did, as JSON and as a page to print."""

import re
from datetime import timedelta
from html.parser import HTMLParser

import pytest

from local.drivers import Driver
from tests.e2e.bank import Bank
from tests.e2e.cards import REFUND_PENDING, await_payment, paid_by_new_card, saved_card, start_card
from tests.e2e.stays import act, await_guard, await_status, parked, read, reserve
from tests.e2e.world import Json, Spot, World, expect, instant, utc

HOUR = timedelta(hours=1)
PAGE_HEIGHT_LINES = 60  # of 11 pt on A4, within its margins


class Page(HTMLParser):
    """What matters of a page: its visible text, and everything that it would load or run."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.rows = 0
        self.loads: list[str] = []
        self._hidden = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden = tag in ("style", "title")
        self.rows += tag == "tr"
        if tag in ("script", "iframe", "link", "img", "form") or any(name in ("src", "href") for name, _ in attrs):
            self.loads.append(tag)

    def handle_data(self, data: str) -> None:
        if not self._hidden and data.strip():
            self.texts.append(data.strip())


def receipt_of(driver: Driver, stay: Json) -> Json:
    return expect(200, driver.get(f"/reservations/{stay['reservation_id']}/receipt"))


def test_the_receipt_of_a_stay_says_what_was_paid_how_and_what_the_barrier_did(
    world: World, spot: Spot, driver: Driver
) -> None:
    card_id = saved_card(world, driver)
    stay = parked(world, driver, spot)
    longer = {"ends_at": utc(instant(stay["ends_at"]) + HOUR)}
    extension = expect(201, driver.post(f"/reservations/{stay['reservation_id']}/extensions", longer))
    expect(201, start_card(world, driver, stay, extension=extension, card_id=card_id))
    world.put_car(spot, present=False)
    await_guard(driver, stay, occupancy="VACANT")
    left = act(driver, stay, "departure")

    receipt = receipt_of(driver, stay)
    amounts = [stay["price"]["amount"], extension["price"]["amount"]]
    assert [line["amount"] for line in receipt["lines"]] == amounts
    assert [(one["method"], one["purpose"]) for one in receipt["payments"]] == [
        ("WALLET", "RESERVATION"),
        ("CARD", "EXTENSION"),
    ]
    assert (receipt["paid_amount"], receipt["refunded_amount"], receipt["owed_amount"]) == (sum(amounts), 0, 0)
    assert (receipt["sealed_at"], receipt["tax_included"], receipt["currency"]) == (left["ended_at"], True, "EUR")
    moved = [(one["position"], one["status"]) for one in receipt["blocker_evidence"]]
    assert moved[:2] == [("RAISED", "SUCCEEDED"), ("LOWERED", "SUCCEEDED")]
    for one in receipt["blocker_evidence"][:2]:
        assert one["command_id"]
        assert stay["created_at"] <= one["asked_at"] <= one["reported_at"] <= receipt["ended_at"]
    assert receipt_of(driver, stay) == receipt


def test_a_refund_is_a_later_line_and_edits_none(world: World, later_spot: Spot, poor: Driver, bank: Bank) -> None:
    stay = reserve(poor, later_spot, begins_in=HOUR)
    paid = paid_by_new_card(world, poor, stay, REFUND_PENDING)
    await_status(poor, stay, "CONFIRMED")
    act(poor, stay, "cancellation")
    refund = bank.await_refund(paid["payment_id"])
    before = receipt_of(poor, stay)
    assert [(line["text"], line["amount"]) for line in before["lines"]] == [
        ("Parking, 1 h", paid["amount"]),
        ("Refund, on its way to the card", -paid["amount"]),
    ]
    assert (before["lines"][0]["at"], before["lines"][1]["at"] is None) == (None, False)
    bank.settle_refund(refund)
    await_payment(poor, paid, "REFUNDED")
    after = receipt_of(poor, stay)
    assert after["lines"][:-1] == before["lines"]
    assert (after["lines"][-1]["text"], after["lines"][-1]["amount"]) == ("The card has the refund", 0)
    assert (after["paid_amount"], after["refunded_amount"]) == (paid["amount"], paid["amount"])
    assert after["sealed_at"] == before["sealed_at"] == read(poor, stay)["ended_at"]


@pytest.mark.parametrize("accept", ["text/html", "text/html,application/xhtml+xml,*/*;q=0.8"])
def test_a_browser_gets_a_page_that_prints_to_one_sheet_and_loads_nothing(
    world: World, later_spot: Spot, poor: Driver, accept: str
) -> None:
    stay = reserve(poor, later_spot, begins_in=HOUR)
    paid = paid_by_new_card(world, poor, stay)
    await_status(poor, stay, "CONFIRMED")
    act(poor, stay, "cancellation")
    await_payment(poor, paid, "REFUNDED")
    answer = poor.get(f"/reservations/{stay['reservation_id']}/receipt", accept=accept)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    page = Page()
    page.feed(answer.text)
    text = "\n".join(page.texts)
    for said in (stay["reservation_id"], paid["payment_id"], "The card has the refund", "Prices include tax."):
        assert said in text
    price = f"{paid['amount'] / 100:.2f} EUR"
    assert text.count(price) >= 4  # the line, the refund, paid and refunded
    assert re.search(r"@page\s*{[^}]*A4", answer.text)
    assert page.loads == []
    assert page.rows < PAGE_HEIGHT_LINES / 2


def test_a_program_gets_json(later_spot: Spot, poor: Driver, world: World) -> None:
    stay = reserve(poor, later_spot, begins_in=HOUR)
    act(poor, stay, "cancellation")
    path = f"/reservations/{stay['reservation_id']}/receipt"
    for accept in ("*/*", "application/json", "application/json, text/html"):
        answer = poor.get(path, accept=accept)
        assert answer.headers["content-type"] == "application/json"
        assert expect(200, answer)["lines"] == []


def test_somebody_elses_receipt_is_not_there_as_a_page_either(
    later_spot: Spot, poor: Driver, other_driver: Driver
) -> None:
    stay = reserve(poor, later_spot, begins_in=HOUR)
    act(poor, stay, "cancellation")
    answer = other_driver.get(f"/reservations/{stay['reservation_id']}/receipt", accept="text/html")
    assert answer.status_code == 404
    assert stay["reservation_id"] not in answer.text
