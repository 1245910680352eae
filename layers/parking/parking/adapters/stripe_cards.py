"""Card payments through the Stripe SDK."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

import stripe

from parking.adapters.stripe_objects import card_of, decline_code_of, dispute_of, id_of, intent_of, refund_of, setup_of
from parking.domain.ids import UserId
from parking.domain.payment import Payment, Purpose, Refund
from parking.services.ports import (
    CardDispute,
    CardError,
    CardRefund,
    CardSetup,
    ForgedWebhook,
    Intent,
    RefundRefused,
    WebhookEvent,
)

if TYPE_CHECKING:  # a tenth of a second of every cold start
    from stripe.params import PaymentIntentCreateParams, SetupIntentCreateParams

TIMEOUT_SECONDS = 8
RETRIES_MAX = 2
WEBHOOK_TOLERANCE_SECONDS = 300
PAGE_SIZE = 100  # the most that Stripe gives at once
_UNUSABLE = "payment_method_unusable"
_UNEXPECTED_STATE = "payment_intent_unexpected_state"
_DESCRIPTIONS = {
    Purpose.RESERVATION: "Parking",
    Purpose.EXTENSION: "Parking, extension",
    Purpose.OVERSTAY: "Parking, overstay",
    Purpose.DEPOSIT: "Parking wallet, deposit",
}
"""What the driver reads at the bank or at Stripe. A withdrawal charges nobody."""

# The SDK writes every error with Stripe's message at INFO, which is the level that our functions log at.
logging.getLogger("stripe").setLevel(logging.WARNING)


class StripeCards:
    """CardGateway. `api_base` stands in for Stripe's own address where an emulator is used."""

    def __init__(self, secret_key: str, api_base: str | None) -> None:
        self._stripe = stripe.StripeClient(
            secret_key,
            base_addresses={"api": api_base} if api_base else {},
            max_network_retries=RETRIES_MAX,
            http_client=stripe.RequestsClient(timeout=TIMEOUT_SECONDS),
        ).v1

    def create_customer(self, user_id: UserId) -> str:
        """The customer of the driver; the same one as long as Stripe keeps the idempotency key."""
        with _translated():
            made = self._stripe.customers.create(
                {"metadata": {"user_id": user_id}}, {"idempotency_key": f"customer-{user_id}"}
            )
            return made.id

    def create_setup(self, customer_id: str, user_id: UserId, idempotency_key: str) -> CardSetup:
        """A SetupIntent for a card that may be charged while the driver is not there."""
        parameters: SetupIntentCreateParams = {
            "customer": customer_id,
            "usage": "off_session",
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
            "metadata": {"user_id": user_id},
        }
        with _translated():
            made = self._stripe.setup_intents.create(parameters, {"idempotency_key": idempotency_key})
            return setup_of(made, None)

    def setup(self, setup_id: str, now: datetime) -> CardSetup:
        """The SetupIntent as it is now, with its card."""
        with _translated():
            shown = self._stripe.setup_intents.retrieve(setup_id, {"expand": ["payment_method"]})
            return setup_of(shown, card_of(shown, now))

    def detach(self, payment_method_id: str) -> None:
        """Forget a saved card; one that is gone is fine."""
        with _translated():
            try:
                self._stripe.payment_methods.detach(payment_method_id)
            except stripe.InvalidRequestError:
                if self._customer_of(payment_method_id) is not None:
                    raise

    def delete_customer(self, customer_id: str) -> None:
        """Forget a customer with all saved cards; one that is gone is fine."""
        with _translated():
            try:
                self._stripe.customers.delete(customer_id)
            except stripe.InvalidRequestError as error:
                if error.http_status != HTTPStatus.NOT_FOUND:
                    raise

    def create_intent(self, payment: Payment) -> Intent:
        """A PaymentIntent for the payment. Where its card was removed meanwhile, one that can only be cancelled."""
        with _translated():
            try:
                return self._created(payment, payment.payment_id)
            except stripe.InvalidRequestError:
                if not self._card_is_gone(payment):
                    raise
            without_card = replace(payment, customer_id=None, payment_method_id=None)
            return _failed(self._created(without_card, f"{payment.payment_id}-without-card"), _UNUSABLE)

    def confirm_intent(self, payment: Payment, intent_id: str, *, off_session: bool) -> Intent:
        """Charge the payment's saved card; what the bank says is in the answer."""
        reason = None
        with _translated():
            try:
                confirmed = self._stripe.payment_intents.confirm(
                    intent_id, {"off_session": off_session}, {"idempotency_key": f"{payment.payment_id}-confirm"}
                )
                return self._as_it_is_now(confirmed)
            except stripe.CardError as decline:
                reason = decline_code_of(decline.error or decline)
            except stripe.InvalidRequestError as refusal:
                if refusal.code != _UNEXPECTED_STATE:
                    if not self._card_is_gone(payment):
                        raise
                    reason = _UNUSABLE
            return _failed(self.intent(intent_id), reason)

    def cancel_intent(self, intent_id: str) -> Intent:
        """Cancel the PaymentIntent. One that cannot be cancelled any more is answered as it is."""
        with _translated():
            try:
                return intent_of(self._stripe.payment_intents.cancel(intent_id))
            except stripe.InvalidRequestError as refusal:
                if refusal.code != _UNEXPECTED_STATE:
                    raise
            return self.intent(intent_id)

    def intent(self, intent_id: str) -> Intent:
        """The PaymentIntent as it is now."""
        with _translated():
            return intent_of(self._stripe.payment_intents.retrieve(intent_id))

    def create_refund(self, holder: Payment, refund: Refund) -> CardRefund:
        """Give money back to the card. Raises RefundRefused where Stripe has said a definite no."""
        ours = {"user_id": holder.user_id, "payment_id": holder.payment_id, "refund_id": refund.refund_id}
        with _translated():
            try:
                made = self._stripe.refunds.create(
                    {"payment_intent": refund.intent_id, "amount": refund.amount_minor, "metadata": ours},
                    {"idempotency_key": refund.refund_id},
                )
            except stripe.InvalidRequestError as refusal:
                raise RefundRefused(refusal.code or "invalid_request_error") from None
            return self.refund(made.id) if _replayed(made) else refund_of(made)

    def refund(self, stripe_id: str) -> CardRefund:
        """The refund as it is now."""
        with _translated():
            return refund_of(self._stripe.refunds.retrieve(stripe_id))

    def refunds_of(self, intent_id: str) -> list[CardRefund]:
        """All refunds of a PaymentIntent, the newest first."""
        with _translated():
            found = self._stripe.refunds.list({"payment_intent": intent_id, "limit": PAGE_SIZE})
            return [refund_of(one) for one in found.auto_paging_iter()]

    def dispute(self, stripe_id: str) -> CardDispute:
        """The dispute as it is now."""
        with _translated():
            return dispute_of(self._stripe.disputes.retrieve(stripe_id))

    def intents_between(self, since: datetime, until: datetime) -> Iterator[Intent]:
        """Every PaymentIntent that was created in [since, until), page by page."""
        first, end = int(since.timestamp()), int(until.timestamp())
        with _translated():
            found = self._stripe.payment_intents.list({"created": {"gte": first, "lt": end}, "limit": PAGE_SIZE})
            yield from map(intent_of, found.auto_paging_iter())

    def refunds_between(self, since: datetime, until: datetime) -> Iterator[CardRefund]:
        """Every refund that was created in [since, until), page by page."""
        first, end = int(since.timestamp()), int(until.timestamp())
        with _translated():
            found = self._stripe.refunds.list({"created": {"gte": first, "lt": end}, "limit": PAGE_SIZE})
            yield from map(refund_of, found.auto_paging_iter())

    def disputes_between(self, since: datetime, until: datetime) -> Iterator[CardDispute]:
        """Every dispute that was created in [since, until), page by page."""
        first, end = int(since.timestamp()), int(until.timestamp())
        with _translated():
            found = self._stripe.disputes.list({"created": {"gte": first, "lt": end}, "limit": PAGE_SIZE})
            yield from map(dispute_of, found.auto_paging_iter())

    def _created(self, payment: Payment, idempotency_key: str) -> Intent:
        parameters: PaymentIntentCreateParams = {
            "amount": payment.amount_minor,
            "currency": payment.currency.lower(),
            "automatic_payment_methods": {"enabled": True},
            "description": _DESCRIPTIONS[payment.purpose],
            "metadata": {"user_id": payment.user_id, "payment_id": payment.payment_id},
        }
        if payment.customer_id:
            parameters["customer"] = payment.customer_id
        if payment.payment_method_id:
            parameters["payment_method"] = payment.payment_method_id
            # A confirmation by us then needs no return_url.
            parameters["automatic_payment_methods"] = {"enabled": True, "allow_redirects": "never"}
        return self._as_it_is_now(self._stripe.payment_intents.create(parameters, {"idempotency_key": idempotency_key}))

    def _as_it_is_now(self, answer: stripe.PaymentIntent) -> Intent:
        return self.intent(answer.id) if _replayed(answer) else intent_of(answer)

    def _card_is_gone(self, payment: Payment) -> bool:
        """Whether the payment's saved card is not its customer's any more: no code of a refusal tells that for sure."""
        card = payment.payment_method_id
        return card is not None and self._customer_of(card) != payment.customer_id

    def _customer_of(self, payment_method_id: str) -> str | None:
        """The customer who has saved the card; None for a card that is detached or unknown."""
        try:
            return id_of(self._stripe.payment_methods.retrieve(payment_method_id).customer)
        except stripe.InvalidRequestError as refusal:
            if refusal.code == "resource_missing":
                return None
            raise


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


def _replayed(answer: stripe.PaymentIntent | stripe.Refund) -> bool:
    """Whether this is the stored first answer for the idempotency key, which shows the object as it was then.

    https://docs.stripe.com/error-low-level#idempotency
    """
    return answer.last_response is not None and "Idempotent-Replayed" in answer.last_response.headers


def _failed(intent: Intent, decline_code: str | None) -> Intent:
    """The intent with the reason that Stripe gave us, unless something else became of it meanwhile."""
    waits = intent.status in ("requires_payment_method", "requires_confirmation")
    return replace(intent, decline_code=intent.decline_code or decline_code) if waits else intent


@contextmanager
def _translated() -> Iterator[None]:
    """Stripe's messages may quote the key or a card, so only what kind of error it was is passed on."""
    try:
        yield
    except stripe.StripeError as error:
        raise CardError(f"{type(error).__name__}, code {error.code}, request {error.request_id}") from None
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise CardError(f"the answer makes no sense: {type(error).__name__}") from error
