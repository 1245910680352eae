"""A driver as Stripe's customer, and the cards that Stripe keeps for them. No card number ever reaches us."""

from dataclasses import dataclass, replace
from datetime import datetime

from parking.domain.errors import NotFound
from parking.domain.ids import UserId

MOST_PAYMENT_METHODS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentMethod:
    """A saved card: Stripe's id for it, and what a person recognises it by."""

    payment_method_id: str
    brand: str
    last4: str
    expires_month: int
    expires_year: int
    added_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """All that we keep of a driver at Stripe, as one item: so there is always exactly one default card, or none."""

    user_id: UserId
    customer_id: str
    payment_methods: tuple[PaymentMethod, ...] = ()
    default_id: str | None = None
    version: int = 0

    @property
    def key(self) -> tuple[str, ...]:
        """Its address in the store."""
        return (self.user_id,)

    @property
    def default(self) -> PaymentMethod | None:
        """The card that is charged when the driver is not there to choose."""
        return next((one for one in self.payment_methods if one.payment_method_id == self.default_id), None)

    def payment_method(self, payment_method_id: str) -> PaymentMethod:
        """One of the cards. Raises NotFound, also for somebody else's."""
        for one in self.payment_methods:
            if one.payment_method_id == payment_method_id:
                return one
        raise NotFound("There is no such payment method.", field="payment_method_id")

    def with_payment_method(self, added: PaymentMethod) -> "Customer":
        """The customer with one more card; the first becomes the default. One that is there already changes nothing."""
        if any(one.payment_method_id == added.payment_method_id for one in self.payment_methods):
            return self
        default_id = self.default_id or added.payment_method_id
        return replace(self, payment_methods=(*self.payment_methods, added), default_id=default_id)

    def without(self, payment_method_id: str) -> "Customer":
        """The customer without a card; the newest of the others takes its place as the default."""
        rest = tuple(one for one in self.payment_methods if one.payment_method_id != payment_method_id)
        if self.default_id != payment_method_id:
            return replace(self, payment_methods=rest)
        return replace(self, payment_methods=rest, default_id=rest[-1].payment_method_id if rest else None)

    def preferring(self, payment_method_id: str) -> "Customer":
        """The customer with another default card. Raises NotFound."""
        return replace(self, default_id=self.payment_method(payment_method_id).payment_method_id)
