"""Each gap of plain localstripe, and that ours has it closed.

A test that fails on its `plain` half says that the pinned localstripe closed the gap itself: delete the module of
local/stripe that the test names, and the test.
"""

import subprocess
from collections.abc import Iterator

import httpx
import pytest
import stripe

from local.tools import ROOT, emulator_python
from tests.local.stripe_servers import Emulator, eventually, serving

DECLINED_CARD = "4000000000000002"
FAILS_WHEN_CHARGED = "4000000000000341"
THREE_D_SECURE_CARD = "4000002500003155"
WRITE_TO_STORE = """
import io
from localstripe import resources
from local.stripe import memory_store
{preparation}
resources.open = lambda path, mode: print(path) or io.BytesIO()
resources.store["key"] = "value"
"""


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with serving(tmp_path_factory.mktemp("ours"), plain=False) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with serving(tmp_path_factory.mktemp("plain"), plain=True) as emulator:
        yield emulator


def card_method(emulator: Emulator, number: str) -> str:
    card = {"card[number]": number, "card[exp_month]": "12", "card[exp_year]": "2030", "card[cvc]": "123"}
    method_id: str = emulator.as_server("/v1/payment_methods", type="card", **card).raise_for_status().json()["id"]
    return method_id


def paid_intent(emulator: Emulator) -> str:
    intent_id: str = emulator.intent(payment_method=card_method(emulator, "4242424242424242"), confirm="true")["id"]
    return intent_id


def test_idempotency_a_repeated_post_makes_one_payment_intent(ours: Emulator, plain: Emulator) -> None:
    def made(emulator: Emulator) -> int:
        headers = {"Authorization": "Bearer sk_test_1", "Idempotency-Key": "reservation-1"}
        data = {"amount": "5000", "currency": "eur"}
        answers = [httpx.post(f"{emulator.base}/v1/payment_intents", data=data, headers=headers) for _ in range(2)]
        return len({answer.json()["id"] for answer in answers})

    assert made(ours) == 1
    assert made(plain) == 2


def test_parameters_that_stripe_documents_are_accepted_and_unreal_ones_are_not(ours: Emulator, plain: Emulator) -> None:
    real = {"description": "Deposit", "automatic_payment_methods[enabled]": "true", "receipt_email": "a@example.com"}
    intent = ours.create(**real).raise_for_status().json()
    assert intent["description"] == "Deposit"
    assert intent["automatic_payment_methods"] == {"enabled": True}
    assert ours.create(colour="red").status_code == 400
    assert plain.create(**real).status_code == 400


def test_publishable_key_with_the_client_secret_confirms(ours: Emulator, plain: Emulator) -> None:
    def confirmation(emulator: Emulator, secret: str = "") -> httpx.Response:
        intent = emulator.intent()
        return emulator.as_app(
            f"/v1/payment_intents/{intent['id']}/confirm",
            payment_method="pm_card_visa",
            client_secret=secret or intent["client_secret"],
        )

    assert confirmation(ours).json()["status"] == "succeeded"
    assert confirmation(ours, secret="pi_1_secret_guessed").status_code == 400
    assert confirmation(plain).status_code == 401


def test_confirmation_takes_the_card_itself(ours: Emulator) -> None:
    intent = ours.intent()
    card = {"number": "4000002500003155", "exp_month": "12", "exp_year": "30", "cvc": "123"}
    fields = {f"payment_method_data[card][{name}]": value for name, value in card.items()}
    answer = ours.as_app(
        f"/v1/payment_intents/{intent['id']}/confirm",
        client_secret=intent["client_secret"],
        use_stripe_sdk="true",
        **{"payment_method_data[type]": "card"} | fields,
    )
    assert answer.raise_for_status().json()["status"] == "requires_action"


def test_publishable_key_opens_nothing_else(ours: Emulator) -> None:
    assert ours.as_app("/v1/payment_intents", amount="1", currency="eur").status_code == 401
    assert ours.as_app("/v1/refunds", payment_intent=paid_intent(ours)).status_code == 401


def test_confirmation_takes_a_payment_method(ours: Emulator, plain: Emulator) -> None:
    def confirmation(emulator: Emulator) -> httpx.Response:
        return emulator.as_server(
            f"/v1/payment_intents/{emulator.intent()['id']}/confirm", payment_method="pm_card_visa"
        )

    assert confirmation(ours).json()["status"] == "succeeded"
    assert confirmation(plain).status_code == 500


def test_cards_a_declined_card_is_declined_though_never_attached(ours: Emulator, plain: Emulator) -> None:
    def paid(emulator: Emulator) -> httpx.Response:
        return emulator.create(payment_method=card_method(emulator, DECLINED_CARD), confirm="true")

    assert paid(ours).status_code == 402
    assert paid(plain).json()["status"] == "succeeded"


