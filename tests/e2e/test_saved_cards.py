"""Cards that Stripe keeps for a driver: saved, listed, preferred, removed, and never anybody else's."""

from datetime import timedelta

from local.drivers import Driver
from tests.e2e.cards import (
    ASKS_3D_SECURE,
    WITHOUT_FUNDS,
    Phone,
    open_deposit,
    remembered,
    saved_card,
    saved_cards,
    start_card,
)
from tests.e2e.stays import reserve
from tests.e2e.world import Json, Spot, World, eventually, expect

HOUR = timedelta(hours=1)


def defaults(driver: Driver) -> list[str]:
    return [one["payment_method_id"] for one in saved_cards(driver) if one["is_default"]]


def test_a_saved_card_is_listed_as_a_person_recognises_it(world: World, poor: Driver) -> None:
    assert saved_cards(poor) == []
    card_id = saved_card(world, poor)
    (card,) = saved_cards(poor)
    assert (card["payment_method_id"], card["brand"], card["last4"]) == (card_id, "visa", "4242")
    assert card["is_default"]
    assert not {"number", "cvc"} & set(card)


def test_a_card_that_asks_for_3d_secure_is_saved_when_that_is_passed(world: World, poor: Driver) -> None:
    setup = expect(201, remembered(world, poor.post("/payment-methods/setup")))
    phone = Phone(world)
    assert expect(200, phone.saves(setup["client_secret"], ASKS_3D_SECURE))["status"] == "requires_action"
    assert saved_cards(poor) == []
    phone.finishes_3d_secure(setup["client_secret"], success=False)
    expect(200, phone.saves(setup["client_secret"], ASKS_3D_SECURE))
    assert saved_cards(poor) == []
    card_id = saved_card(world, poor, ASKS_3D_SECURE)
    assert [one["payment_method_id"] for one in saved_cards(poor)] == [card_id]


def test_a_card_that_its_bank_declines_is_not_saved(world: World, poor: Driver) -> None:
    setup = expect(201, remembered(world, poor.post("/payment-methods/setup")))
    declined = expect(402, Phone(world).saves(setup["client_secret"], WITHOUT_FUNDS))
    assert declined["error"]["decline_code"] == "insufficient_funds"
    assert saved_cards(poor) == []
    expect(200, Phone(world).saves(setup["client_secret"]))
    (card,) = eventually(lambda: saved_cards(poor), "the second card to be saved")
    assert card["last4"] == "4242"


def test_the_same_setup_request_again_is_the_same_form(world: World, poor: Driver) -> None:
    first, again = (
        expect(201, remembered(world, poor.post("/payment-methods/setup", key="one-wish"))) for _ in range(2)
    )
    assert first == again
    assert expect(201, remembered(world, poor.post("/payment-methods/setup", key="another"))) != first


def test_the_first_card_is_the_default_until_another_is_preferred_or_it_is_removed(world: World, poor: Driver) -> None:
    first, second, third = (saved_card(world, poor) for _ in range(3))
    assert defaults(poor) == [first]
    preferred = expect(200, poor.request("PUT", f"/payment-methods/{second}/default"))
    assert [one["payment_method_id"] for one in preferred["items"] if one["is_default"]] == [second]
    expect(204, poor.request("DELETE", f"/payment-methods/{second}"))
    assert defaults(poor) == [third]
    assert [one["payment_method_id"] for one in saved_cards(poor)] == [first, third]


def test_a_removed_card_pays_no_more(world: World, later_spot: Spot, poor: Driver) -> None:
    card_id = saved_card(world, poor)
    expect(204, poor.request("DELETE", f"/payment-methods/{card_id}"))
    assert saved_cards(poor) == []
    stay = reserve(poor, later_spot, begins_in=HOUR)
    assert named(start_card(world, poor, stay, card_id=card_id).json()) == ["payment_method_id"]
    assert expect(404, poor.request("DELETE", f"/payment-methods/{card_id}"))["code"] == "not_found"


def test_somebody_elses_card_is_not_there(world: World, later_spot: Spot, poor: Driver, other_driver: Driver) -> None:
    card_id, own = saved_card(world, poor), saved_card(world, other_driver)
    stay = reserve(other_driver, later_spot, begins_in=HOUR)
    for refused in (
        start_card(world, other_driver, stay, card_id=card_id),
        other_driver.post("/wallet/deposits", {"amount": 500, "payment_method_id": card_id}),
        other_driver.request("DELETE", f"/payment-methods/{card_id}"),
        other_driver.request("PUT", f"/payment-methods/{card_id}/default"),
    ):
        assert named(expect(404, refused)) == ["payment_method_id"]
    assert [one["payment_method_id"] for one in saved_cards(poor)] == [card_id]
    assert defaults(other_driver) == [own]


def test_a_card_that_was_only_typed_in_is_not_kept(world: World, poor: Driver) -> None:
    form = open_deposit(world, poor, 500)
    expect(200, Phone(world).pays(form["client_secret"]))
    assert saved_cards(poor) == []


def test_an_eleventh_card_is_refused(world: World, poor: Driver) -> None:
    for _ in range(10):
        saved_card(world, poor)
    assert expect(409, poor.post("/payment-methods/setup"))["code"] == "too_many_payment_methods"


def named(problem: Json) -> list[str]:
    """The fields that a refusal names."""
    return [error["field"] for error in problem["errors"]]
