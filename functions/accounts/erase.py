"""Every minute: erases the person behind each closed account."""

from datetime import datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from parking import wiring
from parking.metrics import metrics
from parking.schedule import run, without
from parking.services.accounts import ErasureOverdue, erase_due
from parking.services.ports import CardError, Key
from parking.services.sweeping import Pace, Swept

logger = Logger()


def _erase(now: datetime, pace: Pace) -> Swept:
    """What waits for others is counted and tried again: it is no failure of this run."""
    swept = erase_due(wiring.store(), wiring.cards(), wiring.push(), wiring.logins(), now, pace)
    return without(swept, _is_told)


def _is_told(key: Key, failure: Exception) -> bool:
    match failure:
        case ErasureOverdue():
            logger.error("a closed account could not be erased", key=key)
            metrics.add_metric("AccountsNotErased", MetricUnit.Count, 1)
        case CardError():
            logger.warning("Stripe could not be asked", key=key, exc_info=failure)
            metrics.add_metric("StripeUnavailable", MetricUnit.Count, 1)
        case _:
            return False
    return True


@metrics.log_metrics
@logger.inject_lambda_context(correlation_id_path=correlation_paths.EVENT_BRIDGE, clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """Erases what is due, as of the event's own time."""
    return run(event, context, _erase)
