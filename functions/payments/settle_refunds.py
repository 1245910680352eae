"""What a payment asks of Stripe: refunds, cancellations, and the card of a driver who is not there."""

from datetime import datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from parking import wiring
from parking.domain.payment import Payment
from parking.metrics import metrics
from parking.services.ports import CardError, RefundRefused
from parking.services.settling import carry_out
from parking.stream import PartialFailure, run

logger = Logger()


def _carry_out(images: dict[str, Any], at: datetime) -> None:
    payment = wiring.from_stream_image(Payment, images["NewImage"])
    if not payment.asks_stripe:
        return
    try:
        carry_out(wiring.store(), wiring.cards(), payment.key, at)
    except CardError:
        # Retrying here would hold up the other payments of this shard for as long as Stripe is away; the schedule
        # (settle_due) tries again.
        logger.warning("Stripe could not be asked", payment_id=payment.payment_id, exc_info=True)
        metrics.add_metric("StripeUnavailable", MetricUnit.Count, 1)
    except RefundRefused as refusal:
        logger.exception("Stripe refuses a refund", payment_id=payment.payment_id, code=str(refusal))
        metrics.add_metric("RefundsRefused", MetricUnit.Count, 1)


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> PartialFailure:
    """Carry out what each changed payment asks for."""
    return run(event, _carry_out)
