"""New notices knock at their drivers' phones. The inbox is the truth: a knock that never succeeds is dropped."""

from datetime import datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from invocation import invoked_at

from parking import wiring
from parking.domain.notification import Notification
from parking.metrics import metrics
from parking.services.notifications import knock
from parking.stream import PartialFailure, run

logger = Logger()


def _knock(images: dict[str, Any], written_at: datetime) -> None:
    notification = wiring.from_stream_image(Notification, images["NewImage"])
    reached = knock(wiring.store(), wiring.push(), notification)
    # From the commit on, which streams date to the second. How late the commit was is its schedule's DueLag.
    metrics.add_metric("NotificationLag", MetricUnit.Seconds, (invoked_at() - written_at).total_seconds())
    logger.info(
        "pushed",
        notification_id=notification.notification_id,
        reservation_id=notification.data.get("reservation_id"),
        kind=notification.kind,
        reached=reached,
    )


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> PartialFailure:
    """Push each new notice to each of its driver's phones."""
    return run(event, _knock)
