"""Paying by card as a driver does, each step asserted. Which card: https://docs.stripe.com/testing."""

from dataclasses import dataclass

import httpx

from local.drivers import Driver, confirm_payment, finish_3d_secure, intent_id_of, save_card
from tests.e2e.world import Json, World, eventually, expect

VISA = "pm_card_visa"
ASKS_3D_SECURE = "pm_card_threeDSecure2Required"
ALWAYS_ASKS_3D_SECURE = "pm_card_authenticationRequired"
DECLINED = "pm_card_chargeCustomerFail"
WITHOUT_FUNDS = "pm_card_visa_chargeDeclinedInsufficientFunds"
WITHOUT_FUNDS_BUT_SAVED = "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds"
PROCESSING = "pm_card_processing"
REFUND_PENDING = "pm_card_pendingRefund"
REFUND_FAILS = "pm_card_refundFail"
DISPUTED = "pm_card_createDispute"


@dataclass(frozen=True)
class Phone:
    """Stripe's mobile SDK in the app."""

    world: World

    def pays(self, client_secret: str, card: str = VISA) -> httpx.Response:
        """Type a new card into the PaymentSheet; Stripe's answer as it is."""
        return confirm_payment(self.world.stack.stripe_api_base, client_secret, payment_method=card)

    def saves(self, client_secret: str, card: str = VISA) -> httpx.Response:
        """Type a card into the form that saves it; Stripe's answer as it is."""
        return save_card(self.world.stack.stripe_api_base, client_secret, payment_method=card)

    def finishes_3d_secure(self, client_secret: str, *, success: bool = True) -> Json:
        """Pass the bank's check, or fail it."""
        return expect(200, finish_3d_secure(self.world.stack.stripe_api_base, client_secret, success=success))


def start_card(
    world: World,
    driver: Driver,
    reservation: Json,
    *,
    extension: Json | None = None,
    card_id: str | None = None,
    key: str | None = None,
) -> httpx.Response:
    """Ask to pay a reservation, its extension or its overstay by a saved card, or without one by a new card."""
    body = {"reservation_id": reservation["reservation_id"], "method": "CARD"}
    if extension:
        body["extension_id"] = extension["extension_id"]
    if card_id:
        body["payment_method_id"] = card_id
    return remembered(world, driver.post("/payments", body, key=key))


def remembered(world: World, answer: httpx.Response) -> httpx.Response:
    """The answer, its client secret kept to be looked for in the logs."""
    if answer.is_success and (secret := answer.json().get("client_secret")):
        world.secrets_seen.add(secret)
    return answer


def open_form(world: World, driver: Driver, reservation: Json, *, extension: Json | None = None) -> Json:
    """A payment that waits for the driver's new card."""
    payment = expect(201, start_card(world, driver, reservation, extension=extension))
    assert (payment["status"], payment["method"]) == ("REQUIRES_ACTION", "CARD")
    assert payment["client_secret"]
    return payment


def open_deposit(world: World, driver: Driver, amount_minor: int) -> Json:
    """A deposit that waits for the driver's new card."""
    payment = expect(201, remembered(world, driver.post("/wallet/deposits", {"amount": amount_minor})))
    assert (payment["status"], payment["purpose"]) == ("REQUIRES_ACTION", "DEPOSIT")
    return payment


def paid_by_new_card(world: World, driver: Driver, reservation: Json, card: str = VISA) -> Json:
    """A reservation's payment by a card that is typed in now, SUCCEEDED."""
    payment = open_form(world, driver, reservation)
    expect(200, Phone(world).pays(payment["client_secret"], card))
    return await_payment(driver, payment, "SUCCEEDED")


def saved_card(world: World, driver: Driver, card: str = VISA) -> str:
    """Save a card, passing 3-D Secure where it asks; its id as the API lists it."""
    known = {one["payment_method_id"] for one in saved_cards(driver)}
    setup = expect(201, remembered(world, driver.post("/payment-methods/setup")))
    said = expect(200, Phone(world).saves(setup["client_secret"], card))
    if said["status"] == "requires_action":
        Phone(world).finishes_3d_secure(setup["client_secret"])
    new = eventually(
        lambda: [one["payment_method_id"] for one in saved_cards(driver) if one["payment_method_id"] not in known],
        f"setup {intent_id_of(setup['client_secret'])} to save a card",
    )
    (card_id,) = new
    return str(card_id)


def saved_cards(driver: Driver) -> list[Json]:
    items: list[Json] = expect(200, driver.get("/payment-methods"))["items"]
    return items


def payment(driver: Driver, payment_id: str) -> Json:
    """A payment as it is now."""
    return expect(200, driver.get(f"/payments/{payment_id}"))


def await_payment(driver: Driver, started: Json, status: str) -> Json:
    """Until the payment has the status."""

    def reached() -> Json | None:
        seen = payment(driver, started["payment_id"])
        return seen if seen["status"] == status else None

    return eventually(reached, f"{started['payment_id']} to be {status}")
