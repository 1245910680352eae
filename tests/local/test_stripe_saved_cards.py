"""A driver's saved cards on our Stripe emulator: saved by the app, charged by the backend, removed."""

from collections.abc import Iterator

import httpx
import pytest
import stripe

from tests.local.stripe_servers import Emulator, eventually, serving

AUTHENTICATION_ALWAYS = "pm_card_authenticationRequired"
AUTHENTICATION_UNLESS_SET_UP = "pm_card_authenticationRequiredOnSetup"
FAILS_WHEN_CHARGED = "pm_card_chargeCustomerFail"


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with serving(tmp_path_factory.mktemp("stripe"), plain=False) as running:
        yield running


def customer(emulator: Emulator, key: str = "") -> str:
    options: stripe.RequestOptions = {"idempotency_key": key} if key else {}
    return emulator.sdk.v1.customers.create({"metadata": {"user_id": "user_1"}}, options).id


def setup(emulator: Emulator, customer_id: str) -> stripe.SetupIntent:
    return emulator.sdk.v1.setup_intents.create(
        {
            "customer": customer_id,
            "usage": "off_session",
            "automatic_payment_methods": {"enabled": True},
            "metadata": {"user_id": "user_1"},
        }
    )


def in_app(emulator: Emulator, intent: stripe.SetupIntent, step: str, **parameters: str) -> httpx.Response:
    assert intent.client_secret is not None
    return emulator.as_app(f"/v1/setup_intents/{intent.id}/{step}", client_secret=intent.client_secret, **parameters)


def saved(emulator: Emulator, payment_method: str) -> tuple[str, str]:
    """A customer, and the card saved for it; a 3-D Secure check is passed."""
    customer_id = customer(emulator)
    intent = setup(emulator, customer_id)
    answer = in_app(emulator, intent, "confirm", payment_method=payment_method).raise_for_status().json()
    if answer["status"] == "requires_action":
        answer = in_app(emulator, intent, "_authenticate", success="true").raise_for_status().json()
    assert answer["status"] == "succeeded"
    return customer_id, answer["payment_method"]


def charge(emulator: Emulator, customer_id: str, method_id: str, *, off_session: bool) -> stripe.PaymentIntent:
    intent = emulator.sdk.v1.payment_intents.create(
        {"amount": 900, "currency": "eur", "customer": customer_id, "payment_method": method_id}
    )
    assert intent.status == "requires_confirmation"
    return emulator.sdk.v1.payment_intents.confirm(intent.id, {"off_session": off_session})


def test_a_customer_made_twice_with_one_key_is_one_customer_with_its_metadata(emulator: Emulator) -> None:
    first, again = customer(emulator, "customer-1"), customer(emulator, "customer-1")
    assert first == again
    found = emulator.sdk.v1.customers.retrieve(first)
    assert found.metadata is not None
    assert found.metadata["user_id"] == "user_1"


def test_a_setup_saves_the_card_and_shows_it_when_asked(emulator: Emulator) -> None:
    customer_id = customer(emulator)
    intent = setup(emulator, customer_id)
    assert (intent.status, intent.payment_method) == ("requires_payment_method", None)
    in_app(emulator, intent, "confirm", payment_method="pm_card_visa").raise_for_status()
    found = emulator.sdk.v1.setup_intents.retrieve(intent.id, {"expand": ["payment_method"]})
    assert isinstance(found.payment_method, stripe.PaymentMethod)
    assert found.payment_method.card is not None
    assert (found.status, found.payment_method.card.last4) == ("succeeded", "4242")
    assert found.metadata is not None
    assert found.metadata["user_id"] == "user_1"
    assert emulator.sdk.v1.payment_methods.retrieve(found.payment_method.id).customer == customer_id
    assert eventually(lambda: emulator.receiver.types(intent.id) == ["setup_intent.succeeded"])


