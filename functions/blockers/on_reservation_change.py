"""A reservation changed: the blocker of its spot may have to move."""

from datetime import datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.typing import LambdaContext

from parking import wiring
from parking.domain.reservation import Reservation
from parking.services.blockers import reconcile
from parking.stream import run

logger = Logger()


def _reconcile(image: dict[str, Any], changed_at: datetime) -> None:
    for blocker_id in wiring.from_stream_image(Reservation, image).blockers_to_tell:
        reconcile(wiring.store(), wiring.shadows(), blocker_id, changed_at)


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Reconcile the blocker of each reservation that is or was paid, and the one that it has left for another spot."""
    return run(event, context, _reconcile)
