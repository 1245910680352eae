"""A reservation changed: the blocker of its spot may have to move."""

from datetime import datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from parking import wiring
from parking.domain.guarding import blockers_to_tell
from parking.domain.reservation import Reservation
from parking.services.blockers import reconcile
from parking.stream import PartialFailure, run

logger = Logger()


def _reconcile(images: dict[str, Any], changed_at: datetime) -> None:
    after = wiring.from_stream_image(Reservation, images["NewImage"])
    before = wiring.from_stream_image(Reservation, images["OldImage"]) if "OldImage" in images else None
    for blocker_id in blockers_to_tell(before, after):
        reconcile(wiring.store(), wiring.shadows(), blocker_id, changed_at)


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> PartialFailure:
    """Reconcile the blocker of each paid reservation that asks for something else now, and the one that it has left."""
    return run(event, _reconcile)
