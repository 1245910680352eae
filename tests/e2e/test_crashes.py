"""The process dies at each point between our commits and Stripe's calls: one charge or none, and never without a fact.

In process, because only here can it die at a chosen line: the real services, Stripe's SDK and the tables of the
template, on emulators of their own. Who finds it afterwards is the app that asks again, the webhook, or the schedule.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import product

import pytest

from parking.domain.ids import ReservationId, UserId
from parking.domain.ledger import STRIPE, Transaction
from parking.domain.payment import Method, Payment, Purpose
from parking.domain.reservation import Reservation, ReservationStatus
from parking.domain.spot import Spot
from parking.services import bookings, card_payments, wallets
from parking.services.owned import wallet_of
from parking.services.reconciling import compare
from parking.services.refunds import settle_refund
from parking.services.schedules import expire_holds
from parking.services.settling import carry_out, settle_due
from tests.builders import a_spot, a_user_id
from tests.contract.emulators import create_tables, running_aws, running_stripe
from tests.e2e.mortal import MINUTE, Bench, Crash, Fuse, MortalCards, MortalStore, now

SCHEDULE_MINUTES = (6, 11, 75, 180)
"""When the schedule looks: after the first pause, after the hold's end, when forms are given up, and much later."""
DEPOSIT_MINOR = 1234


@dataclass(frozen=True)
class Work:
    """What dies, whose it is, and when it is done."""

    user_id: UserId
    run: Callable[[], object]
    now: datetime


type Scenario = Callable[[Bench], Work]


def pay_by_saved_card(bench: Bench) -> Work:
    """A stay paid by a saved card."""
    user_id = a_user_id()
    card_id, stay = bench.card_of(user_id), bench.held(user_id)
    return Work(user_id, _payment(bench, user_id, stay.reservation_id, card_id), stay.created_at)


def deposit_by_saved_card(bench: Bench) -> Work:
    """A deposit by a saved card."""
    user_id, at = a_user_id(), now()
    return Work(user_id, _deposit(bench, user_id, bench.card_of(user_id), "deposit", at), at)


