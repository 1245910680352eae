"""What drivers ask of the API, and the answer that the reference rules expect when nothing disturbs the request.

A creating request keeps its Idempotency-Key, so that it can be sent again, or sent again with another body.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from parking.domain.blocker import Blocker, Connectivity
from parking.domain.ids import CreateRequest, ExtensionId, PaymentId, ReservationId, UserId, derived_id
from parking.domain.ledger import Wallet
from parking.domain.payment import Payment
from parking.domain.reservation import ExtensionStatus, Reservation, ReservationStatus
from parking.domain.spot import ServiceState, Spot
from parking.services import bookings, payments
from parking.services.bookings import Wish
from payments_schemas import DepositOut, PaymentOut
from reservations_schemas import ExtensionOut, ReservationOut
from tests.simulation import doors, reference

if TYPE_CHECKING:
    from tests.simulation.world import World
