"""The simulation's doors do what the functions do: the same event leaves the same world behind."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from accounts import erase

from blockers import check_health, on_presence, on_reservation_change, on_shadow_update, prepare_upcoming
from notifications import push as push_notifications
from parking import wiring
from parking.adapters.dynamodb.schema import shape_of
from parking.adapters.entry_codes import DerivedEntryCodes
from parking.adapters.memory.cards import MemoryCards
from parking.adapters.memory.iot import MemoryShadows, MemoryThings
from parking.adapters.memory.logins import MemoryLogins
from parking.adapters.memory.push import MemoryPush
from parking.adapters.memory.store import MemoryStore
from parking.domain.blocker import Connectivity, Position
from parking.domain.health import Watch
from parking.domain.ids import DeviceId
from parking.domain.notification import Notification, Platform
from parking.domain.payment import Method, Payment, PaymentStatus
from parking.domain.reservation import Reservation, ReservationStatus
from parking.services.ports import StoreUnavailable, WebhookEvent
from parking.services.watching import Change
from payments import settle_due, settle_refunds, stripe_webhook
from reservations import api as reservations_api
from reservations import auto_complete, check_expiring, expire_holds
from tests.builders import (
    NOW,
    a_blocker,
    a_calendar_day,
    a_notification,
    a_payment,
    a_push_device,
    a_report,
    a_spot,
    a_wallet,
)
from tests.lambda_context import CONTEXT
from tests.simulation import doors
from tests.unit.stays import ACTIVE, ARRIVING, CONFIRMED, EVERY_STATUS, HELD

MINUTE = timedelta(minutes=1)


class Twin:
    """A small world: one stay in a state, its spot, its blocker and its driver's phone."""

    def __init__(self, stay: Reservation) -> None:
        self.store = MemoryStore()
        self.shadows = MemoryShadows()
        self.cards = MemoryCards()
        self.push = MemoryPush()
        self.logins = MemoryLogins()
        self.alarms: list[Reservation | Change] = []
        codes = DerivedEntryCodes({"present": "master"})
        self.ports = doors.Ports(
            self.store, self.shadows, self.cards, self.push, MemoryThings(), codes, self.logins, self.alarms.append
        )
        report = a_report(position=Position.LOWERED, received_at=stay.starts_at - 20 * MINUTE)
        watch = Watch(due_at=stay.starts_at - 20 * MINUTE)
        blocker = a_blocker(
            blocker_id=stay.blocker_id, spot_id=stay.spot_id, report=report, shadow_version=0, watch=watch
        )
        spot = a_spot(spot_id=stay.spot_id, blocker_id=stay.blocker_id)
        claims = (stay.claim,) if stay.claim else ()
        day = a_calendar_day(spot_id=stay.spot_id, day=stay.starts_at.date(), claims=claims)
        phone = self.push.register("phone", Platform.FCM, "token")
        device = a_push_device(user_id=stay.user_id, device_id=DeviceId("phone"), token="token", endpoint=phone)
        payment = a_payment(user_id=stay.user_id, method=Method.CARD)
        self.payment = payment
        self.intent_id = self.cards.create_intent(payment).intent_id
        self.store.commit(spot, blocker, day, replace(stay, version=0), device, payment)

    @property
    def state(self) -> tuple[object, ...]:
        """Everything that an event can have changed."""
        erased = self.logins.deleted, self.cards.deleted_customers
        return self.store._items, self.shadows._shadows, self.cards._intents, self.push.published, erased

    def begin_as(self, other: "Twin") -> None:
        """Take over what the other world holds: the builders' ids are new each time."""
        self.store._items, self.store._due = deepcopy(other.store._items), deepcopy(other.store._due)
        self.cards._intents = dict(other.cards._intents)
        self.intent_id, self.payment = other.intent_id, other.payment

    def close_account(self) -> None:
        """The driver has left: the payment came to nothing, and the account is closed."""
        wallet = a_wallet(user_id=self.payment.user_id, closed_at=NOW, erase_due_at=NOW)
        ended = replace(self.payment, status=PaymentStatus.FAILED, version=1)
        self.store.commit(ended, wallet)

    def wire(self, patch: pytest.MonkeyPatch) -> None:
        """Let the functions find this world's adapters."""
        patch.setenv("POWERTOOLS_METRICS_NAMESPACE", "SmartParking")
        patch.setattr(wiring, "store", lambda: self.store)
        patch.setattr(wiring, "shadows", lambda: self.shadows)
        patch.setattr(wiring, "cards", lambda: self.cards)
        patch.setattr(wiring, "push", lambda: self.push)
        patch.setattr(wiring, "logins", lambda: self.logins)


