"""What functions measure and correlate, through their own doors: the lag of a push, refunds that wait, who asked."""

import json
from datetime import timedelta
from typing import Any

import pytest
from aws_lambda_powertools import Logger

from blockers import on_shadow_update
from notifications import push
from parking import stream, wiring
from parking.adapters.dynamodb.schema import shape_of
from parking.adapters.memory.push import MemoryPush
from parking.domain.notification import Notification
from parking.domain.payment import Refund
from parking.services import bookings
from parking.services.ports import CardError, CardRefund
from payments import api as payments_api
from payments import settle_due
from tests.builders import NOW, a_notification
from tests.lambda_context import CONTEXT
from tests.unit.till import Till
from tests.unit.world import ANNA, at

pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")

type Json = dict[str, Any]


@pytest.fixture(autouse=True)
def wired(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wiring, "store", lambda: till.store)
    monkeypatch.setattr(wiring, "cards", lambda: till.cards)
    monkeypatch.setattr(wiring, "push", MemoryPush)
    for module in (settle_due, push):
        monkeypatch.setattr(module.metrics.provider, "namespace", "UnitTests")  # in Lambda the environment says it
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "UnitTests")


def measured(output: str) -> Json:
    """All values of all metric lines, by name."""
    lines = [json.loads(line) for line in output.splitlines() if "_aws" in line]
    return {name: value for line in lines for name, value in line.items() if isinstance(value, list)}


def record(notification: Notification, number: int) -> Json:
    """What the notifications stream gives for a notice that was written at NOW."""
    image = shape_of(Notification).item(notification)
    change = {"NewImage": image, "SequenceNumber": str(number), "ApproximateCreationDateTime": NOW.timestamp()}
    return {"eventID": f"event-{number}", "eventName": "INSERT", "eventSource": "aws:dynamodb", "dynamodb": change}


def test_a_push_says_how_long_ago_its_notice_was_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(push, "invoked_at", lambda: NOW + timedelta(seconds=7))
    push.handler({"Records": [record(a_notification(), n) for n in range(2)]}, CONTEXT)
    assert measured(capsys.readouterr().out)["NotificationLag"] == [7.0, 7.0]


def test_every_record_of_a_stream_has_a_correlation_id_of_its_own_that_it_keeps_when_it_comes_again() -> None:
    logger, seen = Logger(), list[str | None]()
    event = {"Records": [record(a_notification(), n) for n in range(2)]}
    for _ in range(2):
        stream.run(event, lambda *_: seen.append(logger.get_correlation_id()))
    assert seen == ["event-0", "event-1", "event-0", "event-1"]


def test_a_report_is_correlated_by_the_command_that_it_answers() -> None:
    same = {"state": {"reported": {"command_id": "cmd_1"}}}
    on_shadow_update.handler({"blocker_id": "b", "current": same, "previous": same}, CONTEXT)
    assert on_shadow_update.logger.get_correlation_id() == "cmd_1"


def _refund_owed(till: Till) -> None:
    held = till.reserve(ANNA)
    till.completes(till.pay_by_card(held), 2)
    bookings.call_off(till.store, ANNA, held.reservation_id, at(5))


def _look(minute: int) -> None:
    settle_due.handler({"time": at(minute).isoformat(), "id": "tick"}, CONTEXT)


def test_a_refund_that_stripe_could_not_be_asked_for_waits_and_says_since_when(
    till: Till, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unreachable(*_: Refund) -> CardRefund:
        raise CardError("no answer")

    _refund_owed(till)
    monkeypatch.setattr(till.cards, "create_refund", unreachable)
    for minute, wait_seconds in ((10, 300.0), (15, 600.0)):
        _look(minute)
        seen = measured(capsys.readouterr().out)
        assert (seen["RefundsWaiting"], seen["RefundWait"]) == ([1.0], [wait_seconds])
        assert seen["StripeUnavailable"] == [1.0]


def test_a_refund_that_stripe_has_taken_on_does_not_wait(till: Till, capsys: pytest.CaptureFixture[str]) -> None:
    _refund_owed(till)
    _look(10)
    assert "RefundsWaiting" not in measured(capsys.readouterr().out)


def test_a_driver_who_was_told_to_try_again_because_of_stripe_is_counted(
    till: Till, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unreachable(*_: object) -> None:
        raise CardError("no answer")

    monkeypatch.setattr(till.cards, "create_customer", unreachable)
    claims = {"jwt": {"claims": {"sub": ANNA}, "scopes": []}}
    context = {"http": {"method": "POST", "path": "/payment-methods/setup"}, "requestId": "req-1", "stage": "$default"}
    event = {
        "version": "2.0",
        "rawPath": "/payment-methods/setup",
        "headers": {"idempotency-key": "setup"},
        "requestContext": context | {"authorizer": claims, "timeEpoch": int(NOW.timestamp() * 1000)},
    }
    assert payments_api.handler(event, CONTEXT)["statusCode"] == 503
    assert measured(capsys.readouterr().out)["StripeUnavailable"] == [1.0]
