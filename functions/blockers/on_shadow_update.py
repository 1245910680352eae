"""A blocker reported: where the barrier is, what the sensor sees, what became of a command."""

from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from parking import wiring
from parking.domain.ids import BlockerId
from parking.services.blockers import reconcile

logger = Logger()


def _reported(document: dict[str, Any] | None) -> tuple[object, object]:
    """The reported section and the times of its keys; a report that repeats itself still has newer times."""
    document = document or {}
    return document.get("state", {}).get("reported"), document.get("metadata", {}).get("reported")


@logger.inject_lambda_context(correlation_id_path="current.state.reported.command_id", clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, bool]:
    """Reconcile with what the device said. Our own writes to `desired` come here too, and are no news.

    What correlates is the command that the device answers: ours, sent for a reservation.
    """
    if _reported(event["current"]) == _reported(event.get("previous")):
        return {"news": False}
    blocker_id = BlockerId(event["blocker_id"])
    logger.append_keys(blocker_id=blocker_id)
    now = datetime.fromtimestamp(event["received_at_ms"] / 1000, UTC)
    document = wiring.from_shadow_event(event)
    reconcile(wiring.store(), wiring.shadows(), blocker_id, now, document=document)
    logger.info("heard", report=event["current"]["state"].get("reported"))
    return {"news": True}