def _both(
    patch: pytest.MonkeyPatch, stay: Reservation, function: Callable[[Twin], object], door: Callable[[Twin], object]
) -> None:
    """Assert that the function and the door leave the same behind."""
    by_function, by_door = Twin(stay), Twin(stay)
    by_door.begin_as(by_function)
    by_function.wire(patch)
    function(by_function)
    door(by_door)
    assert by_function.state == by_door.state


@pytest.mark.parametrize("status", ReservationStatus)
def test_a_reservations_record(monkeypatch: pytest.MonkeyPatch, status: ReservationStatus) -> None:
    stay = EVERY_STATUS[status]
    at = stay.starts_at - 5 * MINUTE
    image = shape_of(Reservation).item(stay)
    record = {"dynamodb": {"NewImage": image, "ApproximateCreationDateTime": at.timestamp()}, "eventID": "1"}
    _both(
        monkeypatch,
        stay,
        lambda _: on_reservation_change.handler({"Records": [record]}, CONTEXT),
        lambda twin: doors.reservation_changed(twin.ports, (None, stay), at),
    )


@pytest.mark.parametrize("wanted", [True, False])
def test_a_payments_record(monkeypatch: pytest.MonkeyPatch, wanted: bool) -> None:
    at = HELD.created_at + 5 * MINUTE

    def changed(twin: Twin) -> Payment:
        stored = twin.store.get(Payment, *twin.payment.key)
        assert stored is not None
        now = replace(stored, status=PaymentStatus.PENDING, intent_id=twin.intent_id)
        twin.store.commit(now if wanted else now.abandoned(at))
        current = twin.store.get(Payment, *twin.payment.key)
        assert current is not None
        return current

    def function(twin: Twin) -> object:
        image = shape_of(Payment).item(replace(changed(twin), version=1))
        record = {"dynamodb": {"NewImage": image, "ApproximateCreationDateTime": at.timestamp()}, "eventID": "1"}
        return settle_refunds.handler({"Records": [record]}, CONTEXT)

    _both(monkeypatch, HELD, function, lambda twin: doors.payment_changed(twin.ports, changed(twin), at))


@pytest.mark.parametrize("news", [True, False])
def test_a_shadows_document(monkeypatch: pytest.MonkeyPatch, news: bool) -> None:
    at = CONFIRMED.starts_at - 5 * MINUTE
    reported = {"position": "LOWERED", "occupancy": "VACANT", "battery_percent": 80}
    seconds = int(at.timestamp())
    current = {
        "version": 1,
        "state": {"reported": reported},
        "metadata": {"reported": {name: {"timestamp": seconds} for name in reported}},
    }
    before = current if not news else {**current, "metadata": {}}
    event = {
        "blocker_id": CONFIRMED.blocker_id,
        "received_at_ms": seconds * 1000,
        "current": current,
        "previous": before,
    }
    document = wiring.from_shadow_event(event)
    heard = doors.Heard(CONFIRMED.blocker_id, document, news)

    def function(twin: Twin) -> None:
        twin.shadows.report(CONFIRMED.blocker_id, reported, at)
        on_shadow_update.handler(event, CONTEXT)

    def door(twin: Twin) -> None:
        twin.shadows.report(CONFIRMED.blocker_id, reported, at)
        doors.shadow_updated(twin.ports, heard, at)

    _both(monkeypatch, CONFIRMED, function, door)


@pytest.mark.parametrize("connectivity", Connectivity)
def test_a_lifecycle_event(monkeypatch: pytest.MonkeyPatch, connectivity: Connectivity) -> None:
    at = CONFIRMED.starts_at - 5 * MINUTE
    event = {
        "clientId": CONFIRMED.blocker_id,
        "eventType": "connected" if connectivity is Connectivity.ONLINE else "disconnected",
        "timestamp": int(at.timestamp() * 1000),
        "versionNumber": 9,
        "principalIdentifier": "a-certificate",
    }
    presence = doors.Presence(CONFIRMED.blocker_id, connectivity, 9)
    _both(
        monkeypatch,
        CONFIRMED,
        lambda _: on_presence.handler(event, CONTEXT),
        lambda twin: doors.presence_changed(twin.ports, presence, at),
    )


