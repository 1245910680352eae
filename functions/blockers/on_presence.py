"""A blocker connected or was lost: IoT's lifecycle events, and the device's last will."""

from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from parking import wiring
from parking.domain.blocker import Connectivity
from parking.domain.ids import BlockerId
from parking.services.blockers import reconcile, seen
from parking.services.certificates import connected

logger = Logger()


@logger.inject_lambda_context(correlation_id_path="sessionIdentifier", clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, bool]:
    """Note whether the device is there, then reconcile: a command that waited may be sent now.

    A last will carries no connection number, so it cannot be ordered against a new connection: it is evidence in the
    log, and the lifecycle event that IoT sends beside it decides.
    """
    if "eventType" not in event:
        # The topic is the broker's word, which lets nobody speak for another; the rest is what the device says.
        logger.warning("last will", topic=event["topic"], session_id=event.get("session_id"))
        return {"news": False}
    blocker_id = BlockerId(event["clientId"])
    connectivity = Connectivity.ONLINE if event["eventType"] == "connected" else Connectivity.OFFLINE
    at = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
    if connectivity is Connectivity.ONLINE:
        connected(wiring.store(), blocker_id, event["principalIdentifier"], at)
    news = seen(connectivity, at, event["versionNumber"])
    reconcile(wiring.store(), wiring.shadows(), blocker_id, at, learn=news)
    logger.info("presence", blocker_id=blocker_id, connectivity=connectivity, version=event["versionNumber"])
    return {"news": True}