def test_errors_a_decline_is_a_card_error(ours: Emulator, plain: Emulator) -> None:
    def error_type(emulator: Emulator) -> str:
        declined = emulator.create(payment_method=card_method(emulator, FAILS_WHEN_CHARGED), confirm="true")
        found: str = declined.json()["error"]["type"]
        return found

    assert error_type(ours) == "card_error"
    assert error_type(plain) == "invalid_request_error"


def test_errors_a_missing_object_has_its_code(ours: Emulator, plain: Emulator) -> None:
    def code(emulator: Emulator) -> str | None:
        with pytest.raises(stripe.InvalidRequestError) as caught:
            emulator.sdk.v1.payment_intents.retrieve("pi_missing")
        return caught.value.code

    assert code(ours) == "resource_missing"
    assert code(plain) is None


def test_payment_intents_tell_what_was_received_by_which_charge(ours: Emulator, plain: Emulator) -> None:
    intent = ours.sdk.v1.payment_intents.retrieve(paid_intent(ours)).to_dict()
    assert intent["amount_received"] == 5000
    assert intent["latest_charge"].startswith("ch_")
    plain_intent = plain.sdk.v1.payment_intents.retrieve(paid_intent(plain)).to_dict()
    assert "amount_received" not in plain_intent
    assert plain_intent["latest_charge"]["object"] == "charge"


def test_payment_intents_that_are_cancelled_say_so(ours: Emulator, plain: Emulator) -> None:
    def cancelled(emulator: Emulator) -> str:
        intent_id: str = emulator.intent()["id"]
        emulator.as_server(f"/v1/payment_intents/{intent_id}/cancel").raise_for_status()
        return intent_id

    intent_id = cancelled(ours)
    assert eventually(lambda: ours.receiver.types(intent_id) == ["payment_intent.canceled"])
    plain_intent_id = cancelled(plain)
    # Plain localstripe sends after one second and in order, so what it sends now comes after anything about the intent.
    later = paid_intent(plain)
    assert eventually(lambda: plain.receiver.types(later) == ["payment_intent.succeeded"])
    assert plain.receiver.types(plain_intent_id) == []


def test_payment_intents_that_wait_for_3d_secure_or_fail_it_say_so(ours: Emulator, plain: Emulator) -> None:
    def failed(emulator: Emulator) -> str:
        method = card_method(emulator, THREE_D_SECURE_CARD)
        intent = emulator.intent(payment_method=method, confirm="true")
        emulator.as_app(
            f"/v1/payment_intents/{intent['id']}/_authenticate",
            client_secret=intent["client_secret"],
            key="pk_test_1",
            success="false",
        ).raise_for_status()
        intent_id: str = intent["id"]
        return intent_id

    intent_id = failed(ours)
    told = ["payment_intent.payment_failed", "payment_intent.requires_action"]
    assert eventually(lambda: sorted(ours.receiver.types(intent_id)) == told)
    plain_intent_id, later = failed(plain), paid_intent(plain)
    assert eventually(lambda: plain.receiver.types(later) == ["payment_intent.succeeded"])
    assert plain.receiver.types(plain_intent_id) == []


def test_setup_intents_attach_the_method_and_say_so(ours: Emulator, plain: Emulator) -> None:
    def set_up(emulator: Emulator) -> tuple[str, str | None]:
        customer = emulator.sdk.v1.customers.create({"email": "driver@example.com"})
        intent = emulator.sdk.v1.setup_intents.create({"customer": customer.id})
        method = card_method(emulator, "4242424242424242")
        emulator.as_server(f"/v1/setup_intents/{intent.id}/confirm", payment_method=method).raise_for_status()
        attached_to = emulator.sdk.v1.payment_methods.retrieve(method).to_dict()["customer"]
        return intent.id, attached_to

    intent_id, customer_id = set_up(ours)
    assert customer_id is not None
    assert eventually(lambda: ours.receiver.types(intent_id) == ["setup_intent.succeeded"])
    plain_intent_id, plain_customer_id = set_up(plain)
    assert plain_customer_id is None
    later = paid_intent(plain)
    assert eventually(lambda: plain.receiver.types(later) == ["payment_intent.succeeded"])
    assert plain.receiver.types(plain_intent_id) == []


def test_refunds_stay_within_the_charge_and_say_so(ours: Emulator, plain: Emulator) -> None:
    intent_id = paid_intent(ours)
    refund = ours.sdk.v1.refunds.create({"payment_intent": intent_id, "amount": 2000, "reason": "duplicate"})
    assert eventually(lambda: sorted(ours.receiver.types(refund.id)) == ["refund.created", "refund.updated"])
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded"):
        ours.sdk.v1.refunds.create({"payment_intent": intent_id, "amount": 3001})
    assert ours.sdk.v1.refunds.create({"payment_intent": intent_id}).amount == 3000
    with pytest.raises(stripe.InvalidRequestError) as caught:
        ours.sdk.v1.refunds.create({"payment_intent": intent_id})
    assert caught.value.code == "charge_already_refunded"
    assert plain.sdk.v1.refunds.create({"payment_intent": paid_intent(plain), "amount": 9999}).amount == 9999


