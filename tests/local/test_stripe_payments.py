"""The journeys of a payment on our Stripe emulator, by the real Stripe SDK and as the mobile SDK goes them."""

from collections.abc import Iterator

import httpx
import pytest
import stripe

from local.drivers import confirm_payment, finish_3d_secure
from tests.local.stripe_servers import Emulator, eventually, serving

DEPOSIT: stripe.params.PaymentIntentCreateParams = {
    "amount": 5000,
    "currency": "eur",
    "description": "Deposit",
    "metadata": {"payment_id": "pay_1", "user_id": "user_1"},
    "automatic_payment_methods": {"enabled": True},
}
THREE_D_SECURE = "pm_card_threeDSecure2Required"


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with serving(tmp_path_factory.mktemp("stripe"), plain=False) as running:
        yield running


def deposit(emulator: Emulator, key: str) -> stripe.PaymentIntent:
    return emulator.sdk.v1.payment_intents.create(DEPOSIT, {"idempotency_key": key})


def confirm(emulator: Emulator, intent: stripe.PaymentIntent, payment_method: str) -> httpx.Response:
    assert intent.client_secret is not None
    return confirm_payment(emulator.base, intent.client_secret, payment_method=payment_method)


def confirmed(emulator: Emulator, intent: stripe.PaymentIntent, payment_method: str = "pm_card_visa") -> str:
    status: str = confirm(emulator, intent, payment_method).raise_for_status().json()["status"]
    return status


def authenticated(emulator: Emulator, intent: stripe.PaymentIntent, *, success: bool) -> str:
    assert intent.client_secret is not None
    answer = finish_3d_secure(emulator.base, intent.client_secret, success=success)
    status: str = answer.raise_for_status().json()["status"]
    return status


def test_a_retried_creation_is_replayed_and_says_so(emulator: Emulator) -> None:
    first, again = deposit(emulator, "retried"), deposit(emulator, "retried")
    assert again.to_dict() == first.to_dict()
    assert again.last_response is not None
    assert again.last_response.headers["Idempotent-Replayed"] == "true"


def test_a_replay_shows_the_first_answer_though_the_intent_has_moved_on(emulator: Emulator) -> None:
    first = deposit(emulator, "moved-on")
    assert confirmed(emulator, first) == "succeeded"
    assert deposit(emulator, "moved-on").status == "requires_payment_method"
    assert emulator.sdk.v1.payment_intents.retrieve(first.id).status == "succeeded"


def test_the_same_key_with_another_amount_is_an_idempotency_error(emulator: Emulator) -> None:
    deposit(emulator, "other-amount")
    with pytest.raises(stripe.IdempotencyError) as caught:
        emulator.sdk.v1.payment_intents.create(DEPOSIT | {"amount": 1}, {"idempotency_key": "other-amount"})
    assert caught.value.http_status == 400


def test_a_refused_validation_does_not_use_the_key_up(emulator: Emulator) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        emulator.sdk.v1.payment_intents.create(DEPOSIT | {"amount": -1}, {"idempotency_key": "refused"})
    assert deposit(emulator, "refused").amount == 5000


def test_a_declined_charge_is_stored_and_replayed(emulator: Emulator) -> None:
    parameters = DEPOSIT | {"confirm": True, "payment_method": "pm_card_chargeCustomerFail"}
    charges = []
    for _ in range(2):
        with pytest.raises(stripe.CardError) as caught:
            emulator.sdk.v1.payment_intents.create(parameters, {"idempotency_key": "declined"})
        charges.append(caught.value.json_body)
    assert charges[0] == charges[1]


def test_a_confirmed_payment_is_told_by_a_signed_webhook_with_its_metadata(emulator: Emulator) -> None:
    intent = deposit(emulator, "confirmed")
    assert confirmed(emulator, intent) == "succeeded"
    assert eventually(lambda: emulator.receiver.types(intent.id) == ["payment_intent.succeeded"])
    told = emulator.receiver.events()[-1].to_dict()["data"]["object"]
    assert told["metadata"] == {"payment_id": "pay_1", "user_id": "user_1"}
    assert told["amount_received"] == 5000


def test_a_forged_signature_is_refused_by_the_sdk(emulator: Emulator) -> None:
    intent = deposit(emulator, "forged")
    confirmed(emulator, intent)
    assert eventually(lambda: emulator.receiver.types(intent.id) != [])
    body, signature = emulator.receiver.deliveries[-1]
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(body, signature, "whsec_other")


def test_a_declined_card_can_be_followed_by_another(emulator: Emulator) -> None:
    intent = deposit(emulator, "second-card")
    declined = confirm(emulator, intent, "pm_card_chargeCustomerFail")
    assert (declined.status_code, declined.json()["error"]["code"]) == (402, "card_declined")
    assert emulator.sdk.v1.payment_intents.retrieve(intent.id).status == "requires_payment_method"
    assert confirmed(emulator, intent) == "succeeded"


def test_3d_secure_completed_pays(emulator: Emulator) -> None:
    intent = deposit(emulator, "3ds-completed")
    assert confirmed(emulator, intent, THREE_D_SECURE) == "requires_action"
    assert authenticated(emulator, intent, success=True) == "succeeded"


def test_3d_secure_failed_asks_for_another_payment_method(emulator: Emulator) -> None:
    intent = deposit(emulator, "3ds-failed")
    assert confirmed(emulator, intent, THREE_D_SECURE) == "requires_action"
    assert authenticated(emulator, intent, success=False) == "requires_payment_method"
    assert confirmed(emulator, intent) == "succeeded"


def test_3d_secure_abandoned_can_be_cancelled_and_then_never_pays(emulator: Emulator) -> None:
    intent = deposit(emulator, "3ds-abandoned")
    confirmed(emulator, intent, THREE_D_SECURE)
    cancelled = emulator.sdk.v1.payment_intents.cancel(
        intent.id, {"cancellation_reason": "abandoned"}, {"idempotency_key": "3ds-abandoned-cancel"}
    )
    assert (cancelled.status, cancelled.cancellation_reason) == ("canceled", "abandoned")
    late = confirm(emulator, intent, "pm_card_visa")
    assert (late.status_code, late.json()["error"]["code"]) == (400, "payment_intent_unexpected_state")


def test_a_refund_repeated_with_its_key_pays_back_once(emulator: Emulator) -> None:
    intent = deposit(emulator, "refunded")
    confirmed(emulator, intent)
    refunds = {
        emulator.sdk.v1.refunds.create({"payment_intent": intent.id}, {"idempotency_key": "refund-1"}).id
        for _ in range(2)
    }
    assert len(refunds) == 1
