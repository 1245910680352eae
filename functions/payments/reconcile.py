"""Every night: settles stuck payments, and compares our ledger with Stripe's list of the day before.

Operators may invoke it for any period.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import AwareDatetime, BaseModel, model_validator

from parking import wiring
from parking.metrics import metrics
from parking.operators import operator_input
from parking.schedule import pace
from parking.services.reconciling import Comparison, compare
from parking.services.settling import settle_due

LONGEST_PERIOD = timedelta(days=7)
DIFFERENCES_SHOWN = 100
COMPARING_MS = 150_000  # half of the function's time is kept for the comparison

logger = Logger()


class Period(BaseModel):
    """[since, until), at most 7 days. A scheduled event says only its own `time`: then it is the UTC day before."""

    time: AwareDatetime
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None

    @model_validator(mode="after")
    def _some_days(self) -> "Period":
        if (self.since is None) != (self.until is None):
            raise ValueError("since and until go together")
        since, until = self.bounds
        if not timedelta(0) < until - since <= LONGEST_PERIOD:
            raise ValueError("until must be after since, and at most 7 days")
        return self

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        """The period in UTC."""
        if self.since and self.until:
            return self.since.astimezone(UTC), self.until.astimezone(UTC)
        midnight = self.time.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight - timedelta(days=1), midnight


def _report(seen: Comparison) -> dict[str, Any]:
    return {
        "since": seen.since.isoformat(),
        "until": seen.until.isoformat(),
        "charges": seen.charges,
        "refunds": seen.refunds,
        "disputes": seen.disputes,
        "settled": seen.settled,
        "stripe_amount": seen.stripe_minor,
        "ledger_amount": seen.ledger_minor,
        "differences": len(seen.differences),
        "difference_amount": seen.difference_minor,
        "first_differences": [
            {"kind": one.kind, "stripe_id": one.stripe_id, "amount": one.amount_minor}
            for one in seen.differences[:DIFFERENCES_SHOWN]
        ],
    }


@metrics.log_metrics
@logger.inject_lambda_context(correlation_id_path=correlation_paths.EVENT_BRIDGE, clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Settles what is due, and what was charged and never committed; reports every other difference as numbers."""
    period = operator_input(Period, event)
    since, until = period.bounds
    now = period.time.astimezone(UTC)
    swept = settle_due(wiring.store(), wiring.cards(), now, pace(context, COMPARING_MS))
    for key, failure in swept.failures.items():
        logger.error("payment not settled", key=key, exc_info=failure)
    seen = compare(wiring.store(), wiring.cards(), since, until, now)
    metrics.add_metric("PaymentDifferences", MetricUnit.Count, len(seen.differences))
    metrics.add_metric("PaymentDifferenceMinor", MetricUnit.Count, seen.difference_minor)
    report = {"looked_after": swept.moved, "not_settled": len(swept.failures), **_report(seen)}
    logger.info("compared with Stripe", report=report)
    return report
