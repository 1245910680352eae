"""The real services, Stripe's SDK and the tables of the template, in a process that may die at a chosen point."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import uuid4

from local.drivers import save_card
from parking.adapters.dynamodb.store import DynamoStore
from parking.adapters.dynamodb.tables import Tables
from parking.adapters.stripe_cards import StripeCards
from parking.domain.ids import CreateRequest, UserId
from parking.domain.payment import Payment, Refund
from parking.domain.reservation import Reservation
from parking.domain.spot import Spot
from parking.services import bookings, payment_methods
from parking.services.ports import Aggregate, CardRefund, Intent

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def now() -> datetime:
    return datetime.now(UTC)


class Crash(BaseException):
    """The process ends here; nothing of ours can catch it."""


class Fuse:
    """Ends the process at the n-th point that it passes; without a number it only counts them."""

    def __init__(self, at: int | None = None) -> None:
        self.at = at
        self.passed: list[str] = []

    def around[T](self, name: str, call: Callable[[], T]) -> T:
        """Do the call; the points are before it and after it."""
        self._pass(f"before {name}")
        answer = call()
        self._pass(f"after {name}")
        return answer

    def _pass(self, point: str) -> None:
        if len(self.passed) == self.at:
            raise Crash(point)
        self.passed.append(point)


class MortalStore(DynamoStore):
    """The tables, in a process that may die around each commit."""

    def __init__(self, tables: Tables) -> None:
        super().__init__(tables)
        self.fuse = Fuse()

    def commit(self, *saves: Aggregate, unchanged: Sequence[Aggregate] = ()) -> None:
        self.fuse.around("commit", partial(super().commit, *saves, unchanged=unchanged))


class MortalCards(StripeCards):
    """Stripe's SDK, in a process that may die around each call that moves something."""

    def __init__(self, api_base: str) -> None:
        super().__init__("sk_test_crashes", api_base)
        self.fuse = Fuse()

    def create_intent(self, payment: Payment) -> Intent:
        return self.fuse.around("create_intent", partial(super().create_intent, payment))

    def confirm_intent(self, payment: Payment, intent_id: str, *, off_session: bool) -> Intent:
        confirm = partial(super().confirm_intent, payment, intent_id, off_session=off_session)
        return self.fuse.around("confirm_intent", confirm)

    def cancel_intent(self, intent_id: str) -> Intent:
        return self.fuse.around("cancel_intent", partial(super().cancel_intent, intent_id))

    def create_refund(self, holder: Payment, refund: Refund) -> CardRefund:
        return self.fuse.around("create_refund", partial(super().create_refund, holder, refund))


@dataclass
class Bench:
    """The store, Stripe, and one driver after the other."""

    store: MortalStore
    cards: MortalCards
    stripe_base: str
    began_at: datetime
    spot: Spot
    stays: int = 0
    case_began_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    """So that not all that Stripe has is looked through for each case."""

    def burn(self, fuse: Fuse) -> None:
        self.store.fuse = self.cards.fuse = fuse

    def request(self, user_id: UserId, route: str) -> CreateRequest:
        return CreateRequest(user_id, route, uuid4().hex, "the-body")

    def card_of(self, user_id: UserId) -> str:
        """The driver's saved card."""
        started = payment_methods.start_setup(self.store, self.cards, self.request(user_id, "setup"))
        save_card(self.stripe_base, started.client_secret).raise_for_status()
        customer = payment_methods.remember_card(self.store, self.cards.setup(started.setup_id, now()))
        assert customer
        assert customer.default_id
        return customer.default_id

    def held(self, user_id: UserId) -> Reservation:
        """A stay of its own hour that waits for its payment."""
        self.stays += 1
        starts_at = now() + self.stays * 2 * HOUR
        wish = bookings.Wish(
            spot_id=self.spot.spot_id,
            starts_at=starts_at,
            ends_at=starts_at + HOUR,
            quoted_amount_minor=None,
            vehicle_plate=None,
        )
        return bookings.reserve(self.store, self.request(user_id, "reserve"), wish, now())

    def load(self, reservation: Reservation) -> Reservation:
        loaded = self.store.get(Reservation, *reservation.key)
        assert loaded
        return loaded

    def payments_of(self, user_id: UserId) -> list[Payment]:
        return self.store.page(Payment, user_id, limit=100).items

    def intents_of(self, payment: Payment) -> list[Intent]:
        """What Stripe has of the payment."""
        found = self.cards.intents_between(self.case_began_at, now() + MINUTE)
        return [one for one in found if one.payment_id == payment.payment_id]
