"""Whose step a step is."""

from parking.domain.blocker import Blocker
from parking.domain.due import Step
from parking.domain.payment import Payment
from parking.domain.reservation import Reservation

TIMED = (Reservation, Payment, Blocker)
_OTHERS: dict[Step, type[Payment | Blocker]] = {Step.SETTLE: Payment, Step.WATCH: Blocker}


def kind_of(step: Step) -> type[Reservation | Payment | Blocker]:
    """The kind of the items that have this step."""
    return _OTHERS.get(step, Reservation)
