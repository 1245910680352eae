"""Every minute: ends stays whose time is over, and tells who overstays and who waits for the spot."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.utilities.typing import LambdaContext

from parking import wiring
from parking.schedule import run
from parking.services.schedules import finish_stays

logger = Logger()


@logger.inject_lambda_context(correlation_id_path=correlation_paths.EVENT_BRIDGE, clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """Ends stays whose time is over, as of the event's own time."""
    return run(event, context, lambda now, pace: finish_stays(wiring.store(), now, pace))
