"""The same Idempotency-Key is one wish: however often it comes, it is done once and answered the same."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import httpx
import pytest

from local.drivers import Driver
from tests.e2e.stays import balance, everything, paid, pay, read, reserve, wish
from tests.e2e.world import Json, Spot, World, at_once, expect, instant, utc

HOUR = timedelta(hours=1)
TIMES_AT_ONCE = 10


@dataclass(frozen=True)
class Wish:
    """A creating POST, the same with another body, and how many things of its kind the driver has."""

    path: str
    body: Json
    other_body: Json
    count: Callable[[], int]

    def send(self, driver: Driver, key: str) -> httpx.Response:
        return driver.post(self.path, self.body, key=key)


def reservation_wish(driver: Driver, spot: Spot) -> Wish:
    body = wish(spot, begins_in=HOUR)
    other_body = body | {"vehicle_plate": "OTHER"}
    return Wish("/reservations", body, other_body, lambda: len(everything(driver, "/reservations")))


def extension_wish(driver: Driver, spot: Spot) -> Wish:
    stay = paid(driver, spot, begins_in=HOUR)
    ends = instant(stay["ends_at"])
    return Wish(
        f"/reservations/{stay['reservation_id']}/extensions",
        {"ends_at": utc(ends + HOUR)},
        {"ends_at": utc(ends + 2 * HOUR)},
        lambda: len(read(driver, stay)["extensions"]),
    )


def payment_wish(driver: Driver, spot: Spot) -> Wish:
    stay, other = reserve(driver, spot, begins_in=HOUR), reserve(driver, spot, begins_in=4 * HOUR)
    body, other_body = ({"reservation_id": one["reservation_id"], "method": "WALLET"} for one in (stay, other))

    def count() -> int:
        kinds = [transaction["kind"] for transaction in everything(driver, "/wallet/transactions")]
        return kinds.count("WALLET_PAYMENT")

    return Wish("/payments", body, other_body, count)


def deposit_wish(driver: Driver, _: Spot) -> Wish:
    already = len(everything(driver, "/payments"))
    body, other_body = {"amount": 700}, {"amount": 800}
    return Wish("/wallet/deposits", body, other_body, lambda: len(everything(driver, "/payments")) - already)


def card_payment_wish(driver: Driver, spot: Spot) -> Wish:
    stay, other = reserve(driver, spot, begins_in=HOUR), reserve(driver, spot, begins_in=4 * HOUR)
    body, other_body = ({"reservation_id": one["reservation_id"], "method": "CARD"} for one in (stay, other))
    already = len(everything(driver, "/payments"))
    return Wish("/payments", body, other_body, lambda: len(everything(driver, "/payments")) - already)


def withdrawal_wish(driver: Driver, _: Spot) -> Wish:
    already = len(everything(driver, "/payments"))
    body, other_body = {"amount": 700}, {"amount": 800}
    return Wish("/wallet/withdrawals", body, other_body, lambda: len(everything(driver, "/payments")) - already)


KINDS = {
    "reservation": reservation_wish,
    "extension": extension_wish,
    "payment": payment_wish,
    "card payment": card_payment_wish,
    "deposit": deposit_wish,
    "withdrawal": withdrawal_wish,
}


@pytest.fixture(params=KINDS)
def posted(request: pytest.FixtureRequest, driver: Driver, later_spot: Spot) -> Wish:
    """Each kind of creating POST."""
    return KINDS[request.param](driver, later_spot)


def test_a_repeated_post_changes_nothing_and_answers_the_same(posted: Wish, driver: Driver) -> None:
    first = posted.send(driver, "the-key")
    created, money = expect(201, first), balance(driver)
    again = posted.send(driver, "the-key")
    assert (again.status_code, again.json()) == (201, created)
    assert (posted.count(), balance(driver)) == (1, money)


def test_ten_of_the_same_post_at_once_are_one(posted: Wish, driver: Driver) -> None:
    answers = at_once([partial(posted.send, driver, "the-key")] * TIMES_AT_ONCE)
    assert [answer.status_code for answer in answers] == [201] * TIMES_AT_ONCE
    assert all(answer.json() == answers[0].json() for answer in answers)
    assert posted.count() == 1


def test_the_same_key_with_another_body_is_refused_and_changes_nothing(posted: Wish, driver: Driver) -> None:
    created = expect(201, posted.send(driver, "the-key"))
    money = balance(driver)
    mismatch = driver.post(posted.path, posted.other_body, key="the-key")
    assert expect(422, mismatch)["code"] == "idempotency_mismatch"
    assert (posted.count(), balance(driver)) == (1, money)
    assert posted.send(driver, "the-key").json() == created


def test_another_key_is_another_wish(driver: Driver) -> None:
    first, second = (expect(201, driver.post("/wallet/deposits", {"amount": 700}, key=key)) for key in ("a", "b"))
    assert first["payment_id"] != second["payment_id"]


def test_the_same_key_of_two_drivers_is_two_wishes(world: World) -> None:
    first, second = (
        expect(201, driver.post("/wallet/deposits", {"amount": 700}, key="shared")) for driver in world.many_drivers(2)
    )
    assert first["payment_id"] != second["payment_id"]


def test_a_reservation_repeated_after_its_payment_gives_the_first_answer(spot: Spot, driver: Driver) -> None:
    body = wish(spot, begins_in=HOUR)
    held = expect(201, driver.post("/reservations", body, key="the-key"))
    pay(driver, held)
    assert expect(201, driver.post("/reservations", body, key="the-key")) == held
    assert read(driver, held)["status"] == "CONFIRMED"
