"""A driver's own things by their keys. Somebody else's are not found (design, rule 3)."""

from parking.domain.errors import NotFound
from parking.domain.ids import PaymentId, ReservationId, UserId
from parking.domain.ledger import Wallet
from parking.domain.payment import Payment
from parking.domain.reservation import Reservation
from parking.services.ports import Store


def reservation_of(store: Store, user_id: UserId, reservation_id: ReservationId) -> Reservation:
    """The driver's reservation. Raises NotFound."""
    reservation = store.get(Reservation, user_id, reservation_id)
    if reservation is None:
        raise NotFound("There is no such reservation.", field="reservation_id")
    return reservation


def payment_of(store: Store, user_id: UserId, payment_id: PaymentId) -> Payment:
    """The driver's payment. Raises NotFound."""
    payment = store.get(Payment, user_id, payment_id)
    if payment is None:
        raise NotFound("There is no such payment.", field="payment_id")
    return payment


def wallet_of(store: Store, user_id: UserId, currency: str) -> Wallet:
    """The driver's wallet; one that was never used is empty."""
    return store.get(Wallet, user_id) or Wallet(user_id=user_id, currency=currency)
