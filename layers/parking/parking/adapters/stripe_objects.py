"""Stripe's objects as the ports show them."""

from datetime import datetime

import stripe

from parking.domain.customer import PaymentMethod
from parking.services.ports import CardDispute, CardRefund, CardSetup, Intent


def intent_of(intent: stripe.PaymentIntent) -> Intent:
    """The PaymentIntent; why its last try failed only while Stripe waits for another one."""
    metadata = _metadata_of(intent)
    last_error = intent.last_payment_error if intent.status == "requires_payment_method" else None
    return Intent(
        intent_id=intent.id,
        status=intent.status,
        amount_minor=intent.amount,
        amount_received_minor=intent.amount_received,
        currency=intent.currency.upper(),
        client_secret=intent.client_secret or "",
        decline_code=decline_code_of(last_error) if last_error else None,
        user_id=metadata.get("user_id"),
        payment_id=metadata.get("payment_id"),
    )


def decline_code_of(error: object) -> str | None:
    """What the bank said, or else Stripe. An error that no bank has made, has no decline_code at all."""
    return getattr(error, "decline_code", None) or getattr(error, "code", None)


def refund_of(refund: stripe.Refund) -> CardRefund:
    """The refund, and whose it is."""
    metadata = _metadata_of(refund)
    return CardRefund(
        stripe_id=refund.id,
        status=refund.status or "",
        amount_minor=refund.amount,
        intent_id=id_of(refund.payment_intent),
        user_id=metadata.get("user_id"),
        payment_id=metadata.get("payment_id"),
        refund_id=metadata.get("refund_id"),
    )


def dispute_of(dispute: stripe.Dispute) -> CardDispute:
    """The dispute. It has no metadata of ours: the driver's bank has made it."""
    return CardDispute(dispute.id, dispute.status, dispute.amount, id_of(dispute.payment_intent))


def setup_of(setup: stripe.SetupIntent, card: PaymentMethod | None) -> CardSetup:
    """The SetupIntent, with the card that it has saved."""
    return CardSetup(
        setup_id=setup.id,
        status=setup.status,
        client_secret=setup.client_secret or "",
        customer_id=id_of(setup.customer),
        user_id=_metadata_of(setup).get("user_id"),
        payment_method=card,
    )


def card_of(setup: stripe.SetupIntent, now: datetime) -> PaymentMethod | None:
    """The card that a SetupIntent, expanded by `payment_method`, has saved; None if it has saved none."""
    method = setup.payment_method
    if setup.status != "succeeded" or not isinstance(method, stripe.PaymentMethod) or method.card is None:
        return None
    return PaymentMethod(
        payment_method_id=method.id,
        brand=method.card.brand,
        last4=method.card.last4 or "",
        expires_month=method.card.exp_month,
        expires_year=method.card.exp_year,
        added_at=now,
    )


def id_of(reference: str | stripe.StripeObject | None) -> str | None:
    """The id of what a field refers to; Stripe gives the id alone, or where asked the whole object."""
    return reference["id"] if isinstance(reference, stripe.StripeObject) else reference


def _metadata_of(owner: stripe.PaymentIntent | stripe.Refund | stripe.SetupIntent) -> dict[str, str]:
    return owner.metadata.to_dict() if owner.metadata else {}
