"""Every minute: looks after payments that Stripe and we have not settled for a while."""

from datetime import datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from parking import wiring
from parking.domain.payment import Payment
from parking.metrics import metrics
from parking.schedule import run, without
from parking.services.ports import CardError, Key, RefundRefused
from parking.services.settling import settle_due
from parking.services.sweeping import Pace, Swept

logger = Logger()


def _count_backlog(unsettled: list[Payment], now: datetime) -> None:
    """Refunds that Stripe could not be asked for. Each is looked at every five minutes: a sum over five counts all.

    One that Stripe has refused rings by itself; one that Stripe has taken on is with the bank.
    """
    for refund in (refund for payment in unsettled for refund in payment.untaken_refunds):
        metrics.add_metric("RefundsWaiting", MetricUnit.Count, 1)
        metrics.add_metric("RefundWait", MetricUnit.Seconds, (now - refund.requested_at).total_seconds())


def _settle(now: datetime, pace: Pace) -> Swept:
    """What Stripe could not or would not do is counted and tried again later: it is no failure of this run."""
    unsettled: list[Payment] = []  # counted afterwards: the sweep's threads must not share the metrics
    swept = settle_due(wiring.store(), wiring.cards(), now, pace, unsettled.append)
    _count_backlog(unsettled, now)
    return without(swept, _is_told)


def _is_told(key: Key, failure: Exception) -> bool:
    match failure:
        case RefundRefused():
            logger.error("Stripe refuses a refund", key=key, code=str(failure))
            metrics.add_metric("RefundsRefused", MetricUnit.Count, 1)
        case CardError():
            logger.warning("Stripe could not be asked", key=key, exc_info=failure)
            metrics.add_metric("StripeUnavailable", MetricUnit.Count, 1)
        case _:
            return False
    return True


@metrics.log_metrics
@logger.inject_lambda_context(correlation_id_path=correlation_paths.EVENT_BRIDGE, clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """Settles what is due, as of the event's own time."""
    return run(event, context, _settle)
