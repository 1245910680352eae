"""Stripe, in memory and as our emulator plays it."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from parking.adapters import stripe_cards
from parking.adapters.stripe_cards import StripeCards
from parking.domain.ids import RefundId
from parking.domain.payment import Payment, Purpose, Refund
from parking.services.ports import CardDispute, CardError, CardSetup, Intent, RefundRefused
from tests.builders import NOW, a_payment, a_user_id
from tests.contract.card_benches import BACKEND, SECRET_KEY, Bench, Card, MemoryBench, StripeBench
from tests.contract.emulators import running_stripe

HOUR = timedelta(hours=1)


@pytest.fixture(scope="session")
def stripe_base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_stripe(tmp_path_factory.mktemp("stripe")) as base:
        yield base


@pytest.fixture(params=["memory", "stripe"])
def bench(request: pytest.FixtureRequest) -> Bench:
    if request.param == "memory":
        return MemoryBench()
    return StripeBench(request.getfixturevalue("stripe_base"))


def _saved(bench: Bench, card: Card = Card.GOOD) -> CardSetup:
    """A new driver's setup, whose card is saved."""
    user_id = a_user_id()
    setup = bench.cards.create_setup(bench.cards.create_customer(user_id), user_id, f"set_{user_id}")
    bench.save(setup, card)
    return bench.cards.setup(setup.setup_id, NOW)


def _by_saved_card(bench: Bench, card: Card = Card.GOOD) -> Payment:
    """A payment by a card that a new driver has saved."""
    setup = _saved(bench, card)
    assert setup.user_id is not None
    assert setup.payment_method is not None
    return a_payment(customer_id=setup.customer_id, payment_method_id=setup.payment_method.payment_method_id)


def _paid(bench: Bench, card: Card = Card.GOOD, **over: Any) -> tuple[Payment, Intent]:
    payment = a_payment(created_at=datetime.now(UTC), **over)
    intent = bench.cards.create_intent(payment)
    bench.pay(intent, card)
    return payment, bench.cards.intent(intent.intent_id)


def _refund(payment: Payment, intent: Intent, amount_minor: int, name: str = "a") -> Refund:
    return Refund(
        refund_id=RefundId(f"rfd_{name}_{payment.payment_id}"),
        source_id=payment.payment_id,
        intent_id=intent.intent_id,
        amount_minor=amount_minor,
        requested_at=datetime.now(UTC),
    )


def _dispute(bench: Bench, intent: Intent) -> CardDispute:
    found = bench.cards.disputes_between(datetime.now(UTC) - HOUR, datetime.now(UTC) + HOUR)
    [dispute] = [one for one in found if one.intent_id == intent.intent_id]
    return dispute


def test_a_driver_is_one_customer(bench: Bench) -> None:
    user_id = a_user_id()
    customer_id = bench.cards.create_customer(user_id)
    assert bench.cards.create_customer(user_id) == customer_id
    assert bench.cards.create_customer(a_user_id()) != customer_id


def test_a_setup_says_whose_card_it_waits_for(bench: Bench) -> None:
    user_id = a_user_id()
    customer_id = bench.cards.create_customer(user_id)
    setup = bench.cards.create_setup(customer_id, user_id, "set_once" + user_id)
    assert (setup.customer_id, setup.user_id) == (customer_id, user_id)
    assert (setup.status, setup.payment_method) == ("requires_payment_method", None)
    assert setup.client_secret.startswith(setup.setup_id)
    assert bench.cards.create_setup(customer_id, user_id, "set_once" + user_id).setup_id == setup.setup_id
    assert bench.cards.create_setup(customer_id, user_id, "set_twice" + user_id).setup_id != setup.setup_id
    assert bench.cards.setup(setup.setup_id, NOW) == setup


def test_a_completed_setup_shows_the_saved_card(bench: Bench) -> None:
    setup = _saved(bench)
    card = setup.payment_method
    assert setup.status == "succeeded"
    assert card is not None
    assert (card.brand, card.last4, card.expires_month, card.expires_year) == ("visa", "4242", 12, 2030)
    assert card.added_at == NOW


