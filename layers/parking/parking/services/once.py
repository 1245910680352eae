"""A request for a payment is carried out once: sent again, or many times at once, it gets the payment that it made."""

from collections.abc import Callable

from parking.domain.errors import ParkingError
from parking.domain.ids import CreateRequest, PaymentId
from parking.domain.payment import Payment
from parking.services.commit import until_committed
from parking.services.ports import Store


def made_once(store: Store, request: CreateRequest, make: Callable[[PaymentId], Payment]) -> Payment:
    """The request's payment as it is now: what it has made before, else what `make` commits.

    Raises what `make` refuses, IdempotencyMismatch, and Busy.
    """
    payment_id = PaymentId(request.new_id("pay"))

    def made() -> Payment | None:
        payment = store.get(Payment, request.user_id, payment_id)
        if payment:
            request.must_match(payment.fingerprint)
        return payment

    def attempt() -> Payment:
        if payment := made():
            return payment
        try:
            return make(payment_id)
        except ParkingError:
            # The same request may have been carried out since, and be why: what is paid cannot be paid again.
            if payment := made():
                return payment
            raise

    return until_committed(attempt)