def test_payment_methods_are_detached_once(ours: Emulator, plain: Emulator) -> None:
    def second_detachment(emulator: Emulator) -> httpx.Response:
        customer = emulator.sdk.v1.customers.create({"email": "driver@example.com"})
        method = emulator.sdk.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
        emulator.sdk.v1.payment_methods.detach(method.id)
        return emulator.as_server(f"/v1/payment_methods/{method.id}/detach")

    assert second_detachment(ours).status_code == 400
    assert second_detachment(plain).status_code == 200


def test_cards_a_decline_has_its_reason(ours: Emulator, plain: Emulator) -> None:
    def reason(emulator: Emulator) -> str | None:
        declined = emulator.create(payment_method=card_method(emulator, FAILS_WHEN_CHARGED), confirm="true")
        found: str | None = declined.json()["error"].get("decline_code")
        return found

    assert reason(ours) == "generic_decline"
    assert reason(plain) is None


def test_charging_asks_the_bank_of_a_driver_who_is_not_there(ours: Emulator, plain: Emulator) -> None:
    def charged(emulator: Emulator) -> httpx.Response:
        method = card_method(emulator, "4000002760003184")
        return emulator.create(payment_method=method, confirm="true", off_session="true")

    assert charged(ours).json()["error"]["code"] == "authentication_required"
    assert charged(plain).json()["status"] == "requires_action"


def test_setup_intents_finish_their_3d_secure(ours: Emulator, plain: Emulator) -> None:
    def finished(emulator: Emulator) -> int:
        intent = emulator.sdk.v1.setup_intents.create()
        method = card_method(emulator, THREE_D_SECURE_CARD)
        emulator.as_server(f"/v1/setup_intents/{intent.id}/confirm", payment_method=method).raise_for_status()
        return emulator.as_server(f"/v1/setup_intents/{intent.id}/_authenticate", success="true").status_code

    assert finished(ours) == 200
    assert finished(plain) == 404


def test_refunds_can_fail_later(ours: Emulator, plain: Emulator) -> None:
    def settled(emulator: Emulator) -> int:
        intent = emulator.intent(payment_method=card_method(emulator, "4000000000005126"), confirm="true")
        refund = emulator.sdk.v1.refunds.create({"payment_intent": intent["id"], "amount": 5000})
        return emulator.as_server(f"/v1/refunds/{refund.id}/_settle").status_code

    assert settled(ours) == 200
    assert settled(plain) == 404


def test_disputes_exist(ours: Emulator, plain: Emulator) -> None:
    assert ours.sdk.v1.disputes.list().data == []
    with pytest.raises(stripe.StripeError):
        plain.sdk.v1.disputes.list()


def test_lists_of_a_period(ours: Emulator, plain: Emulator) -> None:
    def of_period(emulator: Emulator) -> list[stripe.PaymentIntent]:
        return emulator.sdk.v1.payment_intents.list({"created": {"gte": 1, "lt": 2}}).data

    assert of_period(ours) == []
    with pytest.raises(stripe.InvalidRequestError):
        of_period(plain)


def test_faults_come_when_asked_for(ours: Emulator, plain: Emulator) -> None:
    assert httpx.delete(f"{ours.base}/_config/faults").status_code == 200
    assert httpx.delete(f"{plain.base}/_config/faults").status_code == 404


def test_webhooks_come_again_until_they_are_taken(ours: Emulator, plain: Emulator) -> None:
    ours.receiver.answers, plain.receiver.answers = [500, 503], [500]
    intent_id, plain_intent_id = paid_intent(ours), paid_intent(plain)
    assert eventually(lambda: ours.receiver.types(intent_id) == ["payment_intent.succeeded"] * 3)
    assert len({event.id for event in ours.receiver.events()[-3:]}) == 1
    later = paid_intent(plain)
    assert eventually(lambda: plain.receiver.types(later) == ["payment_intent.succeeded"])
    assert plain.receiver.types(plain_intent_id) == ["payment_intent.succeeded"]


def test_memory_store_writes_no_file() -> None:
    def opened(preparation: str) -> str:
        done = subprocess.run(
            [emulator_python(), "-c", WRITE_TO_STORE.format(preparation=preparation)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    assert opened("memory_store.apply()") == ""
    assert opened("pass").endswith("/localstripe.pickle")
