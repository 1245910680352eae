"""Lists on our Stripe emulator: newest first, by creation time, in pages that hold still."""

import time
from collections.abc import Iterator

import pytest
import stripe

from tests.local.stripe_servers import Emulator, eventually, serving


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with serving(tmp_path_factory.mktemp("stripe"), plain=False) as running:
        yield running


def intents(emulator: Emulator, count: int) -> list[str]:
    """The ids of new PaymentIntents, newest first."""
    create = emulator.sdk.v1.payment_intents.create
    return [create({"amount": 100, "currency": "eur"}).id for _ in range(count)][::-1]


def paged(emulator: Emulator, limit: int) -> list[str]:
    """Every PaymentIntent's id, read in pages of this size."""
    pages = emulator.sdk.v1.payment_intents.list({"limit": limit})
    return [intent.id for intent in pages.auto_paging_iter()]


def test_what_was_made_within_one_second_is_listed_newest_first_in_stable_pages(emulator: Emulator) -> None:
    made = intents(emulator, 7)
    assert paged(emulator, 3)[:7] == made
    assert paged(emulator, 100) == paged(emulator, 2)


def test_a_page_says_whether_there_is_more(emulator: Emulator) -> None:
    made = intents(emulator, 3)
    first = emulator.sdk.v1.payment_intents.list({"limit": 2})
    assert ([intent.id for intent in first], first.has_more) == (made[:2], True)
    oldest = paged(emulator, 100)[-2]
    assert not emulator.sdk.v1.payment_intents.list({"limit": 1, "starting_after": oldest}).has_more


def test_pages_hold_still_while_new_ones_are_made(emulator: Emulator) -> None:
    made = intents(emulator, 4)
    first = emulator.sdk.v1.payment_intents.list({"limit": 2})
    intents(emulator, 3)
    second = emulator.sdk.v1.payment_intents.list({"limit": 2, "starting_after": first.data[-1].id})
    assert [intent.id for intent in (*first, *second)] == made


def test_a_period_begins_with_its_first_second_and_ends_before_its_last(emulator: Emulator) -> None:
    early = emulator.sdk.v1.payment_intents.retrieve(intents(emulator, 1)[0])
    assert eventually(lambda: time.time() >= early.created + 1)
    late = emulator.sdk.v1.payment_intents.retrieve(intents(emulator, 1)[0])

    def within(since: int, until: int) -> set[str]:
        created: stripe.params.PaymentIntentListParamsCreated = {"gte": since, "lt": until}
        return {found.id for found in emulator.sdk.v1.payment_intents.list({"created": created, "limit": 100})}

    both = {early.id, late.id}
    assert within(early.created, late.created) & both == {early.id}
    assert within(late.created, late.created + 1) & both == {late.id}
    assert within(early.created, late.created + 1) >= both
    assert within(late.created + 1, late.created + 2) & both == set()


def test_a_period_of_refunds_and_of_disputes_is_listed_like_that_of_payments(emulator: Emulator) -> None:
    intent = emulator.deposit()
    create = emulator.sdk.v1.refunds.create
    refunds = [create({"payment_intent": intent.id, "amount": amount}) for amount in (100, 200, 300)]
    since, until = refunds[0].created, refunds[-1].created + 1
    found = emulator.sdk.v1.refunds.list({"created": {"gte": since, "lt": until}, "limit": 2})
    assert [refund.amount for refund in found.auto_paging_iter()] == [300, 200, 100]
    found = emulator.sdk.v1.refunds.list({"payment_intent": intent.id, "created": {"lt": since}})
    assert found.data == []
    disputed = emulator.deposit("pm_card_createDispute"), emulator.deposit("pm_card_createDispute")
    disputes = emulator.sdk.v1.disputes.list({"created": {"gte": disputed[0].created}, "limit": 1})
    assert [dispute.payment_intent for dispute in disputes.auto_paging_iter()] == [disputed[1].id, disputed[0].id]
    assert emulator.sdk.v1.disputes.list({"payment_intent": intent.id}).data == []


def test_a_list_refuses_what_stripe_refuses(emulator: Emulator) -> None:
    assert emulator.sdk.raw_request("get", "/v1/payment_intents", limit=100).code == 200
    for wrong in (
        {"limit": 101},
        {"limit": 0},
        {"starting_after": "pi_missing"},
        {"created": {"after": 1}},
        {"created": {"gte": "yesterday"}},
        {"colour": "red"},
    ):
        with pytest.raises(stripe.InvalidRequestError):
            emulator.sdk.raw_request("get", "/v1/payment_intents", **wrong)
