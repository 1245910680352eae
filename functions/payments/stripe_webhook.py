"""POST /stripe/webhook: Stripe says where to look. We answer 2xx only when our side is committed."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler.openapi.params import Header
from aws_lambda_powertools.metrics import MetricUnit

from parking import wiring
from parking.http import Door, Out, documented, entry
from parking.metrics import metrics
from parking.services.card_payments import settle
from parking.services.disputes import settle_dispute
from parking.services.payment_methods import remember_card
from parking.services.refunds import settle_refund

LARGEST_EVENT_BYTES = 262_144

logger = Logger()
door = Door(largest_body_bytes=LARGEST_EVENT_BYTES)
app = door.app
handler = metrics.log_metrics(entry(door))


class ReceivedOut(Out):
    """The event is dealt with; Stripe need not send it again."""

    received: bool


@app.post(
    "/stripe/webhook",
    summary="For Stripe only",
    tags=["stripe"],
    responses=documented(HTTPStatus.OK, ReceivedOut),
)
def receive_stripe_event(signature: Annotated[str, Header(alias="Stripe-Signature", max_length=4096)]) -> ReceivedOut:
    """Checks the signature over the raw body, then looks at the object itself: events come twice and out of order.

    An object that Stripe does not know under our key is 503, not 200: the key may be another account's, and an event
    that Stripe keeps sending is better than money that nobody books.
    """
    event = wiring.webhook_verifier().verify((app.current_event.decoded_body or "").encode(), signature)
    store, cards = wiring.store(), wiring.cards()
    match event.kind.split("."):
        case ["payment_intent", *_]:
            settle(store, cards.intent(event.object_id), door.now)
        case ["setup_intent", "succeeded"]:
            remember_card(store, cards.setup(event.object_id, door.now))
        case ["refund", *_]:
            settle_refund(store, cards.refund(event.object_id), door.now)
            metrics.add_metric("CardRefundsFailed", MetricUnit.Count, int(event.kind == "refund.failed"))
        case ["charge", "dispute", *_]:
            metrics.add_metric("DisputesOpened", MetricUnit.Count, int(event.kind == "charge.dispute.created"))
            settle_dispute(store, cards, cards.dispute(event.object_id), door.now)
        case _:
            logger.info("nothing to do for this kind of event", kind=event.kind)
    return ReceivedOut(received=True)