def test_a_setup_takes_the_card_itself(emulator: Emulator) -> None:
    card = {"number": "4242424242424242", "exp_month": "12", "exp_year": "30", "cvc": "123"}
    fields = {f"payment_method_data[card][{name}]": value for name, value in card.items()}
    intent = setup(emulator, customer(emulator))
    answer = in_app(emulator, intent, "confirm", **{"payment_method_data[type]": "card"} | fields)
    assert answer.raise_for_status().json()["status"] == "succeeded"


def test_a_setup_refuses_the_secret_of_another_and_a_customer_that_is_not(emulator: Emulator) -> None:
    intent, other = setup(emulator, customer(emulator)), setup(emulator, customer(emulator))
    assert other.client_secret is not None
    answer = emulator.as_app(
        f"/v1/setup_intents/{intent.id}/confirm", client_secret=other.client_secret, payment_method="pm_card_visa"
    )
    assert answer.status_code == 400
    with pytest.raises(stripe.InvalidRequestError):
        setup(emulator, "cus_missing")


def test_a_setup_waits_for_3d_secure(emulator: Emulator) -> None:
    customer_id = customer(emulator)
    intent = setup(emulator, customer_id)
    answer = in_app(emulator, intent, "confirm", payment_method=AUTHENTICATION_ALWAYS).raise_for_status().json()
    assert (answer["status"], answer["next_action"]["type"]) == ("requires_action", "use_stripe_sdk")
    assert emulator.sdk.v1.payment_methods.retrieve(answer["payment_method"]).customer is None
    passed = in_app(emulator, intent, "_authenticate", success="true").raise_for_status().json()
    assert (passed["status"], passed["next_action"]) == ("succeeded", None)
    assert emulator.sdk.v1.payment_methods.retrieve(answer["payment_method"]).customer == customer_id


def test_a_setup_whose_3d_secure_fails_takes_another_card(emulator: Emulator) -> None:
    intent = setup(emulator, customer(emulator))
    in_app(emulator, intent, "confirm", payment_method=AUTHENTICATION_ALWAYS).raise_for_status()
    failed = in_app(emulator, intent, "_authenticate", success="false").raise_for_status().json()
    assert (failed["status"], failed["payment_method"]) == ("requires_payment_method", None)
    assert failed["last_setup_error"]["code"] == "setup_intent_authentication_failure"
    assert eventually(lambda: "setup_intent.setup_failed" in emulator.receiver.types(intent.id))
    again = in_app(emulator, intent, "confirm", payment_method="pm_card_visa").raise_for_status().json()
    assert (again["status"], again["last_setup_error"]) == ("succeeded", None)


def test_a_setup_with_a_declined_card_says_why_and_takes_another(emulator: Emulator) -> None:
    intent = setup(emulator, customer(emulator))
    declined = in_app(emulator, intent, "confirm", payment_method="pm_card_visa_chargeDeclinedInsufficientFunds")
    error = declined.json()["error"]
    assert (declined.status_code, error["type"], error["code"]) == (402, "card_error", "card_declined")
    assert error["decline_code"] == "insufficient_funds"
    assert error["setup_intent"]["status"] == "requires_payment_method"
    found = emulator.sdk.v1.setup_intents.retrieve(intent.id)
    assert found.last_setup_error is not None
    assert found.last_setup_error.decline_code == "insufficient_funds"
    assert eventually(lambda: emulator.receiver.types(intent.id) == ["setup_intent.setup_failed"])
    again = in_app(emulator, intent, "confirm", payment_method="pm_card_visa")
    assert again.raise_for_status().json()["status"] == "succeeded"


def test_a_saved_card_pays_with_and_without_its_driver(emulator: Emulator) -> None:
    customer_id, method_id = saved(emulator, "pm_card_visa")
    for off_session in (True, False):
        intent = charge(emulator, customer_id, method_id, off_session=off_session)
        assert (intent.status, intent.amount_received, intent.last_payment_error) == ("succeeded", 900, None)


