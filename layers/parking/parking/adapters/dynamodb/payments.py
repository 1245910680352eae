"""Items of the Payments table."""

from pynamodb.attributes import BooleanAttribute, ListAttribute, UnicodeAttribute

from parking.adapters.dynamodb.attributes import (
    EnumAttribute,
    InstantAttribute,
    IntegerAttribute,
    TypedMap,
    VersionedModel,
)
from parking.adapters.dynamodb.due import due_shard
from parking.domain.ids import ExtensionId, PaymentId, RefundId, ReservationId, UserId
from parking.domain.payment import (
    Dispute,
    DisputeStatus,
    Method,
    Payment,
    PaymentStatus,
    Purpose,
    Refund,
    RefundStatus,
)


class RefundMap(TypedMap):
    """A refund inside its payment."""

    refund_id = UnicodeAttribute()
    source_id = UnicodeAttribute()
    intent_id = UnicodeAttribute()
    amount_minor = IntegerAttribute()
    status = EnumAttribute(RefundStatus)
    stripe_id = UnicodeAttribute(null=True)
    refused = UnicodeAttribute(null=True)
    requested_at = InstantAttribute()
    arrived_at = InstantAttribute(null=True)
    diverted_at = InstantAttribute(null=True)


class DisputeMap(TypedMap):
    """A dispute inside its payment."""

    stripe_id = UnicodeAttribute()
    amount_minor = IntegerAttribute()
    from_wallet_minor = IntegerAttribute()
    status = EnumAttribute(DisputeStatus)
    opened_at = InstantAttribute()


class PaymentModel(VersionedModel):
    """A payment. `due_shard` and `due_at` are derived from the next step, and absent where all is settled."""

    user_id = UnicodeAttribute(hash_key=True)
    payment_id = UnicodeAttribute(range_key=True)
    due_shard = UnicodeAttribute(null=True)
    due_at = InstantAttribute(null=True)
    purpose = EnumAttribute(Purpose)
    method = EnumAttribute(Method)
    amount_minor = IntegerAttribute()
    currency = UnicodeAttribute()
    status = EnumAttribute(PaymentStatus)
    reservation_id = UnicodeAttribute(null=True)
    extension_id = UnicodeAttribute(null=True)
    customer_id = UnicodeAttribute(null=True)
    payment_method_id = UnicodeAttribute(null=True)
    off_session = BooleanAttribute()
    intent_id = UnicodeAttribute(null=True)
    failure_code = UnicodeAttribute(null=True)
    first_status = EnumAttribute(PaymentStatus, null=True)
    refunded_minor = IntegerAttribute()
    refunds: ListAttribute[RefundMap] = ListAttribute(of=RefundMap, null=True)
    dispute = DisputeMap(null=True)
    settle_due_at = InstantAttribute(null=True)
    fingerprint = UnicodeAttribute()
    created_at = InstantAttribute()


def item_of(payment: Payment) -> PaymentModel:
    """The payment as it is stored."""
    due = payment.due
    return PaymentModel(
        user_id=payment.user_id,
        payment_id=payment.payment_id,
        due_shard=due_shard(due.step, payment.payment_id) if due else None,
        due_at=due.at if due else None,
        purpose=payment.purpose,
        method=payment.method,
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        status=payment.status,
        reservation_id=payment.reservation_id,
        extension_id=payment.extension_id,
        customer_id=payment.customer_id,
        payment_method_id=payment.payment_method_id,
        off_session=payment.off_session,
        intent_id=payment.intent_id,
        failure_code=payment.failure_code,
        first_status=payment.first_status,
        refunded_minor=payment.refunded_minor,
        refunds=[_refund_map(one) for one in payment.refunds] or None,
        dispute=_dispute_map(payment.dispute) if payment.dispute else None,
        settle_due_at=payment.settle_due_at,
        fingerprint=payment.fingerprint,
        created_at=payment.created_at,
        version=payment.version,
    )


def payment_of(item: PaymentModel) -> Payment:
    """The stored payment."""
    return Payment(
        user_id=UserId(item.user_id),
        payment_id=PaymentId(item.payment_id),
        purpose=item.purpose,
        method=item.method,
        amount_minor=item.amount_minor,
        currency=item.currency,
        status=item.status,
        reservation_id=ReservationId(item.reservation_id) if item.reservation_id else None,
        extension_id=ExtensionId(item.extension_id) if item.extension_id else None,
        customer_id=item.customer_id,
        payment_method_id=item.payment_method_id,
        off_session=item.off_session,
        intent_id=item.intent_id,
        failure_code=item.failure_code,
        first_status=item.first_status,
        refunded_minor=item.refunded_minor,
        refunds=tuple(_refund_of(one) for one in item.refunds or ()),
        dispute=_dispute_of(item.dispute) if item.dispute else None,
        settle_due_at=item.settle_due_at,
        fingerprint=item.fingerprint,
        created_at=item.created_at,
        version=item.version,
    )


def _refund_map(refund: Refund) -> RefundMap:
    return RefundMap(
        refund_id=refund.refund_id,
        source_id=refund.source_id,
        intent_id=refund.intent_id,
        amount_minor=refund.amount_minor,
        status=refund.status,
        stripe_id=refund.stripe_id,
        refused=refund.refused,
        requested_at=refund.requested_at,
        arrived_at=refund.arrived_at,
        diverted_at=refund.diverted_at,
    )


def _refund_of(item: RefundMap) -> Refund:
    return Refund(
        refund_id=RefundId(item.refund_id),
        source_id=PaymentId(item.source_id),
        intent_id=item.intent_id,
        amount_minor=item.amount_minor,
        status=item.status,
        stripe_id=item.stripe_id,
        refused=item.refused,
        requested_at=item.requested_at,
        arrived_at=item.arrived_at,
        diverted_at=item.diverted_at,
    )


def _dispute_map(dispute: Dispute) -> DisputeMap:
    return DisputeMap(
        stripe_id=dispute.stripe_id,
        amount_minor=dispute.amount_minor,
        from_wallet_minor=dispute.from_wallet_minor,
        status=dispute.status,
        opened_at=dispute.opened_at,
    )


def _dispute_of(item: DisputeMap) -> Dispute:
    return Dispute(
        stripe_id=item.stripe_id,
        amount_minor=item.amount_minor,
        from_wallet_minor=item.from_wallet_minor,
        status=item.status,
        opened_at=item.opened_at,
    )
