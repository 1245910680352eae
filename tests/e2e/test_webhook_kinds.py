"""Events about saved cards, refunds and disputes: doubled, out of order or untrue, they change what Stripe shows."""

from datetime import timedelta
from functools import partial

import pytest

from local.drivers import Driver, intent_id_of
from tests.e2e.bank import Bank
from tests.e2e.cards import (
    DISPUTED,
    REFUND_PENDING,
    Phone,
    await_payment,
    open_deposit,
    paid_by_new_card,
    payment,
    remembered,
    saved_cards,
)
from tests.e2e.stays import act, await_status, balance, everything, reserve
from tests.e2e.test_webhook import deliver, event_of
from tests.e2e.world import Json, Spot, World, at_once, eventually, expect

HOUR = timedelta(hours=1)
TIMES = 6


def told_often(world: World, object_id: str, kind: str) -> None:
    """The same event many times at once, and once more."""
    event = event_of(object_id, kind)
    answers = at_once([partial(deliver, world, event)] * TIMES)
    assert {answer.status_code for answer in answers} == {200}
    expect(200, deliver(world, event))


def records(driver: Driver, payment_id: str) -> list[str]:
    found = [one for one in everything(driver, "/wallet/transactions") if one["payment_id"] == payment_id]
    return sorted(one["kind"] for one in found)


def test_a_saved_card_that_is_told_often_is_listed_once(world: World, poor: Driver, bank: Bank, phone: Phone) -> None:
    setup = expect(201, remembered(world, poor.post("/payment-methods/setup")))
    setup_id = intent_id_of(setup["client_secret"])
    expect(200, deliver(world, event_of(setup_id, "setup_intent.succeeded")))
    assert saved_cards(poor) == [], "an event came before the card, and its word was taken for it"
    with bank.silent():
        expect(200, phone.saves(setup["client_secret"]))
    told_often(world, setup_id, "setup_intent.succeeded")
    assert len(saved_cards(poor)) == 1


def test_a_refund_is_booked_when_stripe_shows_it_and_once(
    world: World, later_spot: Spot, poor: Driver, bank: Bank
) -> None:
    stay = reserve(poor, later_spot, begins_in=HOUR)
    paid = paid_by_new_card(world, poor, stay, REFUND_PENDING)
    await_status(poor, stay, "CONFIRMED")
    act(poor, stay, "cancellation")
    refund = bank.await_refund(paid["payment_id"])
    for kind in ("refund.failed", "refund.updated", "charge.refunded"):
        expect(200, deliver(world, event_of(refund["id"], kind)))
    assert payment(poor, paid["payment_id"])["status"] == "REFUND_PENDING"
    with bank.silent():
        bank.settle_refund(refund)
    told_often(world, refund["id"], "refund.updated")
    expect(200, deliver(world, event_of(refund["id"], "refund.created")))
    await_payment(poor, paid, "REFUNDED")
    assert records(poor, paid["payment_id"]) == ["CARD_PAYMENT", "CARD_REFUND", "REFUND"]
    assert balance(poor) == 0


@pytest.mark.parametrize("first", ["charge.dispute.created", "payment_intent.succeeded"])
def test_a_dispute_that_is_told_often_and_before_its_payment_is_booked_once(
    world: World, poor: Driver, bank: Bank, phone: Phone, first: str
) -> None:
    form = open_deposit(world, poor, 1500)
    with bank.silent():
        expect(200, phone.pays(form["client_secret"], DISPUTED))
        (dispute,) = bank.disputes_of(form["payment_id"])
    about = {"charge.dispute.created": dispute["id"], "payment_intent.succeeded": intent_id_of(form["client_secret"])}
    told_often(world, about[first], first)
    for kind, object_id in about.items():
        told_often(world, object_id, kind)
    eventually(lambda: payment(poor, form["payment_id"])["dispute"] == "OPEN", "the dispute to be known")
    assert records(poor, form["payment_id"]) == ["DEPOSIT", "DISPUTE"]
    with bank.silent():
        bank.close_dispute(dispute, won=True)
    told_often(world, dispute["id"], "charge.dispute.closed")
    told_often(world, dispute["id"], "charge.dispute.created")
    assert payment(poor, form["payment_id"])["dispute"] == "WON"
    assert records(poor, form["payment_id"]) == ["DEPOSIT", "DISPUTE", "DISPUTE_WON"]
    assert balance(poor) == 1500


@pytest.mark.parametrize(
    ("object_id", "kind"),
    [
        ("seti_unknown", "setup_intent.succeeded"),
        ("re_unknown", "refund.updated"),
        ("dp_unknown", "charge.dispute.created"),
    ],
)
def test_an_event_about_what_our_key_does_not_know_is_to_be_sent_again(world: World, object_id: str, kind: str) -> None:
    assert expect(503, deliver(world, event_of(object_id, kind)))["code"] == "payment_provider_unavailable"


def test_what_was_done_by_hand_at_stripe_is_taken_and_changes_nothing(world: World, poor: Driver, bank: Bank) -> None:
    charge = bank.charge_by_hand(777)
    world.made_by_hand.add(charge["id"])
    refund: Json = bank.post("/v1/refunds", payment_intent=charge["id"])
    world.made_by_hand.add(refund["id"])
    for object_id, kind in (
        (charge["id"], "payment_intent.succeeded"),
        (refund["id"], "refund.created"),
        (refund["id"], "refund.updated"),
    ):
        expect(200, deliver(world, event_of(object_id, kind)))
    assert everything(poor, "/payments") == []
