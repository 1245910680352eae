"""POST /stripe/webhook: Stripe says where to look. We answer 2xx only when our side is committed."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Header

from parking import wiring
from parking.http import Door, Out, documented, entry
from parking.services import payments

LARGEST_EVENT_BYTES = 262_144

door = Door(largest_body_bytes=LARGEST_EVENT_BYTES)
app = door.app
handler = entry(door)


class ReceivedOut(Out):
    """The event is dealt with; Stripe need not send it again."""

    received: bool


@app.post(
    "/stripe/webhook",
    summary="For Stripe only",
    tags=["stripe"],
    responses=documented(HTTPStatus.OK, ReceivedOut),
)
def receive(signature: Annotated[str, Header(alias="Stripe-Signature", max_length=4096)]) -> ReceivedOut:
    """Checks the signature over the raw body, then looks at the object itself: events come twice and out of order.

    An object that Stripe does not know under our key is 503, not 200: the key may be another account's, and an event
    that Stripe keeps sending is better than money that nobody books.
    """
    event = wiring.webhook_verifier().verify((app.current_event.decoded_body or "").encode(), signature)
    if event.kind.startswith("payment_intent."):
        payments.settle_intent(wiring.store(), wiring.cards(), event.object_id, door.now)
    return ReceivedOut(received=True)
