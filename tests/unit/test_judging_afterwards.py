"""The rules that are looked at after a run find what breaks them: each is shown one state that does."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from parking.domain.calendar import CalendarDay
from parking.domain.ids import PaymentId, ReservationId
from parking.domain.payment import Payment, PaymentStatus
from parking.domain.reservation import Reservation, ReservationStatus
from tests.builders import a_payment, a_reservation
from tests.e2e import books, stored
from tests.e2e.books import Books
from tests.e2e.stored import Stored

PAID = PaymentId("pay_1")
HELD = a_reservation()
STAY = replace(HELD, status=ReservationStatus.CONFIRMED, payment_id=PAID)
LATER = a_reservation(starts_at=STAY.ends_at + timedelta(hours=1), ends_at=STAY.ends_at + timedelta(hours=2))
CHARGED = a_payment(payment_id=PAID, status=PaymentStatus.SUCCEEDED, user_id=STAY.user_id)


def a_day(*stays: Reservation) -> CalendarDay:
    """The day on which these claim one spot."""
    claims = tuple(one.claim for one in stays if one.claim)
    return CalendarDay(HELD.spot_id, HELD.starts_at.date(), claims)


def what_is_stored(
    *stays: Reservation,
    days: list[CalendarDay] | None = None,
    payments: tuple[Payment, ...] = (CHARGED,),
    steps: dict[str, str] | None = None,
) -> Stored:
    """Tables that fit these stays, but for what is given."""
    fitting = {str(one.reservation_id): one.due.step.value for one in stays if one.due}
    return Stored(
        list(stays),
        [a_day(*stays)] if days is None else days,
        list(payments),
        fitting if steps is None else steps,
    )


@pytest.mark.parametrize(
    ("state", "says"),
    [
        (what_is_stored(STAY, replace(HELD, reservation_id=ReservationId("rsv_2"))), "overlap"),
        (what_is_stored(STAY, days=[]), "do not say the same"),
        (what_is_stored(STAY, days=[a_day(STAY, LATER)]), "same"),
        (what_is_stored(STAY, steps={}), "due for None"),
        (what_is_stored(STAY, steps={STAY.reservation_id: "RELEASE_HOLD"}), "due for RELEASE_HOLD"),
        (what_is_stored(STAY, payments=()), "was not charged"),
        (what_is_stored(STAY, payments=(replace(CHARGED, status=PaymentStatus.PENDING),)), "was not charged"),
        (what_is_stored(HELD), "paid for nothing"),
    ],
)
def test_each_rule_of_the_tables_finds_what_breaks_it(state: Stored, says: str) -> None:
    assert says in " ".join(stored.violations(state))


def test_a_payment_that_made_two_stays_is_found() -> None:
    later = replace(LATER, status=ReservationStatus.CONFIRMED, payment_id=PAID)
    assert f"{PAID} paid 2 things" in stored.violations(what_is_stored(STAY, later))


def test_tables_that_fit_are_left_alone() -> None:
    refunded = replace(CHARGED, status=PaymentStatus.REFUNDED, refunded_minor=CHARGED.amount_minor)
    cancelled = replace(STAY, status=ReservationStatus.CANCELLED)
    given_back = what_is_stored(replace(HELD, status=ReservationStatus.EXPIRED), payments=(refunded,))
    for state in (what_is_stored(STAY), what_is_stored(HELD, payments=()), what_is_stored(cancelled), given_back):
        assert list(stored.violations(state)) == []


def some_books(**over: Any) -> Books:
    """A deposit, of which a stay was paid that was called off: everything fits, but for what is given."""

    def moved(kind: str, payment_id: str, amount: int, other: str) -> dict[str, Any]:
        entries = [{"account": "wallet", "amount": amount}, {"account": other, "amount": -amount}]
        return {"kind": kind, "payment_id": payment_id, "amount": amount, "entries": entries}

    def paid(payment_id: str, purpose: str, method: str, status: str, amount: int, refunded: int) -> dict[str, Any]:
        names = {"payment_id": payment_id, "purpose": purpose, "method": method, "status": status}
        return names | {"amount": amount, "refunded_amount": refunded, "refunds": [], "dispute": None}

    whole: dict[str, Any] = {
        "balance": 1000,
        "transactions": [
            moved("DEPOSIT", "pay_1", 1000, "stripe"),
            moved("WALLET_PAYMENT", "pay_2", -300, "revenue"),
            moved("REFUND", "pay_2", 300, "revenue"),
        ],
        "payments": [
            paid("pay_1", "DEPOSIT", "CARD", "SUCCEEDED", 1000, 0),
            paid("pay_2", "RESERVATION", "WALLET", "REFUNDED", 300, 300),
        ],
        "notices": [{"kind": "DEPOSIT_SUCCEEDED", "data": {"payment_id": "pay_1"}}],
    }
    return Books(**whole | over)


FITTING = some_books()


def test_books_that_fit_are_left_alone() -> None:
    assert list(books.violations(FITTING)) == []


@pytest.mark.parametrize(
    ("broken", "rule"),
    [
        (some_books(balance=999), books.unbalanced),
        (some_books(balance=-1, transactions=[]), books.unbalanced),
        (some_books(transactions=[FITTING.transactions[0] | {"entries": []}]), books.unbalanced),
        (some_books(transactions=FITTING.transactions[:2]), books.ill_booked),
        (some_books(payments=FITTING.payments[:1]), books.ill_booked),
        (some_books(transactions=[*FITTING.transactions, FITTING.transactions[2]]), books.ill_booked),
        (some_books(payments=[FITTING.payments[0] | {"amount": 999}, FITTING.payments[1]]), books.ill_booked),
        (
            some_books(payments=[FITTING.payments[0] | {"refunds": [{"status": "PENDING", "amount": 5}]}]),
            books.owed_wrongly,
        ),
        (some_books(notices=FITTING.notices * 2), books.told_twice),
    ],
)
def test_each_rule_of_a_drivers_books_finds_what_breaks_it(broken: Books, rule: Callable[[Books], Any]) -> None:
    assert list(rule(broken)) != []
    assert set(rule(broken)) <= set(books.violations(broken))
