"""Items of the PaymentMethods table: one per driver, with all their saved cards."""

from pynamodb.attributes import ListAttribute, UnicodeAttribute

from parking.adapters.dynamodb.attributes import InstantAttribute, IntegerAttribute, TypedMap, VersionedModel
from parking.domain.customer import Customer, PaymentMethod
from parking.domain.ids import UserId


class PaymentMethodMap(TypedMap):
    """A saved card inside its customer."""

    payment_method_id = UnicodeAttribute()
    brand = UnicodeAttribute()
    last4 = UnicodeAttribute()
    expires_month = IntegerAttribute()
    expires_year = IntegerAttribute()
    added_at = InstantAttribute()


class CustomerModel(VersionedModel):
    """A driver as Stripe's customer."""

    user_id = UnicodeAttribute(hash_key=True)
    customer_id = UnicodeAttribute()
    payment_methods: ListAttribute[PaymentMethodMap] = ListAttribute(of=PaymentMethodMap, null=True)
    default_id = UnicodeAttribute(null=True)


def item_of(customer: Customer) -> CustomerModel:
    """The customer as it is stored."""
    return CustomerModel(
        user_id=customer.user_id,
        customer_id=customer.customer_id,
        payment_methods=[_map_of(one) for one in customer.payment_methods] or None,
        default_id=customer.default_id,
        version=customer.version,
    )


def customer_of(item: CustomerModel) -> Customer:
    """The stored customer."""
    return Customer(
        user_id=UserId(item.user_id),
        customer_id=item.customer_id,
        payment_methods=tuple(_payment_method_of(one) for one in item.payment_methods or ()),
        default_id=item.default_id,
        version=item.version,
    )


def _map_of(payment_method: PaymentMethod) -> PaymentMethodMap:
    return PaymentMethodMap(
        payment_method_id=payment_method.payment_method_id,
        brand=payment_method.brand,
        last4=payment_method.last4,
        expires_month=payment_method.expires_month,
        expires_year=payment_method.expires_year,
        added_at=payment_method.added_at,
    )


def _payment_method_of(item: PaymentMethodMap) -> PaymentMethod:
    return PaymentMethod(
        payment_method_id=item.payment_method_id,
        brand=item.brand,
        last4=item.last4,
        expires_month=item.expires_month,
        expires_year=item.expires_year,
        added_at=item.added_at,
    )
