"""One stay in each of its states, reached by the steps of the table."""

from datetime import timedelta

from parking.domain.ending import cancel, depart, expire_hold, finish
from parking.domain.paying import confirm
from parking.domain.payment import PaymentStatus
from parking.domain.reservation import HOLD, Reservation, ReservationStatus, arrive, request_arrival
from tests.builders import NOW, a_payment, a_reservation, an_interval

S = ReservationStatus
STAY = an_interval()  # NOW + 1 h … NOW + 3 h
STARTS, ENDS = STAY.starts_at, STAY.ends_at
MINUTE = timedelta(minutes=1)
PAYMENT = a_payment(status=PaymentStatus.SUCCEEDED)

HELD = a_reservation()
CONFIRMED = confirm(HELD, PAYMENT, NOW)
ARRIVING = request_arrival(CONFIRMED, STARTS)
ACTIVE = arrive(ARRIVING, STARTS + MINUTE)
EVERY_STATUS: dict[S, Reservation] = {
    S.HELD: HELD,
    S.CONFIRMED: CONFIRMED,
    S.ACTIVE: ACTIVE,
    S.COMPLETED: depart(ACTIVE, STARTS + 60 * MINUTE),
    S.EXPIRED: expire_hold(HELD, NOW + HOLD),
    S.CANCELLED: cancel(CONFIRMED, NOW + MINUTE),
    S.NO_SHOW: finish(CONFIRMED, False, ENDS),
}
TERMINAL = [S.COMPLETED, S.EXPIRED, S.CANCELLED, S.NO_SHOW]