def test_a_new_notice(monkeypatch: pytest.MonkeyPatch) -> None:
    notice = a_notification(user_id=HELD.user_id)
    image = shape_of(Notification).item(notice)
    record = {"dynamodb": {"NewImage": image, "ApproximateCreationDateTime": NOW.timestamp()}, "eventID": "1"}
    _both(
        monkeypatch,
        HELD,
        lambda _: push_notifications.handler({"Records": [record]}, CONTEXT),
        lambda twin: doors.notice_made(twin.ports, replace(notice, version=1), NOW),
    )


SCHEDULES = {
    "expire_holds": (expire_holds.handler, HELD, HELD.hold_expires_at),
    "check_expiring": (check_expiring.handler, ACTIVE, ACTIVE.ends_at - 30 * MINUTE),
    "auto_complete": (auto_complete.handler, CONFIRMED, CONFIRMED.ends_at),
    "prepare_upcoming": (prepare_upcoming.handler, CONFIRMED, CONFIRMED.starts_at - 15 * MINUTE),
    "settle_due": (settle_due.handler, HELD, NOW + 6 * MINUTE),
    "check_health": (check_health.handler, CONFIRMED, CONFIRMED.starts_at),
    "erase_accounts": (erase.handler, EVERY_STATUS[ReservationStatus.COMPLETED], NOW + MINUTE),
}


@pytest.mark.parametrize("closed", [False, True])
@pytest.mark.parametrize("schedule", doors.SWEEPS)
def test_a_tick(monkeypatch: pytest.MonkeyPatch, schedule: str, closed: bool) -> None:
    handler, stay, at = SCHEDULES[schedule]

    def function(twin: Twin) -> None:
        if closed:
            twin.close_account()
        handler({"time": at.isoformat()}, CONTEXT)

    def door(twin: Twin) -> None:
        if closed:
            twin.close_account()
        doors.tick(twin.ports, schedule, at)

    _both(monkeypatch, stay, function, door)


def test_a_webhook(monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime(2026, 12, 1, 9, 5, tzinfo=UTC)

    class Trusting:
        def __init__(self, intent_id: str) -> None:
            self._intent_id = intent_id

        def verify(self, *_: object) -> WebhookEvent:
            return WebhookEvent("evt_1", "payment_intent.succeeded", self._intent_id)

    def function(twin: Twin) -> object:
        twin.cards.pay(twin.intent_id)
        monkeypatch.setattr(wiring, "webhook_verifier", lambda: Trusting(twin.intent_id))
        event = _request("POST /stripe/webhook", now, body="{}")
        event["headers"]["stripe-signature"] = "signature"
        return stripe_webhook.handler(event, CONTEXT)

    def door(twin: Twin) -> None:
        twin.cards.pay(twin.intent_id)
        doors.webhook(twin.ports, ("payment_intent.succeeded", twin.intent_id), now)

    _both(monkeypatch, HELD, function, door)


@pytest.mark.parametrize("unavailable", [False, True])
def test_an_arrival(monkeypatch: pytest.MonkeyPatch, unavailable: bool) -> None:
    now = ARRIVING.starts_at

    def cut(twin: Twin) -> None:
        if unavailable:
            monkeypatch.setattr(twin.shadows, "desire", _raise)

    def function(twin: Twin) -> object:
        cut(twin)
        path = f"/reservations/{CONFIRMED.reservation_id}/arrival"
        return reservations_api.handler(_request(f"POST {path}", now, user_id=CONFIRMED.user_id), CONTEXT)

    def door(twin: Twin) -> None:
        cut(twin)
        doors.arrival(twin.ports, CONFIRMED.user_id, CONFIRMED.reservation_id, now)

    _both(monkeypatch, CONFIRMED, function, door)


def _raise(*_: object) -> None:
    raise StoreUnavailable("now")


def _request(route: str, now: datetime, *, user_id: str = "", body: str | None = None) -> dict[str, Any]:
    method, path = route.split()
    return {
        "version": "2.0",
        "routeKey": route,
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json"},
        "requestContext": {
            "requestId": "request",
            "stage": "$default",
            "timeEpoch": int(now.timestamp() * 1000),
            "http": {"method": method, "path": path},
            "authorizer": {"jwt": {"claims": {"sub": user_id}}},
        },
        "body": body,
        "isBase64Encoded": False,
    }