def withdraw_two_deposits(bench: Bench) -> Work:
    """A withdrawal that two deposits have to give, paid out from the stream."""
    user_id, at = a_user_id(), now()
    card_id = bench.card_of(user_id)
    for n in range(2):
        _deposit(bench, user_id, card_id, f"deposit-{n}", at)()
    request = bench.request(user_id, "withdraw")
    wallets.withdraw(bench.store, request, amount_minor=DEPOSIT_MINOR * 3 // 2, currency="EUR", now=at)
    return _carried_out(bench, user_id, at)


def cancel_an_abandoned_form(bench: Bench) -> Work:
    """The form of a stay that was called off, cancelled from the stream."""
    user_id = a_user_id()
    stay = bench.held(user_id)
    _payment(bench, user_id, stay.reservation_id, None)()
    bookings.call_off(bench.store, user_id, stay.reservation_id, stay.created_at)
    return _carried_out(bench, user_id, stay.created_at)


def refund_a_stay(bench: Bench) -> Work:
    """A paid stay that was called off, refunded from the stream."""
    user_id = a_user_id()
    card_id, stay = bench.card_of(user_id), bench.held(user_id)
    _payment(bench, user_id, stay.reservation_id, card_id)()
    bookings.call_off(bench.store, user_id, stay.reservation_id, stay.created_at)
    return _carried_out(bench, user_id, stay.created_at)


def charge_an_overstay(bench: Bench) -> Work:
    """The overstay of a driver who has gone, charged from the stream."""
    user_id = a_user_id()
    card_id, stay = bench.card_of(user_id), bench.held(user_id)
    _payment(bench, user_id, stay.reservation_id, card_id)()
    overstayed = replace(bench.load(stay), status=ReservationStatus.ACTIVE, overstayed_since=stay.ends_at)
    bench.store.commit(overstayed)
    left_at = stay.ends_at + 40 * MINUTE
    bookings.leave(bench.store, user_id, stay.reservation_id, left_at)
    return _carried_out(bench, user_id, left_at)


def _deposit(bench: Bench, user_id: UserId, card_id: str, route: str, at: datetime) -> Callable[[], object]:
    return partial(
        card_payments.deposit_by_card,
        bench.store,
        bench.cards,
        bench.request(user_id, route),
        amount_minor=DEPOSIT_MINOR,
        currency="EUR",
        payment_method_id=card_id,
        now=at,
    )


def _payment(bench: Bench, user_id: UserId, reservation_id: ReservationId, card_id: str | None) -> Callable[[], object]:
    return partial(
        card_payments.pay_by_card,
        bench.store,
        bench.cards,
        bench.request(user_id, "pay"),
        reservation_id=reservation_id,
        extension_id=None,
        payment_method_id=card_id,
        now=now(),
    )


def _carried_out(bench: Bench, user_id: UserId, at: datetime) -> Work:
    (asking,) = [one for one in bench.payments_of(user_id) if one.asks_stripe]
    return Work(user_id, partial(carry_out, bench.store, bench.cards, asking.key, at), at)


SCENARIOS: list[Scenario] = [
    pay_by_saved_card,
    deposit_by_saved_card,
    cancel_an_abandoned_form,
    refund_a_stay,
    charge_an_overstay,
]


def again(_: Bench, work: Work) -> None:
    """The app asks again with the same key, or the stream gives the record again."""
    work.run()


def webhook(bench: Bench, work: Work) -> None:
    """Stripe tells of everything that it has of the driver."""
    for payment in bench.payments_of(work.user_id):
        for intent in bench.intents_of(payment):
            card_payments.settle(bench.store, intent, work.now + MINUTE)
            for refund in bench.cards.refunds_of(intent.intent_id):
                settle_refund(bench.store, refund, work.now + MINUTE)


def schedule(bench: Bench, work: Work) -> None:
    """The minutes pass, and nobody asks again."""
    for minutes in SCHEDULE_MINUTES:
        at = work.now + minutes * MINUTE
        for swept in (expire_holds(bench.store, at), settle_due(bench.store, bench.cards, at)):
            assert swept.failures == {}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with (
        running_aws(tmp_path_factory.mktemp("aws")) as aws,
        running_stripe(tmp_path_factory.mktemp("stripe")) as stripe_base,
        pytest.MonkeyPatch.context() as environment,
    ):
        for name, value in aws.variables.items():
            environment.setenv(name, value)
        store = MortalStore(create_tables())
        store.commit(a_spot(spot_id="the-spot"))
        spot = store.get(Spot, "the-spot")
        assert spot
        yield Bench(store, MortalCards(stripe_base), stripe_base, now().replace(microsecond=0), spot)


FINDERS = [(again, webhook, schedule), (webhook, schedule), (schedule,)]
CASES = [*product(SCENARIOS, FINDERS), (withdraw_two_deposits, (schedule,))]
"""The last is a refund twice in one: the one finder that alone has to do everything is enough."""


@pytest.mark.parametrize(
    ("scenario", "finders"), CASES, ids=lambda one: one.__name__ if callable(one) else "-".join(f.__name__ for f in one)
)
def test_a_crash_anywhere_ends_in_one_charge_or_none_and_a_fact_for_each(
    bench: Bench, scenario: Scenario, finders: tuple[Callable[[Bench, Work], None], ...]
) -> None:
    number, points = 0, 1
    while number < points:
        bench.case_began_at = now()
        work = scenario(bench)
        fuse = Fuse(number)
        bench.burn(fuse)
        with pytest.raises(Crash) as died:
            work.run()
        bench.burn(Fuse())
        for find in finders:
            find(bench, work)
        _assert_sound(bench, work, str(died.value))
        number += 1
        points = points if points > 1 else _points_of(bench, scenario)
    assert points >= 4, "nothing was asked of Stripe: this proves nothing"


def test_after_all_crashes_the_ledger_and_stripe_agree(bench: Bench) -> None:
    report = compare(bench.store, bench.cards, bench.began_at, now() + 2 * MINUTE, now())
    assert (report.differences, report.settled) == ([], 0)
    assert report.charges > 0


def _points_of(bench: Bench, scenario: Scenario) -> int:
    work, fuse = scenario(bench), Fuse()
    bench.burn(fuse)
    work.run()
    bench.burn(Fuse())
    return len(fuse.passed)


def _assert_sound(bench: Bench, work: Work, died: str) -> None:
    found = bench.payments_of(work.user_id)
    transactions = bench.store.page(Transaction, work.user_id, limit=100).items
    at_stripe_minor = 0
    for payment in found:
        assert not payment.unsettled, f"{died}: {payment}"
        if payment.method is not Method.CARD or payment.purpose is Purpose.WITHDRAWAL:
            continue  # what a withdrawal gives back is looked at with its deposits
        intents = bench.intents_of(payment)
        assert len(intents) <= 1, f"{died}: {intents}"
        charged_minor = sum(one.amount_received_minor for one in intents)
        refunds = [refund for one in intents for refund in bench.cards.refunds_of(one.intent_id)]
        refunded_minor = sum(one.amount_minor for one in refunds)
        assert charged_minor == (payment.amount_minor if payment.charged else 0), f"{died}: {payment}"
        assert refunded_minor == payment.refunded_minor, f"{died}: {payment}"
        if payment.charged and payment.reservation_id:
            stay = bench.store.get(Reservation, work.user_id, payment.reservation_id)
            kept = stay is not None and payment.payment_id in stay.payment_ids
            assert kept or refunded_minor == charged_minor, f"{died}: {payment}"
        at_stripe_minor += charged_minor - refunded_minor
    ours_minor = -sum(one.amount_on(STRIPE) for one in transactions)
    assert ours_minor == at_stripe_minor, f"{died}: {transactions}"
    _assert_served_or_free(bench, work, found, died)


def _assert_served_or_free(bench: Bench, work: Work, found: list[Payment], died: str) -> None:
    """A stay that holds its interval is paid; an overstay that is not paid is a debt."""
    wallet = wallet_of(bench.store, work.user_id, "EUR")
    for payment in found:
        if payment.reservation_id is None:
            continue
        stay = bench.store.get(Reservation, work.user_id, payment.reservation_id)
        assert stay, died
        assert stay.status is not ReservationStatus.HELD, died
        if payment.purpose is Purpose.OVERSTAY:
            owes = any(debt.reservation_id == stay.reservation_id for debt in wallet.debts)
            assert owes is (stay.overstay is not None and stay.overstay.payment_id is None), died
