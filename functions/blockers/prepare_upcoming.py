"""Every minute: raise the blockers of stays that begin soon, and look again until the machine does its part."""

from datetime import datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.utilities.typing import LambdaContext

from parking import wiring
from parking.domain.reservation import Reservation
from parking.metrics import count
from parking.schedule import run
from parking.services.schedules import guard_upcoming
from parking.services.sweeping import Pace, Swept

logger = Logger()


def _tell(stay: Reservation) -> None:
    """A driver who stands before the barrier cannot wait as one can who is told ahead: two alarms."""
    arrival = stay.arrival_requested_at is not None
    count({"ArrivalFailures" if arrival else "GuardFailures": 1})
    what = "arrival failed" if arrival else "guard failed"
    logger.error(what, reservation_id=stay.reservation_id, spot_id=stay.spot_id, blocker_id=stay.blocker_id)


def _guard(now: datetime, pace: Pace) -> Swept:
    return guard_upcoming(wiring.store(), wiring.shadows(), now, _tell, pace)


@logger.inject_lambda_context(correlation_id_path=correlation_paths.EVENT_BRIDGE, clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """Guard the stays that begin soon, as of the event's own time."""
    return run(event, context, _guard)
