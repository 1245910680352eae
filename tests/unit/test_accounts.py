"""Closing an account: no money is lost with it, and then nobody is behind it."""

import json
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from accounts import api

from parking import wiring
from parking.adapters.memory.logins import MemoryLogins
from parking.adapters.memory.push import MemoryPush
from parking.domain.closing import LAST_TOKEN_AFTER
from parking.domain.customer import Customer
from parking.domain.errors import AccountClosed, AccountNotSettled, FreshLoginRequired
from parking.domain.favourites import Favourites
from parking.domain.ids import DeviceId
from parking.domain.ledger import Debt, Wallet
from parking.domain.notification import EndpointOwner, Notification, Platform, PushDevice
from parking.domain.preferences import NotificationPreferences
from parking.domain.reservation import Reservation, ReservationStatus
from parking.services import bookings
from parking.services.accounts import OVERDUE_AFTER, ErasureOverdue, close_account, erase_due
from parking.services.favourites import add_favourite
from parking.services.notifications import set_preferences
from parking.services.phones import register_device
from parking.services.sweeping import Swept
from tests.lambda_context import CONTEXT
from tests.unit.dying import WHEN, at_each_call
from tests.unit.till import Till
from tests.unit.world import ANNA, BORIS, at

ONCE_MORE = 3 + LAST_TOKEN_AFTER.total_seconds() / 60
"""The minute at which an account that was erased in minute 3 is erased for the last time."""


@dataclass
class Leaving:
    """Anna has one of everything, and nothing that is open: her stay is called off, her money is back on her card."""

    till: Till = field(default_factory=Till)
    push: MemoryPush = field(default_factory=MemoryPush)
    logins: MemoryLogins = field(default_factory=MemoryLogins)

    def __post_init__(self) -> None:
        till, store = self.till, self.till.store
        till.save_card(ANNA)
        till.completes(till.deposit(ANNA, 1_000), 0)
        stay = till.reserve(ANNA, vehicle_plate="123 ABC")
        till.pay(stay)
        bookings.call_off(store, ANNA, stay.reservation_id, at(1))
        till.withdraw(1_000, now=1)
        till.stream(1)
        till.everything_arrives(1)
        self.takes_phone("phone")
        add_favourite(store, ANNA, till.spot.spot_id)
        set_preferences(store, ANNA, locale="ru", muted=[])

    def takes_phone(self, name: str) -> None:
        """Anna's app starts on a phone."""
        register_device(
            self.till.store, self.push, ANNA, DeviceId(name), platform=Platform.FCM, token=f"token-of-{name}"
        )

    def close(self, now: float = 2, *, logged_in_at: float = 0) -> Wallet:
        """DELETE /account."""
        return close_account(self.till.store, ANNA, "EUR", at(logged_in_at), at(now))

    def erase(self, now: float = 3) -> Swept:
        """One run of the schedule."""
        return erase_due(self.till.store, self.till.cards, self.push, self.logins, at(now))

    @property
    def person(self) -> list[object]:
        """All that says who Anna is, how to reach her and what she likes."""
        store = self.till.store
        kinds: tuple[type[Any], ...] = (
            Customer, PushDevice, EndpointOwner, NotificationPreferences, Favourites, Notification,
        )  # fmt: skip
        kept: list[object] = [one for kind in kinds for one in store.all_of(kind) if one.user_id == ANNA]
        return kept + [one.vehicle_plate for one in store.all_of(Reservation) if one.vehicle_plate]


def seconds(minute: float) -> str:
    """A time as API Gateway hands on a token's claim: seconds since 1970, as text."""
    return str(int(at(minute).timestamp()))


@pytest.fixture
def leaving() -> Leaving:
    return Leaving()


def test_what_is_about_the_person_is_erased_and_what_was_paid_is_kept(leaving: Leaving) -> None:
    ledger, payments = leaving.till.ledger(), leaving.till.payments()
    assert len(leaving.person) >= 7
    leaving.close()
    assert leaving.erase().moved == 1

    assert leaving.person == []
    assert leaving.logins.deleted == {ANNA}
    assert leaving.till.cards.deleted_customers == {f"cus_{ANNA}"}
    assert (leaving.till.ledger(), leaving.till.payments()) == (ledger, payments)
    [stay] = leaving.till.store.all_of(Reservation)
    assert (stay.status, stay.vehicle_plate) == (ReservationStatus.CANCELLED, None)
    leaving.till.books_must_fit()


def test_what_a_phone_writes_before_its_token_is_dead_is_erased_once_more(leaving: Leaving) -> None:
    leaving.close()
    leaving.erase()
    leaving.takes_phone("the other phone")
    assert leaving.erase(ONCE_MORE - 1).moved == 0
    assert leaving.person
    assert leaving.erase(ONCE_MORE).moved == 1
    assert leaving.person == []
    assert leaving.till.wallet().due is None


def test_closing_twice_is_the_first_time(leaving: Leaving) -> None:
    assert leaving.close(2).closed_at == leaving.close(5).closed_at == at(2)
    leaving.erase()
    assert leaving.close(6).closed_at == at(2)


def test_who_never_had_a_wallet_can_leave_too() -> None:
    till = Till()
    assert close_account(till.store, BORIS, "EUR", at(0), at(0)).closed_at == at(0)
    assert erase_due(till.store, till.cards, MemoryPush(), MemoryLogins(), at(1)).moved == 1


def test_a_log_in_of_more_than_ten_minutes_ago_closes_nothing(leaving: Leaving) -> None:
    with pytest.raises(FreshLoginRequired):
        leaving.close(now=20.1, logged_in_at=10)
    assert leaving.till.wallet().closed_at is None
    assert leaving.close(now=20, logged_in_at=10).closed_at == at(20)


