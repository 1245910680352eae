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


@pytest.mark.parametrize(
    ("payment_method", "code", "decline_code"),
    [
        ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"),
        ("pm_card_chargeDeclinedProcessingError", "processing_error", "processing_error"),
    ],
)
def test_a_decline_says_why_in_the_answer_and_in_the_intent(
    emulator: Emulator, payment_method: str, code: str, decline_code: str
) -> None:
    intent = deposit(emulator, f"decline-{payment_method}")
    error = confirm(emulator, intent, payment_method).json()["error"]
    assert (error["code"], error["decline_code"]) == (code, decline_code)
    assert error["payment_intent"]["id"] == intent.id
    found = emulator.sdk.v1.payment_intents.retrieve(intent.id)
    assert found.last_payment_error is not None
    assert (found.last_payment_error.code, found.last_payment_error.decline_code) == (code, decline_code)
    assert (found.status, found.amount_received) == ("requires_payment_method", 0)
    assert eventually(lambda: emulator.receiver.types(intent.id) == ["payment_intent.payment_failed"])


def test_a_second_try_clears_the_error_of_the_first(emulator: Emulator) -> None:
    intent = deposit(emulator, "cleared")
    assert intent.last_payment_error is None
    confirm(emulator, intent, "pm_card_chargeCustomerFail")
    confirmed(emulator, intent)
    assert emulator.sdk.v1.payment_intents.retrieve(intent.id).last_payment_error is None


def test_a_card_declined_after_3d_secure_asks_for_another(emulator: Emulator) -> None:
    intent = deposit(emulator, "3ds-declined")
    confirmed(emulator, intent, "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds")
    assert authenticated(emulator, intent, success=True) == "requires_payment_method"
    found = emulator.sdk.v1.payment_intents.retrieve(intent.id)
    assert found.last_payment_error is not None
    assert found.last_payment_error.decline_code == "insufficient_funds"


@pytest.mark.parametrize(("success", "status"), [("true", "succeeded"), ("false", "requires_payment_method")])
def test_a_payment_that_is_processing_ends_when_the_bank_decides(emulator: Emulator, success: str, status: str) -> None:
    intent = deposit(emulator, f"processing-{success}")
    assert confirmed(emulator, intent, "pm_card_processing") == "processing"
    assert eventually(lambda: emulator.receiver.types(intent.id) == ["payment_intent.processing"])
    with pytest.raises(stripe.InvalidRequestError) as caught:
        emulator.sdk.v1.payment_intents.cancel(intent.id)
    assert caught.value.code == "payment_intent_unexpected_state"
    settled = emulator.as_server(f"/v1/payment_intents/{intent.id}/_settle", success=success)
    assert settled.raise_for_status().json()["status"] == status
    told = "payment_intent.succeeded" if success == "true" else "payment_intent.payment_failed"
    assert eventually(lambda: told in emulator.receiver.types(intent.id))
    assert emulator.as_server(f"/v1/payment_intents/{intent.id}/_settle", success=success).status_code == 400


@pytest.mark.parametrize("payment_method", [None, "pm_card_visa", THREE_D_SECURE, "pm_card_chargeCustomerFail"])
def test_what_is_not_paid_can_be_cancelled_once(emulator: Emulator, payment_method: str | None) -> None:
    intent = deposit(emulator, f"cancel-{payment_method}")
    if payment_method == "pm_card_visa":  # waits for its confirmation
        intent = emulator.sdk.v1.payment_intents.create(DEPOSIT | {"payment_method": payment_method})
        assert intent.status == "requires_confirmation"
    elif payment_method is not None:
        confirm(emulator, intent, payment_method)
    assert emulator.sdk.v1.payment_intents.cancel(intent.id).status == "canceled"
    with pytest.raises(stripe.InvalidRequestError) as caught:
        emulator.sdk.v1.payment_intents.cancel(intent.id)
    assert caught.value.code == "payment_intent_unexpected_state"


def test_a_paid_intent_can_be_neither_cancelled_nor_confirmed(emulator: Emulator) -> None:
    intent = deposit(emulator, "paid")
    confirmed(emulator, intent)
    with pytest.raises(stripe.InvalidRequestError) as caught:
        emulator.sdk.v1.payment_intents.cancel(intent.id)
    body = caught.value.json_body
    assert isinstance(body, dict)
    assert body["error"]["payment_intent"]["status"] == "succeeded"
    assert caught.value.code == "payment_intent_unexpected_state"
    assert confirm(emulator, intent, "pm_card_visa").json()["error"]["code"] == "payment_intent_unexpected_state"
