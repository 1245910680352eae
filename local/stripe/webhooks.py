"""Deliver webhooks until they are taken.

Gap: plain localstripe waits one second, sends once, and forgets a webhook that was refused or met a closed port.
Closed by: delivering at once, trying again with growing pauses (Stripe: for three days; here about two minutes), each
attempt freshly signed as Stripe does, every receiver by itself.
No longer needed when: a receiver that answers 500 once gets the event a second time.
"""

import asyncio
import hashlib
import hmac
import json
import logging
import time
from typing import Any

import aiohttp
from localstripe import resources
from localstripe import webhooks as localstripe_webhooks

PAUSES_SECONDS = (0.25, 0.5, 1, 2, 4, 8, 16, 30, 60)
ATTEMPT_SECONDS_MAX = 30
DELIVERIES_AT_ONCE_MAX = 16

log = logging.getLogger(__name__)


def apply() -> None:
    at_once = asyncio.Semaphore(DELIVERIES_AT_ONCE_MAX)
    # asyncio holds tasks weakly: without this set a waiting delivery could vanish.
    deliveries: set[asyncio.Task[None]] = set()

    def schedule_webhook(event: Any) -> None:
        payload = json.dumps(event._export(), indent=2, sort_keys=True).encode()
        for receiver in localstripe_webhooks._webhooks.values():
            if receiver.events is None or event.type in receiver.events:
                label = f"webhook {event.type} {event.id}"
                delivery = asyncio.ensure_future(_deliver(receiver, payload, label, at_once))
                deliveries.add(delivery)
                delivery.add_done_callback(deliveries.discard)

    resources.schedule_webhook = schedule_webhook


async def _deliver(receiver: Any, payload: bytes, label: str, at_once: asyncio.Semaphore) -> None:
    for attempt, pause_seconds in enumerate((*PAUSES_SECONDS, None), start=1):
        async with at_once:
            outcome = await _attempt(receiver, payload)
        log.info("%s to %s, attempt %d: %s", label, receiver.url, attempt, outcome)
        if outcome.startswith("2"):
            return
        if pause_seconds is not None:
            await asyncio.sleep(pause_seconds)
    log.info("%s to %s: given up", label, receiver.url)


async def _attempt(receiver: Any, payload: bytes) -> str:
    signed_at = int(time.time())
    signature = hmac.new(receiver.secret.encode(), b"%d.%s" % (signed_at, payload), hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Stripe-Signature": f"t={signed_at},v1={signature}",
    }
    timeout = aiohttp.ClientTimeout(total=ATTEMPT_SECONDS_MAX)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(receiver.url, data=payload, headers=headers) as response,
        ):
            return str(response.status)
    except (aiohttp.ClientError, TimeoutError) as error:
        return f"failed ({error!r})"
