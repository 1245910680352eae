"""Card payments through the Stripe SDK."""

from collections.abc import Iterator
from contextlib import contextmanager

import stripe

from parking.domain.payment import Payment
from parking.services.ports import CardError, ForgedWebhook, Intent, WebhookEvent

TIMEOUT_SECONDS = 8
RETRIES_MAX = 2
WEBHOOK_TOLERANCE_SECONDS = 300


class StripeCards:
    """CardGateway. `api_base` stands in for Stripe's own address where an emulator is used."""

    def __init__(self, secret_key: str, api_base: str | None) -> None:
        self._client = stripe.StripeClient(
            secret_key,
            base_addresses={"api": api_base} if api_base else {},
            max_network_retries=RETRIES_MAX,
            http_client=stripe.RequestsClient(timeout=TIMEOUT_SECONDS),
        )

    def create_intent(self, payment: Payment, description: str) -> Intent:
        """A PaymentIntent for the payment; Stripe gives the same one for the same payment id. Raises CardError."""
        with _translated():
            return _intent_of(
                self._client.v1.payment_intents.create(
                    {
                        "amount": payment.amount_minor,
                        "currency": payment.currency.lower(),
                        "automatic_payment_methods": {"enabled": True},
                        "description": description,
                        "metadata": {"user_id": payment.user_id, "payment_id": payment.payment_id},
                    },
                    {"idempotency_key": payment.payment_id},
                )
            )

    def intent(self, intent_id: str) -> Intent:
        """The PaymentIntent as it is now. Raises CardError."""
        with _translated():
            return _intent_of(self._client.v1.payment_intents.retrieve(intent_id))


class StripeWebhookVerifier:
    """WebhookVerifier."""

    def __init__(self, signing_secret: str) -> None:
        self._signing_secret = signing_secret

    def verify(self, payload: bytes, signature: str) -> WebhookEvent:
        """The event, if Stripe signed it within the last five minutes. Raises ForgedWebhook."""
        try:
            event = stripe.Webhook.construct_event(
                payload, signature, self._signing_secret, tolerance=WEBHOOK_TOLERANCE_SECONDS
            )
            return WebhookEvent(event.id, event.type, event.data.object["id"])
        except (stripe.SignatureVerificationError, ValueError, KeyError, AttributeError) as error:
            raise ForgedWebhook(type(error).__name__) from error


def _intent_of(intent: stripe.PaymentIntent) -> Intent:
    metadata = intent.metadata.to_dict() if intent.metadata else {}
    return Intent(
        intent_id=intent.id,
        status=intent.status,
        amount_minor=intent.amount,
        amount_received_minor=intent.amount_received,
        currency=intent.currency.upper(),
        client_secret=intent.client_secret or "",
        user_id=metadata.get("user_id"),
        payment_id=metadata.get("payment_id"),
    )


@contextmanager
def _translated() -> Iterator[None]:
    """Stripe's messages may quote the key or a card, so only what kind of error it was is passed on."""
    try:
        yield
    except stripe.StripeError as error:
        raise CardError(f"{type(error).__name__}, code {error.code}, request {error.request_id}") from None
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise CardError(f"the answer makes no sense: {type(error).__name__}") from error