def test_an_unknown_setup_is_an_error(bench: Bench) -> None:
    with pytest.raises(CardError):
        bench.cards.setup("seti_unknown", NOW)


def test_a_card_can_be_detached_again_and_again(bench: Bench) -> None:
    card = _saved(bench).payment_method
    assert card is not None
    for _ in range(2):
        bench.cards.detach(card.payment_method_id)
    bench.cards.detach("pm_never_seen")


def test_an_intent_says_whose_payment_it_is(bench: Bench) -> None:
    payment = a_payment()
    intent = bench.cards.create_intent(payment)
    assert (intent.user_id, intent.payment_id) == (payment.user_id, payment.payment_id)
    assert (intent.amount_minor, intent.amount_received_minor, intent.currency) == (480, 0, "EUR")
    assert (intent.status, intent.decline_code) == ("requires_payment_method", None)
    assert intent.client_secret.startswith(intent.intent_id)
    assert bench.cards.intent(intent.intent_id) == intent


def test_a_payment_has_one_intent_however_often_it_is_asked_for(bench: Bench) -> None:
    payment = a_payment()
    first = bench.cards.create_intent(payment)
    assert bench.cards.create_intent(payment) == first
    assert bench.cards.create_intent(a_payment()).intent_id != first.intent_id
    bench.pay(first)
    assert bench.cards.create_intent(payment).status == "succeeded"


def test_a_paid_intent_says_so(bench: Bench) -> None:
    payment, paid = _paid(bench)
    assert (paid.status, paid.amount_received_minor) == ("succeeded", 480)
    assert (paid.user_id, paid.payment_id) == (payment.user_id, payment.payment_id)


def test_a_declined_intent_says_why_until_another_card_pays(bench: Bench) -> None:
    _, declined = _paid(bench, Card.DECLINED)
    assert (declined.status, declined.decline_code) == ("requires_payment_method", "generic_decline")
    bench.pay(declined)
    paid = bench.cards.intent(declined.intent_id)
    assert (paid.status, paid.decline_code) == ("succeeded", None)


def test_an_intent_may_wait_for_the_driver(bench: Bench) -> None:
    _, intent = _paid(bench, Card.ASKS_3D_SECURE)
    assert (intent.status, intent.decline_code) == ("requires_action", None)


def test_an_intent_may_wait_for_the_bank_and_cannot_be_cancelled_then(bench: Bench) -> None:
    _, intent = _paid(bench, Card.SLOW)
    assert (intent.status, intent.amount_received_minor) == ("processing", 0)
    assert bench.cards.cancel_intent(intent.intent_id) == intent
    bench.let_the_bank_decide(intent)
    assert bench.cards.intent(intent.intent_id).status == "succeeded"


def test_an_unknown_intent_is_an_error(bench: Bench) -> None:
    with pytest.raises(CardError):
        bench.cards.intent("pi_unknown")
    with pytest.raises(CardError):
        bench.cards.cancel_intent("pi_unknown")


@pytest.mark.parametrize("off_session", [True, False])
def test_a_saved_card_is_charged_once_however_often_it_is_asked_for(bench: Bench, off_session: bool) -> None:
    payment = _by_saved_card(bench)
    intent = bench.cards.create_intent(payment)
    assert intent.status == "requires_confirmation"
    paid = bench.cards.confirm_intent(payment, intent.intent_id, off_session=off_session)
    assert (paid.status, paid.amount_received_minor) == ("succeeded", 480)
    assert bench.cards.confirm_intent(payment, intent.intent_id, off_session=off_session) == paid


@pytest.mark.parametrize("off_session", [True, False])
def test_a_saved_card_that_is_declined_is_an_answer(bench: Bench, off_session: bool) -> None:
    payment = _by_saved_card(bench, Card.DECLINED)
    intent = bench.cards.create_intent(payment)
    for _ in range(2):
        declined = bench.cards.confirm_intent(payment, intent.intent_id, off_session=off_session)
        assert (declined.status, declined.decline_code) == ("requires_payment_method", "generic_decline")
    assert bench.cards.intent(intent.intent_id) == declined


