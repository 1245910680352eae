"""Refunds and disputes on our Stripe emulator."""

from collections.abc import Iterator
from typing import Any

import pytest
import stripe

from tests.local.stripe_servers import Emulator, eventually, serving


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with serving(tmp_path_factory.mktemp("stripe"), plain=False) as running:
        yield running


def refund(emulator: Emulator, intent: stripe.PaymentIntent, amount: int) -> stripe.Refund:
    return emulator.sdk.v1.refunds.create(
        {"payment_intent": intent.id, "amount": amount, "metadata": {"refund_id": "re_ours"}}
    )


def refusal_of(emulator: Emulator, intent: stripe.PaymentIntent, amount: int) -> str | None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        refund(emulator, intent, amount)
    return caught.value.code


def settled(emulator: Emulator, made: stripe.Refund) -> stripe.Refund:
    emulator.as_server(f"/v1/refunds/{made.id}/_settle").raise_for_status()
    return emulator.sdk.v1.refunds.retrieve(made.id)


def charge_of(emulator: Emulator, intent: stripe.PaymentIntent) -> stripe.Charge:
    assert isinstance(intent.latest_charge, str)
    return emulator.sdk.v1.charges.retrieve(intent.latest_charge)


def disputed(emulator: Emulator) -> tuple[stripe.PaymentIntent, stripe.Dispute]:
    intent = emulator.deposit("pm_card_createDispute")
    found = [
        dispute for dispute in emulator.sdk.v1.disputes.list().auto_paging_iter() if dispute.payment_intent == intent.id
    ]
    assert len(found) == 1
    return intent, found[0]


def closed(emulator: Emulator, dispute: stripe.Dispute, won: str) -> dict[str, Any]:
    answer: dict[str, Any] = emulator.as_server(f"/v1/disputes/{dispute.id}/_close", won=won).raise_for_status().json()
    return answer


def test_a_refund_has_succeeded_at_once_and_knows_where_it_belongs(emulator: Emulator) -> None:
    intent = emulator.deposit()
    made = refund(emulator, intent, 2000)
    found = emulator.sdk.v1.refunds.retrieve(made.id)
    assert (found.status, found.amount, found.payment_intent) == ("succeeded", 2000, intent.id)
    assert found.metadata is not None
    assert found.metadata["refund_id"] == "re_ours"
    assert charge_of(emulator, intent).amount_refunded == 2000
    assert eventually(lambda: "charge.refunded" in emulator.receiver.types(charge_of(emulator, intent).id))


def test_a_refund_by_charge_is_listed_under_its_payment_intent(emulator: Emulator) -> None:
    intent = emulator.deposit()
    made = emulator.sdk.v1.refunds.create({"charge": charge_of(emulator, intent).id, "amount": 1000})
    assert [found.id for found in emulator.sdk.v1.refunds.list({"payment_intent": intent.id})] == [made.id]


def test_what_was_not_paid_cannot_be_refunded(emulator: Emulator) -> None:
    intent = emulator.sdk.v1.payment_intents.create({"amount": 5000, "currency": "eur"})
    with pytest.raises(stripe.InvalidRequestError, match="does not have a successful charge"):
        refund(emulator, intent, 5000)


def test_a_refund_can_be_pending_and_succeed_later(emulator: Emulator) -> None:
    intent = emulator.deposit("pm_card_pendingRefund")
    made = refund(emulator, intent, 3000)
    assert made.status == "pending"
    assert refusal_of(emulator, intent, 2001) == "amount_too_large"
    assert eventually(lambda: emulator.receiver.types(made.id) == ["refund.created"])
    assert settled(emulator, made).status == "succeeded"
    assert eventually(lambda: sorted(emulator.receiver.types(made.id)) == ["refund.created", "refund.updated"])
    assert charge_of(emulator, intent).amount_refunded == 3000


def test_a_refund_that_succeeded_can_fail_later_and_its_money_is_there_again(emulator: Emulator) -> None:
    intent = emulator.deposit("pm_card_refundFail")
    made = refund(emulator, intent, 5000)
    assert made.status == "succeeded"
    assert refusal_of(emulator, intent, 1) == "charge_already_refunded"
    failed = settled(emulator, made)
    assert (failed.status, failed.failure_reason) == ("failed", "expired_or_canceled_card")
    assert eventually(lambda: "refund.failed" in emulator.receiver.types(made.id))
    assert charge_of(emulator, intent).amount_refunded == 0
    assert refund(emulator, intent, 5000).status == "succeeded"


def test_a_refund_settles_once(emulator: Emulator) -> None:
    made = refund(emulator, emulator.deposit("pm_card_refundFail"), 5000)
    settled(emulator, made)
    assert emulator.as_server(f"/v1/refunds/{made.id}/_settle").status_code == 400


def test_a_disputed_payment_has_a_dispute_at_once_and_says_so(emulator: Emulator) -> None:
    intent, dispute = disputed(emulator)
    assert intent.status == "succeeded"
    found = emulator.sdk.v1.disputes.retrieve(dispute.id)
    assert (found.status, found.amount, found.reason) == ("needs_response", 5000, "fraudulent")
    assert (found.payment_intent, found.charge) == (intent.id, intent.latest_charge)
    assert charge_of(emulator, intent).disputed
    told = ["charge.dispute.created", "charge.dispute.funds_withdrawn"]
    assert eventually(lambda: sorted(emulator.receiver.types(dispute.id)) == told)


def test_a_disputed_charge_cannot_be_refunded(emulator: Emulator) -> None:
    intent, dispute = disputed(emulator)
    assert refusal_of(emulator, intent, 5000) == "charge_disputed"
    closed(emulator, dispute, "false")
    assert refusal_of(emulator, intent, 5000) == "charge_disputed"


def test_a_dispute_that_was_won_gives_the_money_back(emulator: Emulator) -> None:
    intent, dispute = disputed(emulator)
    assert closed(emulator, dispute, "true")["status"] == "won"
    told = {"charge.dispute.funds_reinstated", "charge.dispute.closed"}
    assert eventually(lambda: told <= set(emulator.receiver.types(dispute.id)))
    assert refund(emulator, intent, 5000).status == "succeeded"


def test_a_dispute_that_was_lost_is_closed_once(emulator: Emulator) -> None:
    _, dispute = disputed(emulator)
    assert closed(emulator, dispute, "false")["status"] == "lost"
    assert eventually(lambda: "charge.dispute.closed" in emulator.receiver.types(dispute.id))
    assert "charge.dispute.funds_reinstated" not in emulator.receiver.types(dispute.id)
    assert emulator.as_server(f"/v1/disputes/{dispute.id}/_close", won="true").status_code == 400
