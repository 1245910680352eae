"""Card numbers, secrets and what names a person, sent wherever they can be sent: no log and no table has any of them.

Metrics are log lines (CloudWatch's embedded metric format), so the logs hold them too.
"""

import json
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from urllib.parse import quote

import httpx
import pytest

from local.drivers import PUBLISHABLE_KEY, Driver, intent_id_of
from tests.e2e.cards import open_form
from tests.e2e.malformed import UNKNOWN_ID, Request, wellformed
from tests.e2e.openapi import Operation, operations
from tests.e2e.stays import reserve
from tests.e2e.test_webhook import deliver, event_of
from tests.e2e.world import Json, Spot, World, eventually, expect

HOUR = timedelta(hours=1)
OWN = uuid.uuid4().hex[:12]
PLATE = f"LEAK {OWN[:8]}".upper()
CARD = "5555555555554444"
MARKS = {
    "card number": CARD,
    "card number with spaces": "5105 1051 0510 5100",
    "client secret": f"pi_3{OWN}_secret_{OWN}",
    "API key": f"sk_live_{OWN}",
    "signing secret": f"whsec_{OWN}",
    "e-mail": f"leaky.{OWN}@example.org",
    "plate": PLATE,
    "name": f"Leonora Leakington {OWN}",
}
PAYLOADS = (" ".join(MARKS.values()), CARD, MARKS["client secret"])
"""All of them in one, and two that pass for an id or a key, and so come further."""
ALONE = tuple(MARKS[what] for what in ("API key", "e-mail", "name"))
"""Each by itself goes where a request takes something, because all of them in one are too long to be taken."""
BELONGS = {("ReservationsTable", "plate")}
"""Where a mark may be: a driver's plate in the reservation."""


def good_request(operation: Operation) -> Request:
    good = wellformed(operation)
    return replace(good, headers=good.headers | {"idempotency-key": uuid.uuid4().hex})


def inputs_with(operation: Operation, mark: str) -> Iterator[Request]:
    """The mark in each parameter and field of a request that is otherwise right."""
    good = good_request(operation)
    for parameter in operation.in_place("path"):
        yield replace(good, path=operation.path.replace(f"{{{parameter.name}}}", quote(mark, safe="")))
    for parameter in operation.in_place("query"):
        others = tuple(one for one in good.query if one[0] != parameter.name)
        yield replace(good, query=(*others, (parameter.name, mark)))
    whole: Json = json.loads(good.body or b"{}")
    for field in operation.fields:
        yield replace(good, body=json.dumps(whole | {field.name: mark}).encode())


def beside_with(operation: Operation, mark: str) -> Iterator[Request]:
    """The mark where nothing is asked for, and in headers and bodies as they should not be."""
    good = good_request(operation)
    yield replace(good, query=(*good.query, ("surprise", mark), (mark, "1")))
    yield replace(good, headers=good.headers | {"idempotency-key": mark})
    yield replace(good, headers=good.headers | dict.fromkeys(("user-agent", "referer", "x-surprise"), mark))
    yield replace(good, headers=good.headers | {"stripe-signature": mark, "accept": mark})
    if operation.fields:
        whole: Json = json.loads(good.body or b"{}")
        yield replace(good, body=json.dumps(whole | {"surprise": mark, mark: {"deep": [mark]}}).encode())
        yield replace(good, body=mark.encode())
        yield replace(good, body=f'{{"{mark}": '.encode())


def send(world: World, sender: Driver, request: Request) -> int:
    headers = {"authorization": f"Bearer {sender.access_token}", "content-type": "application/json"} | request.headers
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    url = world.stack.api_url + request.url
    return httpx.request(request.method, url, headers=raw, content=request.body, timeout=60).status_code


@pytest.fixture(scope="module")
def sent(world: World) -> World:
    """Everything was sent everywhere, and has worked its way through streams and webhooks."""
    sender = world.driver(1000)
    requests = [
        *(one for operation in operations() for mark in (*PAYLOADS, *ALONE) for one in inputs_with(operation, mark)),
        *(one for operation in operations() for mark in PAYLOADS for one in beside_with(operation, mark)),
    ]
    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(lambda request: send(world, sender, request), requests))
    assert max(statuses) < httpx.codes.INTERNAL_SERVER_ERROR
    assert min(statuses) < httpx.codes.MULTIPLE_CHOICES, "nothing was taken: this proves nothing"
    for phone in (
        UNKNOWN_ID,
        *PAYLOADS[1:],
        *ALONE,
    ):  # what a driver calls a phone is kept as it is, until it is removed
        sender.request("DELETE", f"/push-devices/{quote(phone, safe='')}")
    stay = booked_with_plate(world, sender)
    pays_with_the_card(world, sender, stay)
    told_by_stripe(world)
    return world


def booked_with_plate(world: World, sender: Driver) -> Json:
    """The one place where a mark belongs."""
    spot: Spot = world.spot_without_machine()
    stay = reserve(sender, spot, begins_in=HOUR)
    expect(200, sender.post(f"/reservations/{stay['reservation_id']}/cancellation"))
    wish = {"spot_id": spot.spot_id, "starts_at": stay["starts_at"], "ends_at": stay["ends_at"], "vehicle_plate": PLATE}
    return expect(201, sender.post("/reservations", wish))


def pays_with_the_card(world: World, sender: Driver, stay: Json) -> None:
    """The marked card, typed into the PaymentSheet with its owner's name and address, first declined, then paid."""
    form = open_form(world, sender, stay)
    url = f"{world.stack.stripe_api_base}/v1/payment_intents/{intent_id_of(form['client_secret'])}/confirm"
    for number, status in (("4000000000000002", 402), (CARD, 200)):
        card = {"number": number, "exp_month": "12", "exp_year": "2030", "cvc": "737"}
        data = {f"payment_method_data[card][{name}]": value for name, value in card.items()}
        data |= {f"payment_method_data[billing_details][{name}]": MARKS[mark] for name, mark in BILLING.items()}
        data |= {"payment_method_data[type]": "card", "client_secret": form["client_secret"]}
        expect(status, httpx.post(url, data=data, headers={"Authorization": f"Bearer {PUBLISHABLE_KEY}"}))
    path = f"/payments/{form['payment_id']}"
    eventually(lambda: expect(200, sender.get(path))["status"] == "SUCCEEDED", "the marked card to have paid")


BILLING = {"name": "name", "email": "e-mail"}


def told_by_stripe(world: World) -> None:
    """Events that Stripe has signed, with the marks wherever Stripe could put them."""
    for mark in PAYLOADS:
        for event in (
            event_of("pi_unknown") | {"data": {"object": {"id": mark, "description": mark, "receipt_email": mark}}},
            event_of("pi_unknown") | {"id": mark, "account": mark},
            {mark: mark},
        ):
            assert deliver(world, event).status_code < httpx.codes.GATEWAY_TIMEOUT
        deliver(world, event_of("pi_unknown"), signed=mark)


def test_no_log_and_no_metric_tells_what_was_sent(sent: World) -> None:
    logs = {group: "\n".join(lines) for group, lines in sent.logs().items()}
    assert any('"_aws"' in text for text in logs.values()), "no metric was written: this proves nothing"
    found = [(group, what) for group, text in logs.items() for what, mark in MARKS.items() if mark in text]
    assert found == []


def test_no_table_keeps_what_was_sent_but_for_the_plate(sent: World) -> None:
    found = {
        (table, what) for table, text in sent.tables_as_text().items() for what, mark in MARKS.items() if mark in text
    }
    assert found == BELONGS