def test_a_saved_card_that_wants_the_driver_waits_for_one_who_is_there(bench: Bench) -> None:
    payment = _by_saved_card(bench, Card.ASKS_3D_SECURE)
    intent = bench.cards.create_intent(payment)
    shown = bench.cards.confirm_intent(payment, intent.intent_id, off_session=False)
    assert (shown.status, shown.decline_code) == ("requires_action", None)


def test_a_saved_card_that_wants_the_driver_is_declined_without(bench: Bench) -> None:
    payment = _by_saved_card(bench, Card.ASKS_3D_SECURE)
    intent = bench.cards.create_intent(payment)
    shown = bench.cards.confirm_intent(payment, intent.intent_id, off_session=True)
    assert (shown.status, shown.decline_code) == ("requires_payment_method", "authentication_required")


def test_confirming_what_was_cancelled_shows_it_as_it_is(bench: Bench) -> None:
    payment = _by_saved_card(bench)
    intent = bench.cards.create_intent(payment)
    cancelled = bench.cards.cancel_intent(intent.intent_id)
    assert bench.cards.confirm_intent(payment, intent.intent_id, off_session=True) == cancelled


def test_what_was_cancelled_after_the_first_confirmation_is_shown_cancelled_by_the_second(bench: Bench) -> None:
    payment = _by_saved_card(bench, Card.ASKS_3D_SECURE)
    intent = bench.cards.create_intent(payment)
    bench.cards.confirm_intent(payment, intent.intent_id, off_session=False)
    cancelled = bench.cards.cancel_intent(intent.intent_id)
    assert bench.cards.confirm_intent(payment, intent.intent_id, off_session=False) == cancelled


def test_a_deleted_customer_is_gone_and_may_be_deleted_again(bench: Bench) -> None:
    customer_id = _saved(bench).customer_id or ""
    assert bench.has_customer(customer_id)
    for _ in range(2):
        bench.cards.delete_customer(customer_id)
        assert not bench.has_customer(customer_id)


def test_a_card_that_was_removed_before_the_charge_is_unusable(bench: Bench) -> None:
    payment = _by_saved_card(bench)
    intent = bench.cards.create_intent(payment)
    bench.cards.detach(payment.payment_method_id or "")
    shown = bench.cards.confirm_intent(payment, intent.intent_id, off_session=True)
    assert (shown.intent_id, shown.decline_code) == (intent.intent_id, "payment_method_unusable")
    assert bench.cards.cancel_intent(intent.intent_id).status == "canceled"


def test_a_card_that_was_removed_before_the_intent_gives_one_that_can_be_cancelled(bench: Bench) -> None:
    payment = _by_saved_card(bench)
    bench.cards.detach(payment.payment_method_id or "")
    intent = bench.cards.create_intent(payment)
    assert (intent.status, intent.decline_code) == ("requires_payment_method", "payment_method_unusable")
    assert bench.cards.create_intent(payment) == intent
    assert bench.cards.cancel_intent(intent.intent_id).status == "canceled"
    assert bench.cards.create_intent(payment).decline_code is None


def test_an_open_intent_is_cancelled_for_good(bench: Bench) -> None:
    intent = bench.cards.create_intent(a_payment())
    cancelled = bench.cards.cancel_intent(intent.intent_id)
    assert (cancelled.status, cancelled.amount_received_minor) == ("canceled", 0)
    assert bench.cards.cancel_intent(intent.intent_id) == cancelled
    assert bench.cards.intent(intent.intent_id) == cancelled


def test_a_paid_intent_cannot_be_cancelled(bench: Bench) -> None:
    _, paid = _paid(bench)
    assert bench.cards.cancel_intent(paid.intent_id) == paid


def test_a_declined_intent_that_was_cancelled_does_not_speak_of_the_decline(bench: Bench) -> None:
    _, declined = _paid(bench, Card.DECLINED)
    cancelled = bench.cards.cancel_intent(declined.intent_id)
    assert (cancelled.status, cancelled.decline_code) == ("canceled", None)


