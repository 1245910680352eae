"""The same events through the real Lambda handlers: what API Gateway, the streams, IoT and EventBridge would send."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from types import ModuleType
from typing import Any

from accounts import api as accounts_api
from accounts import erase
from accounts.schemas import ClosedOut

from blockers import check_health, on_presence, on_reservation_change, on_shadow_update, prepare_upcoming
from notifications import push as push_notifications
from parking import wiring
from parking.adapters.dynamodb.schema import shape_of
from parking.domain.blocker import Connectivity, Report
from parking.domain.errors import CardDeclined, InvalidField, ParkingError
from parking.domain.notification import Notification
from parking.domain.payment import Payment
from parking.domain.reservation import Reservation
from parking.schedule import SweepFailed
from parking.services.ports import Busy, CardError, WebhookEvent
from payments import api as payments_api
from payments import settle_due, settle_refunds, stripe_webhook
from payments.schemas import PaymentMethodsOut, PaymentOut, SetupOut, StartedPaymentOut
from reservations import api as reservations_api
from reservations import auto_complete, check_expiring, expire_holds
from reservations.schemas import AlternativesOut, ExtensionOptionOut, ExtensionOut, OfflineCodeOut, ReservationOut
from tests.lambda_context import CONTEXT
from tests.simulation import doors
from tests.simulation.api_calls import ApiCall
from tests.simulation.faults import Outage
from tests.simulation.stripe import STORED_500

SCHEDULES: dict[str, Callable[[dict[str, Any], Any], object]] = {
    "expire_holds": expire_holds.handler,
    "check_expiring": check_expiring.handler,
    "auto_complete": auto_complete.handler,
    "prepare_upcoming": prepare_upcoming.handler,
    "settle_due": settle_due.handler,
    "check_health": check_health.handler,
    "erase_accounts": erase.handler,
}
REFUSALS: dict[str, type[ParkingError]] = {}


def _learn_refusals(kind: type[ParkingError]) -> None:
    for refusal in kind.__subclasses__():
        if hasattr(refusal, "code"):
            REFUSALS[refusal.code] = refusal
        _learn_refusals(refusal)


_learn_refusals(ParkingError)


def wire(ports: doors.Ports) -> None:
    """Let the functions find these adapters."""
    wiring.in_parallel = lambda: map  # a run that threads decide could not be played again
    adapters = {
        "store": ports.store,
        "shadows": ports.shadows,
        "cards": ports.cards,
        "push": ports.push,
        "entry_codes": ports.codes,
        "logins": ports.logins,
    }
    for name, adapter in adapters.items():
        setattr(wiring, name, lambda adapter=adapter: adapter)
    for module, tell in _TELLS:
        vars(module)["_tell"] = partial(_told, tell, ports.tell)


_TELLS: tuple[tuple[ModuleType, Callable[[Any], None]], ...] = (
    (prepare_upcoming, prepare_upcoming._tell),
    (check_health, check_health._tell),
)


def _told(tell: Callable[[Any], None], also: Callable[[Any], None], fact: Any) -> None:
    """What a function says in its log and metrics is heard in the simulation as well."""
    tell(fact)
    also(fact)


def answer(call: ApiCall, now: datetime) -> Any:
    """Ask the API function; its answer as the schema has it. Raises the refusal that its problem document names."""
    method, path, body, handler, model = _http(call)
    event = _request(f"{method} {path}", now, _claims(call), call.key, body)
    response = handler(event, CONTEXT)
    if model is None and response["statusCode"] < 300:
        return None
    document = json.loads(response["body"])
    if response["statusCode"] < 300:
        return model.model_validate(document)
    code = document["code"]
    if code == "busy":
        raise Busy(document["detail"])
    if code == "internal_error":
        raise Outage(document["detail"])
    if code == "payment_provider_unavailable":
        raise CardError(f"{document['detail']} Perhaps the {STORED_500}.")
    if code == "card_declined":
        raise CardDeclined(document["detail"], decline_code=document["decline_code"])
    if code == InvalidField.code:
        raise InvalidField(document["errors"][0]["field"], document["errors"][0]["reason"])
    raise REFUSALS[code](document["detail"])


def _claims(call: ApiCall) -> dict[str, str]:
    """What the access token says, as far as it is looked at."""
    match call.name, call.body:
        case "close account", (logged_in_at,):
            return {"sub": call.user_id, "auth_time": str(int(logged_in_at.timestamp()))}
        case _:
            return {"sub": call.user_id}


def _http(call: ApiCall) -> tuple[str, str, dict[str, Any] | None, Any, Any]:
    """Method, path, body, the function and the schema of its answer."""
    stays = "/reservations"
    match call.name, call.body:
        case "reserve", (spot_id, starts_at, ends_at, quoted):
            body = {"spot_id": spot_id, "starts_at": _spoken(starts_at), "ends_at": _spoken(ends_at)}
            return "POST", stays, body | {"quoted_amount": quoted}, reservations_api.handler, ReservationOut
        case "pay", (reservation_id, extension_id):
            body = {"reservation_id": reservation_id, "extension_id": extension_id, "method": "WALLET"}
            return "POST", "/payments", body, payments_api.handler, StartedPaymentOut
        case "extend", (reservation_id, ends_at):
            path = f"{stays}/{reservation_id}/extensions"
            return "POST", path, {"ends_at": _spoken(ends_at)}, reservations_api.handler, ExtensionOut
        case "pay by card" | "deposit" | "withdraw" | "save card" | "remove card" | "prefer card", _:
            return _card_http(call)
        case "close account", _:
            return "DELETE", "/account", None, accounts_api.handler, ClosedOut
        case name, (reservation_id, *rest):
            method, route, model = _OF_A_STAY[name]
            choice = {"spot_id": rest[0]} if rest else None
            return method, f"{stays}/{reservation_id}/{route}", choice, reservations_api.handler, model
    raise AssertionError(f"no route for {call}")


_OF_A_STAY: dict[str, tuple[str, str, Any]] = {
    "arrive": ("POST", "arrival", ReservationOut),
    "depart": ("POST", "departure", ReservationOut),
    "cancel": ("POST", "cancellation", ReservationOut),
    "extension option": ("GET", "extension", ExtensionOptionOut),
    "offline code": ("GET", "offline-code", OfflineCodeOut),
    "alternatives": ("GET", "alternatives", AlternativesOut),
    "move": ("POST", "move", ReservationOut),
}
"""Method, end of the path and answer of what is asked of one stay; a second word is a spot's id."""


