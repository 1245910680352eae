"""Saved cards: Stripe keeps them, we keep whose they are and which is the default."""

from parking.domain.closing import must_be_open
from parking.domain.customer import MOST_PAYMENT_METHODS, Customer
from parking.domain.errors import NotFound, TooManyPaymentMethods
from parking.domain.ids import CreateRequest, UserId
from parking.domain.ledger import Wallet
from parking.services.commit import until_committed
from parking.services.ports import CardGateway, CardSetup, Store


def start_setup(store: Store, cards: CardGateway, request: CreateRequest) -> CardSetup:
    """A SetupIntent with which the app lets Stripe ask for a card.

    Raises AccountClosed, TooManyPaymentMethods, CardError.
    """
    must_be_open(store.get(Wallet, request.user_id))

    def customer() -> Customer:
        known = store.get(Customer, request.user_id)
        if known:
            return known
        made = Customer(user_id=request.user_id, customer_id=cards.create_customer(request.user_id))
        store.commit(made)
        return made

    owner = until_committed(customer)
    if len(owner.payment_methods) >= MOST_PAYMENT_METHODS:
        raise TooManyPaymentMethods(f"At most {MOST_PAYMENT_METHODS} cards can be saved; remove one first.")
    return cards.create_setup(owner.customer_id, request.user_id, request.new_id("set"))


def customer_of(store: Store, user_id: UserId) -> Customer | None:
    """The driver as Stripe's customer; None for one who never saved a card."""
    return store.get(Customer, user_id)


def remember_card(store: Store, setup: CardSetup) -> Customer | None:
    """Keep the card that a SetupIntent has saved; None if it is not ours, or has saved none."""
    if setup.user_id is None or setup.payment_method is None or setup.status != "succeeded":
        return None
    owner, added = UserId(setup.user_id), setup.payment_method

    def attempt() -> Customer | None:
        before = store.get(Customer, owner)
        if before is None or before.customer_id != setup.customer_id:
            return None
        after = before.with_payment_method(added)
        if after != before:
            store.commit(after)
        return after

    return until_committed(attempt)


def remove_card(store: Store, cards: CardGateway, user_id: UserId, payment_method_id: str) -> None:
    """Forget a card, at Stripe first: a crash in between leaves a card that is listed and cannot pay, not the reverse.

    Raises NotFound, CardError.
    """
    _existing(store, user_id).payment_method(payment_method_id)
    cards.detach(payment_method_id)

    def attempt() -> None:
        before = _existing(store, user_id)
        after = before.without(payment_method_id)
        if after != before:
            store.commit(after)

    until_committed(attempt)


def prefer_card(store: Store, user_id: UserId, payment_method_id: str) -> Customer:
    """Make a card the default. Raises NotFound."""

    def attempt() -> Customer:
        before = _existing(store, user_id)
        after = before.preferring(payment_method_id)
        if after != before:
            store.commit(after)
        return after

    return until_committed(attempt)


def _existing(store: Store, user_id: UserId) -> Customer:
    customer = store.get(Customer, user_id)
    if customer is None:
        raise NotFound("There is no such payment method.", field="payment_method_id")
    return customer