def test_a_refund_says_whose_it_is_and_is_made_once(bench: Bench) -> None:
    payment, intent = _paid(bench)
    holder, wanted = replace(payment, payment_id=a_payment().payment_id), _refund(payment, intent, 200)
    made = bench.cards.create_refund(holder, wanted)
    assert (made.status, made.amount_minor, made.intent_id) == ("succeeded", 200, intent.intent_id)
    assert (made.user_id, made.payment_id) == (holder.user_id, holder.payment_id)
    assert made.refund_id == wanted.refund_id
    assert bench.cards.create_refund(holder, wanted) == made
    assert bench.cards.refund(made.stripe_id) == made
    assert bench.cards.refunds_of(intent.intent_id) == [made]
    assert bench.cards.intent(intent.intent_id).amount_received_minor == 480


def test_refunds_are_listed_newest_first(bench: Bench) -> None:
    payment, intent = _paid(bench)
    made = [bench.cards.create_refund(payment, _refund(payment, intent, 100, name)) for name in "abc"]
    assert bench.cards.refunds_of(intent.intent_id) == made[::-1]


def test_no_more_is_given_back_than_was_paid(bench: Bench) -> None:
    payment, intent = _paid(bench)
    bench.cards.create_refund(payment, _refund(payment, intent, 400, "first"))
    with pytest.raises(RefundRefused, match=r"^amount_too_large$"):
        bench.cards.create_refund(payment, _refund(payment, intent, 100, "more"))
    bench.cards.create_refund(payment, _refund(payment, intent, 80, "rest"))
    with pytest.raises(RefundRefused, match=r"^charge_already_refunded$"):
        bench.cards.create_refund(payment, _refund(payment, intent, 1, "again"))
    assert sum(one.amount_minor for one in bench.cards.refunds_of(intent.intent_id)) == 480


def test_what_was_not_paid_cannot_be_given_back(bench: Bench) -> None:
    payment = a_payment()
    intent = bench.cards.create_intent(payment)
    with pytest.raises(RefundRefused):
        bench.cards.create_refund(payment, _refund(payment, intent, 480))


def test_a_refund_may_take_its_time(bench: Bench) -> None:
    payment, intent = _paid(bench, Card.REFUND_COMES_LATE)
    wanted = _refund(payment, intent, 480)
    pending = bench.cards.create_refund(payment, wanted)
    assert pending.status == "pending"
    bench.move_on(pending)
    assert bench.cards.refund(pending.stripe_id).status == "succeeded"
    assert bench.cards.create_refund(payment, wanted).status == "succeeded"


def test_a_refund_that_fails_later_can_be_made_again_as_another_one(bench: Bench) -> None:
    payment, intent = _paid(bench, Card.REFUND_FAILS)
    first = bench.cards.create_refund(payment, _refund(payment, intent, 480))
    assert first.status == "succeeded"
    bench.move_on(first)
    assert bench.cards.refund(first.stripe_id).status == "failed"
    bench.cards.create_refund(payment, _refund(payment, intent, 480, "second"))


def test_an_unknown_refund_or_dispute_is_an_error(bench: Bench) -> None:
    with pytest.raises(CardError):
        bench.cards.refund("re_unknown")
    with pytest.raises(CardError):
        bench.cards.dispute("dp_unknown")


@pytest.mark.parametrize(("won", "status"), [(True, "won"), (False, "lost")])
def test_a_dispute_is_opened_and_decided(bench: Bench, won: bool, status: str) -> None:
    _, intent = _paid(bench, Card.DISPUTED)
    dispute = _dispute(bench, intent)
    assert (dispute.status, dispute.amount_minor) == ("needs_response", 480)
    bench.close_dispute(dispute.stripe_id, won=won)
    assert bench.cards.dispute(dispute.stripe_id) == replace(dispute, status=status)


def test_what_a_bank_disputes_is_refunded_only_once_it_is_won(bench: Bench) -> None:
    payment, intent = _paid(bench, Card.DISPUTED)
    with pytest.raises(RefundRefused, match=r"^charge_disputed$"):
        bench.cards.create_refund(payment, _refund(payment, intent, 480))
    bench.close_dispute(_dispute(bench, intent).stripe_id, won=True)
    assert bench.cards.create_refund(payment, _refund(payment, intent, 480, "won")).amount_minor == 480


