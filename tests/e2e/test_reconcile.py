"""What the nightly comparison with Stripe finds: nothing, what was never committed, and what is not ours."""

from datetime import timedelta

import pytest

from local.drivers import Driver
from tests.e2e.bank import Bank
from tests.e2e.cards import Phone, await_payment, open_form, paid_by_new_card, payment
from tests.e2e.stays import act, await_status, now, read, reserve
from tests.e2e.world import Json, Spot, World, expect, utc

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def reconciled(world: World) -> Json:
    """The report of the last minutes. Stripe counts seconds, so the one that has begun belongs to it."""
    return world.reconcile(now() - HOUR, now() + MINUTE)


def ids(report: Json) -> dict[str, str]:
    """The differences, by the id of Stripe's object."""
    return {one["stripe_id"]: one["kind"] for one in report["first_differences"]}


def test_a_charge_that_nobody_was_told_of_is_settled(
    world: World, later_spot: Spot, poor: Driver, bank: Bank, phone: Phone
) -> None:
    stay = reserve(poor, later_spot, begins_in=HOUR)
    form = open_form(world, poor, stay)
    with bank.silent():
        expect(200, phone.pays(form["client_secret"]))
    assert payment(poor, form["payment_id"])["status"] == "REQUIRES_ACTION"
    report = reconciled(world)
    assert report["settled"] >= 1
    assert bank.intent(form["client_secret"])["id"] not in ids(report)
    await_payment(poor, form, "SUCCEEDED")
    await_status(poor, stay, "CONFIRMED")


def test_a_payment_that_was_created_and_never_confirmed_is_given_up_by_the_schedule(
    world: World, later_spot: Spot, poor: Driver, bank: Bank
) -> None:
    form = expect(201, poor.post("/wallet/deposits", {"amount": 500}))
    world.secrets_seen.add(form["client_secret"])
    world.tick("PaymentsSettleDue", now() + HOUR - MINUTE)
    assert payment(poor, form["payment_id"])["status"] == "REQUIRES_ACTION"
    world.tick("PaymentsSettleDue", now() + 2 * HOUR)
    await_payment(poor, form, "CANCELLED")
    assert bank.intent(form["client_secret"])["status"] == "canceled"


def test_a_charge_made_by_hand_is_reported_as_not_ours(world: World, bank: Bank) -> None:
    before = reconciled(world)
    charge = bank.charge_by_hand(777)
    world.made_by_hand.add(charge["id"])
    after = reconciled(world)
    assert charge["id"] not in ids(before)
    assert ids(after)[charge["id"]] == "NOT_OURS"
    assert after["difference_amount"] == before["difference_amount"] + 777
    assert after["differences"] == before["differences"] + 1


def test_a_refund_made_by_hand_is_reported_and_ours_is_refused_and_stays_owed(
    world: World, later_spot: Spot, poor: Driver, bank: Bank
) -> None:
    stay = reserve(poor, later_spot, begins_in=HOUR)
    paid = paid_by_new_card(world, poor, stay)
    await_status(poor, stay, "CONFIRMED")
    (intent,) = bank.intents_of(paid["payment_id"])
    by_hand = bank.post("/v1/refunds", payment_intent=intent["id"])
    world.made_by_hand.add(by_hand["id"])
    act(poor, stay, "cancellation")
    world.tick("PaymentsSettleDue", now() + 10 * MINUTE)
    assert payment(poor, paid["payment_id"])["status"] == "REFUND_PENDING"
    assert any('"RefundsRefused"' in line for line in world.log("PaymentsSettleDue"))
    assert ids(reconciled(world))[by_hand["id"]] == "NOT_OURS"
    assert len(bank.refunds_of(paid["payment_id"])) == 1
    assert read(poor, stay)["status"] == "CANCELLED"


@pytest.mark.parametrize(
    ("since", "until"),
    [
        pytest.param("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z", id="backwards"),
        pytest.param("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", id="empty"),
        pytest.param("2026-01-01T00:00:00Z", "2026-01-09T00:00:00Z", id="too long"),
        pytest.param("2026-01-01T00:00:00Z", None, id="without its end"),
    ],
)
def test_a_period_that_is_none_is_refused(world: World, since: str, until: str | None) -> None:
    event = {"time": utc(now()), "since": since} | ({"until": until} if until else {})
    answer, failed = world.invoke("PaymentsReconcile", event)
    assert failed
    assert "since" in answer["errorMessage"] or "until" in answer["errorMessage"]


def test_a_scheduled_event_compares_the_day_before(world: World) -> None:
    answer, failed = world.invoke("PaymentsReconcile", {"time": "2026-01-02T02:15:00Z"})
    assert not failed
    assert (answer["since"], answer["until"]) == ("2026-01-01T00:00:00+00:00", "2026-01-02T00:00:00+00:00")
    assert (answer["charges"], answer["differences"]) == (0, 0)