def _card_http(call: ApiCall) -> tuple[str, str, dict[str, Any] | None, Any, Any]:
    """The same of what is asked about cards and the wallet."""
    handler = payments_api.handler
    match call.name, call.body:
        case "pay by card", (reservation_id, extension_id, payment_method_id):
            body = {"reservation_id": reservation_id, "extension_id": extension_id, "method": "CARD"}
            return "POST", "/payments", body | {"payment_method_id": payment_method_id}, handler, StartedPaymentOut
        case "deposit", (amount_minor, payment_method_id):
            body = {"amount": amount_minor, "payment_method_id": payment_method_id}
            return "POST", "/wallet/deposits", body, handler, StartedPaymentOut
        case "withdraw", (amount_minor,):
            return "POST", "/wallet/withdrawals", {"amount": amount_minor}, handler, PaymentOut
        case "remove card", (payment_method_id,):
            return "DELETE", f"/payment-methods/{payment_method_id}", None, handler, None
        case "prefer card", (payment_method_id,):
            return "PUT", f"/payment-methods/{payment_method_id}/default", None, handler, PaymentMethodsOut
        case _:
            return "POST", "/payment-methods/setup", None, handler, SetupOut


def _spoken(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None


def _request(
    route: str, now: datetime, claims: dict[str, str], key: str, body: dict[str, Any] | None
) -> dict[str, Any]:
    method, path = route.split()
    headers = {"content-type": "application/json", **({"idempotency-key": key} if key else {})}
    return {
        "version": "2.0",
        "routeKey": route,
        "rawPath": path,
        "rawQueryString": "",
        "headers": headers,
        "requestContext": {
            "requestId": "request",
            "stage": "$default",
            "timeEpoch": int(now.timestamp() * 1000),
            "http": {"method": method, "path": path},
            "authorizer": {"jwt": {"claims": claims}},
        },
        "body": json.dumps(body) if body is not None else None,
        "isBase64Encoded": False,
    }


def handle(kind: str, payload: Any, at: datetime) -> None:
    """Invoke the function of an event. Raises Outage where the function reports a failure."""
    match kind:
        case "reservation changed":
            before, after = payload
            _stream(on_reservation_change.handler, Reservation, after, at, before)
        case "payment changed":
            _stream(settle_refunds.handler, Payment, payload, at)
        case "notice made":
            _stream(push_notifications.handler, Notification, payload, at)
        case "shadow updated":
            on_shadow_update.handler(_documents(payload, at), CONTEXT)
        case "presence":
            on_presence.handler(_lifecycle(payload, at), CONTEXT)
        case "webhook":
            _webhook(payload, at)
        case _:
            try:
                SCHEDULES[payload]({"time": at.isoformat()}, CONTEXT)
            except SweepFailed as failed:
                raise Outage(str(failed)) from failed


def _stream(handler: Callable[[Any, Any], Any], kind: type[Any], item: Any, at: datetime, before: Any = None) -> None:
    images = {"NewImage": _image(kind, item)} | ({"OldImage": _image(kind, before)} if before else {})
    record = {"dynamodb": {**images, "ApproximateCreationDateTime": at.timestamp()}, "eventID": "1"}
    try:
        answered = handler({"Records": [record]}, CONTEXT)
    except Exception as failed:  # Powertools raises when a whole batch has failed
        raise Outage(str(failed)) from failed
    if answered["batchItemFailures"]:
        raise Outage("the record failed")


def _image(kind: type[Any], item: Any) -> dict[str, Any]:
    return shape_of(kind).item(replace(item, version=item.version - 1))  # which writes the next version


def _documents(heard: doors.Heard, at: datetime) -> dict[str, Any]:
    report = heard.document.report
    reported = _reported(report) if report else {}
    seconds = int(report.received_at.timestamp()) if report else 0
    current = {
        "version": heard.document.version,
        "state": {"reported": reported, "desired": {"command_id": heard.document.desired_command_id}},
        "metadata": {"reported": {name: {"timestamp": seconds} for name in reported}},
    }
    previous = {} if heard.news else current
    received_at_ms = int(at.timestamp() * 1000)
    return {
        "blocker_id": heard.blocker_id, "received_at_ms": received_at_ms, "current": current, "previous": previous
    }  # fmt: skip


def _reported(report: Report) -> dict[str, Any]:
    """The section that reads as this report; a shadow holds no nulls."""
    section = {
        "position": report.position,
        "occupancy": report.occupancy,
        "command_id": report.command_id,
        "result": report.result,
        "reason": report.reason,
        "battery_percent": report.battery_percent,
        "tamper": report.tamper,
        "manual_override": report.manual_override,
        "firmware": report.firmware,
        "at": report.at.isoformat() if report.at else None,
    }
    return {name: value for name, value in section.items() if value is not None}


def _lifecycle(presence: doors.Presence, at: datetime) -> dict[str, Any]:
    connected = presence.connectivity is Connectivity.ONLINE
    return {
        "clientId": presence.blocker_id,
        "eventType": "connected" if connected else "disconnected",
        "timestamp": int(at.timestamp() * 1000),
        "versionNumber": presence.version,
        "principalIdentifier": "a-certificate",
    }


class _Trusting:
    """The signature check has a test of its own (tests/contract)."""

    def __init__(self, event: tuple[str, str]) -> None:
        self._event = event

    def verify(self, *_: object) -> WebhookEvent:
        """See WebhookVerifier."""
        return WebhookEvent("evt_1", *self._event)


def _webhook(told: tuple[str, str], now: datetime) -> None:
    wiring.webhook_verifier = lambda: _Trusting(told)  # type: ignore[assignment]  # not cached, as the real one is
    event = _request("POST /stripe/webhook", now, {}, "", {})
    event["headers"]["stripe-signature"] = "signature"
    if stripe_webhook.handler(event, CONTEXT)["statusCode"] != 200:
        raise Outage("the webhook was not taken")
