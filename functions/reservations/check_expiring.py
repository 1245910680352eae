"""Every minute: tells drivers half an hour before the end, and once more near it if somebody has the spot next."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.utilities.typing import LambdaContext

from parking import wiring
from parking.schedule import run
from parking.services.schedules import tell_ending

logger = Logger()


@logger.inject_lambda_context(correlation_id_path=correlation_paths.EVENT_BRIDGE, clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """Tells drivers half an hour before the end, as of the event's own time."""
    return run(event, context, lambda now, pace: tell_ending(wiring.store(), now, pace))
