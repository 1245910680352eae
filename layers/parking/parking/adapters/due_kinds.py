"""Whose step a step is."""

from parking.domain.blocker import Blocker
from parking.domain.due import Step
from parking.domain.ledger import Wallet
from parking.domain.payment import Payment
from parking.domain.reservation import Reservation

TIMED = (Reservation, Payment, Blocker, Wallet)
_OTHERS: dict[Step, type[Payment | Blocker | Wallet]] = {
    Step.SETTLE: Payment,
    Step.WATCH: Blocker,
    Step.ERASE: Wallet,
}


def kind_of(step: Step) -> type[Reservation | Payment | Blocker | Wallet]:
    """The kind of the items that have this step."""
    return _OTHERS.get(step, Reservation)