def test_a_saved_card_that_fails_when_charged_says_why(emulator: Emulator) -> None:
    customer_id, method_id = saved(emulator, FAILS_WHEN_CHARGED)
    with pytest.raises(stripe.CardError) as caught:
        charge(emulator, customer_id, method_id, off_session=True)
    body = caught.value.json_body
    assert isinstance(body, dict)
    assert (caught.value.code, body["error"]["decline_code"]) == ("card_declined", "generic_decline")
    intent = emulator.sdk.v1.payment_intents.retrieve(body["error"]["payment_intent"]["id"])
    assert (intent.status, intent.payment_method) == ("requires_payment_method", None)
    assert intent.last_payment_error is not None
    assert intent.last_payment_error.code == "card_declined"
    assert intent.last_payment_error.decline_code == "generic_decline"
    assert eventually(lambda: emulator.receiver.types(intent.id) == ["payment_intent.payment_failed"])
    assert emulator.sdk.v1.payment_methods.retrieve(method_id).customer == customer_id


def test_a_card_that_always_asks_is_declined_without_its_driver(emulator: Emulator) -> None:
    customer_id, method_id = saved(emulator, AUTHENTICATION_ALWAYS)
    with pytest.raises(stripe.CardError) as caught:
        charge(emulator, customer_id, method_id, off_session=True)
    body = caught.value.json_body
    assert isinstance(body, dict)
    assert caught.value.code == "authentication_required"
    assert body["error"]["payment_intent"]["status"] == "requires_payment_method"
    with_driver = charge(emulator, customer_id, method_id, off_session=False)
    assert with_driver.status == "requires_action"
    assert with_driver.next_action is not None


def test_a_card_set_up_for_it_pays_without_its_driver_and_asks_with_him(emulator: Emulator) -> None:
    customer_id, method_id = saved(emulator, AUTHENTICATION_UNLESS_SET_UP)
    assert charge(emulator, customer_id, method_id, off_session=True).status == "succeeded"
    assert charge(emulator, customer_id, method_id, off_session=False).status == "requires_action"


def test_a_card_that_was_only_attached_is_declined_without_its_driver(emulator: Emulator) -> None:
    customer_id = customer(emulator)
    method = emulator.sdk.v1.payment_methods.attach(AUTHENTICATION_UNLESS_SET_UP, {"customer": customer_id})
    with pytest.raises(stripe.CardError) as caught:
        charge(emulator, customer_id, method.id, off_session=True)
    assert caught.value.code == "authentication_required"


def test_a_detached_card_is_gone_for_good(emulator: Emulator) -> None:
    customer_id, method_id = saved(emulator, "pm_card_visa")
    assert emulator.sdk.v1.payment_methods.detach(method_id).customer is None
    with pytest.raises(stripe.InvalidRequestError, match="is not attached to a customer so detachment is impossible"):
        emulator.sdk.v1.payment_methods.detach(method_id)
    with pytest.raises(stripe.InvalidRequestError, match="may not be used again"):
        charge(emulator, customer_id, method_id, off_session=True)
    with pytest.raises(stripe.InvalidRequestError, match="may not be used again"):
        emulator.sdk.v1.payment_methods.attach(method_id, {"customer": customer_id})
    assert emulator.sdk.v1.payment_methods.retrieve(method_id).customer is None


def test_a_card_that_is_detached_before_the_confirmation_does_not_pay(emulator: Emulator) -> None:
    customer_id, method_id = saved(emulator, "pm_card_visa")
    intent = emulator.sdk.v1.payment_intents.create(
        {"amount": 900, "currency": "eur", "customer": customer_id, "payment_method": method_id}
    )
    emulator.sdk.v1.payment_methods.detach(method_id)
    with pytest.raises(stripe.InvalidRequestError, match="may not be used again"):
        emulator.sdk.v1.payment_intents.confirm(intent.id, {"off_session": True})
    assert emulator.sdk.v1.payment_intents.retrieve(intent.id).status == "requires_confirmation"


def test_a_card_pays_for_no_other_customer(emulator: Emulator) -> None:
    _, method_id = saved(emulator, "pm_card_visa")
    with pytest.raises(stripe.InvalidRequestError, match="belongs to a Customer other than"):
        charge(emulator, customer(emulator), method_id, off_session=True)