def test_a_token_that_does_not_say_when_its_driver_logged_in_closes_nothing(leaving: Leaving) -> None:
    with pytest.raises(FreshLoginRequired):
        close_account(leaving.till.store, ANNA, "EUR", None, at(2))


@pytest.mark.parametrize(
    ("claims", "status"),
    [({"auth_time": seconds(0)}, 202), ({"auth_time": seconds(-9)}, 403), ({}, 403), ({"auth_time": ""}, 403)],
)
def test_the_function_takes_the_time_of_the_log_in_from_the_token(
    leaving: Leaving, monkeypatch: pytest.MonkeyPatch, claims: dict[str, str], status: int
) -> None:
    monkeypatch.setattr(wiring, "store", lambda: leaving.till.store)
    monkeypatch.setenv("CURRENCY", "EUR")
    context = {
        "requestId": "request",
        "stage": "$default",
        "timeEpoch": int(at(2).timestamp() * 1000),
        "http": {"method": "DELETE", "path": "/account"},
        "authorizer": {"jwt": {"claims": {"sub": ANNA, **claims}}},
    }
    event = {"version": "2.0", "rawPath": "/account", "rawQueryString": "", "headers": {}, "requestContext": context}
    answer = api.handler(event, CONTEXT)

    assert answer["statusCode"] == status, answer["body"]
    assert (leaving.till.wallet().closed_at is not None) == (status == 202)
    assert status == 202 or json.loads(answer["body"])["code"] == "fresh_login_required"


def test_who_asks_once_more_after_the_log_in_is_erased_needs_no_new_one(leaving: Leaving) -> None:
    leaving.close(2)
    assert leaving.close(now=60).closed_at == at(2)


def test_money_in_the_wallet_keeps_the_account_open(leaving: Leaving) -> None:
    leaving.till.fund(ANNA, 700, key="more")
    with pytest.raises(AccountNotSettled) as refused:
        leaving.close()
    assert (refused.value.data["balance"], refused.value.data["currency"]) == (700, "EUR")


def test_a_debt_keeps_the_account_open(leaving: Leaving) -> None:
    stay = leaving.till.store.all_of(Reservation)[0]
    leaving.till.store.commit(leaving.till.wallet().owing(Debt(stay.reservation_id, 480, at(1))))
    with pytest.raises(AccountNotSettled) as refused:
        leaving.close()
    assert refused.value.data["debt"] == 480


def test_a_stay_that_has_not_ended_keeps_the_account_open(leaving: Leaving) -> None:
    held = leaving.till.reserve(ANNA, 300, 400, key="another", now=2)
    with pytest.raises(AccountNotSettled) as refused:
        leaving.close()
    assert refused.value.data["reservation_ids"] == [held.reservation_id]


def test_a_form_and_a_refund_on_their_way_keep_the_account_open(leaving: Leaving) -> None:
    till = leaving.till
    form = till.deposit(ANNA, 500, key="form", now=2)
    with pytest.raises(AccountNotSettled) as refused:
        leaving.close()
    assert refused.value.data["payment_ids"] == [form.payment.payment_id]
    till.completes(form, 2)
    back = till.withdraw(500, key="back", now=2)
    with pytest.raises(AccountNotSettled) as refused:
        leaving.close()
    assert refused.value.data["payment_ids"] == [back.payment_id]
    till.stream(3)
    till.everything_arrives(3)
    assert leaving.close(3).closed_at == at(3)


def test_a_closed_account_begins_nothing_new(leaving: Leaving) -> None:
    leaving.close()
    for begin in (
        lambda: leaving.till.reserve(ANNA, 300, 400, key="late"),
        lambda: leaving.till.deposit(ANNA, 500, key="late"),
        lambda: leaving.till.save_card(ANNA, "late"),
    ):
        with pytest.raises(AccountClosed):
            begin()


def test_a_deposit_that_comes_while_the_account_is_being_closed_keeps_it_open(leaving: Leaving) -> None:
    """The wallet's version guards it: the money is seen, or the closing is."""
    leaving.till.store.meanwhile(lambda: leaving.till.fund(ANNA, 700, key="meanwhile"))
    with pytest.raises(AccountNotSettled):
        leaving.close()
    assert leaving.till.balance() == 700


def test_a_hold_that_was_made_in_the_same_instant_ends_before_anything_is_erased(leaving: Leaving) -> None:
    till = leaving.till
    till.store.meanwhile(lambda: leaving.close(2))
    held = till.reserve(ANNA, 300, 400, key="same instant", now=2)
    assert leaving.erase(3).moved == 1
    assert not leaving.logins.deleted
    assert leaving.person
    till.tick(13)
    assert till.stored(held).status is ReservationStatus.EXPIRED
    leaving.erase(13)
    assert leaving.person == []


def test_money_that_a_bank_sends_back_waits_in_the_wallet_and_operators_are_told_after_a_day(leaving: Leaving) -> None:
    leaving.close()
    leaving.till.store.commit(replace(leaving.till.wallet(), balance_minor=300))
    assert not leaving.erase(3).failures
    day = 2 + OVERDUE_AFTER.total_seconds() / 60
    [failure] = leaving.erase(day).failures.values()
    assert isinstance(failure, ErasureOverdue)
    assert not leaving.logins.deleted


@WHEN
def test_a_crash_at_any_step_leaves_everything_to_be_done_again(when: str) -> None:
    def story(nth: int) -> bool:
        leaving = Leaving()
        leaving.close()
        with leaving.till.dying_at(nth, when) as made:
            leaving.erase(3)
        if made[0] < nth:
            return False
        leaving.erase(4)
        assert leaving.person == []
        assert leaving.till.cards.deleted_customers
        leaving.till.books_must_fit()
        return True

    at_each_call(when, story)