def test_everything_of_a_period_is_listed_over_all_pages(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stripe_cards, "PAGE_SIZE", 2)
    made = [_paid(bench) for _ in range(5)]
    refunds = [bench.cards.create_refund(payment, _refund(payment, intent, 480)) for payment, intent in made]
    now = datetime.now(UTC)
    paid = [intent for _, intent in made]
    for since, until, expected in [(now - HOUR, now + HOUR, 5), (now - 2 * HOUR, now - HOUR, 0)]:
        assert len([one for one in bench.cards.intents_between(since, until) if one in paid]) == expected
        assert len([one for one in bench.cards.refunds_between(since, until) if one in refunds]) == expected


def test_a_period_begins_with_its_first_second_and_ends_before_its_last(stripe_base: str) -> None:
    bench = StripeBench(stripe_base)
    _, intent = _paid(bench)
    shown = httpx.get(f"{stripe_base}/v1/payment_intents/{intent.intent_id}", headers=BACKEND).json()
    created = datetime.fromtimestamp(shown["created"], UTC)
    second = timedelta(seconds=1)
    assert intent in list(bench.cards.intents_between(created, created + second))
    assert intent not in list(bench.cards.intents_between(created - second, created))


@pytest.mark.parametrize("purpose", [Purpose.RESERVATION, Purpose.EXTENSION, Purpose.OVERSTAY, Purpose.DEPOSIT])
def test_stripe_is_told_what_the_money_is_for_and_no_more(stripe_base: str, purpose: Purpose) -> None:
    bench = StripeBench(stripe_base)
    payment = replace(_by_saved_card(bench), purpose=purpose)
    intent = bench.cards.create_intent(payment)
    shown = httpx.get(f"{stripe_base}/v1/payment_intents/{intent.intent_id}", headers=BACKEND).json()
    assert shown["description"].startswith("Parking")
    assert shown["metadata"] == {"user_id": payment.user_id, "payment_id": payment.payment_id}
    assert shown["customer"] == payment.customer_id
    assert shown["automatic_payment_methods"] == {"enabled": True, "allow_redirects": "never"}


def test_a_failing_stripe_is_an_error_and_no_answer(stripe_base: str) -> None:
    bench = StripeBench(stripe_base)
    payment = _by_saved_card(bench)
    intent = bench.cards.create_intent(payment)
    path = f"/v1/payment_intents/{intent.intent_id}/confirm"
    fault = {"method": "POST", "path_pattern": path, "times": 1, "what": "after", "status": 500}
    httpx.post(f"{stripe_base}/_config/faults", json=fault).raise_for_status()
    with pytest.raises(CardError):
        bench.cards.confirm_intent(payment, intent.intent_id, off_session=True)
    assert bench.cards.intent(intent.intent_id).status == "succeeded"


def test_what_stripe_says_of_a_card_is_not_logged(stripe_base: str, caplog: pytest.LogCaptureFixture) -> None:
    bench = StripeBench(stripe_base)
    payment = _by_saved_card(bench, Card.DECLINED)
    with caplog.at_level(logging.INFO):  # the level of our functions
        intent = bench.cards.create_intent(payment)
        bench.cards.confirm_intent(payment, intent.intent_id, off_session=True)
    assert not [record for record in caplog.records if record.name.startswith("stripe")]


def test_an_error_tells_no_secret(stripe_base: str) -> None:
    with pytest.raises(CardError) as refused:
        StripeCards("not_a_key_at_all", stripe_base).intent("pi_unknown")
    assert "not_a_key" not in str(refused.value)
    with pytest.raises(CardError) as unreachable:
        StripeCards(SECRET_KEY, "http://127.0.0.1:1").intent("pi_unknown")
    assert SECRET_KEY not in str(unreachable.value)
    assert refused.value.__cause__ is None
    assert unreachable.value.__suppress_context__
