"""What each notice states, and that every language can say it."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from parking.domain.ledger import Debt, Wallet
from parking.domain.notification import Notification, NotificationKind
from parking.domain.reservation import Reservation
from parking.services import notices
from parking.services.wording.catalogue import LANGUAGES
from parking.services.wording.ru import RUSSIAN
from tests.builders import NOW, a_payment, a_refund, a_reservation, a_spot
from tests.unit.stays import ACTIVE, CONFIRMED, ENDS, EVERY_STATUS, MINUTE, TERMINAL, S
from tests.unit.world import ANNA, at, english


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (S.EXPIRED, "The reservation of Marktplatz 7 was not paid in time."),
        (S.COMPLETED, "Your stay at Marktplatz 7 ended at 12:00. The receipt is ready."),
        (S.NO_SHOW, "Your time at Marktplatz 7 ended at 13:00 without an arrival."),
        (S.CANCELLED, "The reservation of Marktplatz 7 is cancelled. Refund: 4.80 EUR."),
    ],
)
def test_every_end_has_its_words_in_the_spots_own_time(status: S, text: str) -> None:
    notice = notices.ended(EVERY_STATUS[status], 480, NOW)
    assert (notice.kind, english(notice)) == (f"RESERVATION_{status}", text)
    assert notice.data["reason"] == EVERY_STATUS[status].reason


RESERVATION = a_reservation()
PAYMENT = a_payment(user_id=RESERVATION.user_id)
REFUND = a_refund(amount_minor=480)
OVERSTAYED = replace(ACTIVE, overstayed_since=ENDS, ended_at=ENDS + 81 * MINUTE)
WALLET = Wallet(user_id=ANNA, currency="EUR", balance_minor=2_550)
Write = Callable[[Reservation], Notification]
NOTICES: dict[str, Write] = {
    "paid": lambda r: notices.paid(r, PAYMENT, NOW),
    "ending": lambda r: notices.ending(r, NotificationKind.STAY_ENDING_EXTENDABLE, ENDS + 60 * MINUTE, NOW),
}
EVERY_KIND = [
    *(write(RESERVATION) for write in NOTICES.values()),
    *(notices.ended(EVERY_STATUS[status], 480, NOW) for status in TERMINAL),
    notices.ending(RESERVATION, NotificationKind.STAY_ENDING_SPOT_TAKEN, ENDS, NOW),
    notices.ending(RESERVATION, NotificationKind.STAY_ENDING_LONGEST, ENDS, NOW),
    notices.taken_next(RESERVATION, NOW),
    notices.overstaying(ACTIVE, NOW),
    notices.overstaying(OVERSTAYED, NOW),
    notices.still_occupied(CONFIRMED, NOW),
    notices.offered(CONFIRMED, a_spot(), 480, 100, NOW),
    notices.offered(CONFIRMED, None, 480, 100, NOW),
    notices.guard_failed(CONFIRMED, NOW),
    notices.out_of_service(CONFIRMED, NOW),
    notices.credited(EVERY_STATUS[S.CANCELLED], 100, NOW),
    notices.deposited(PAYMENT, WALLET, NOW),
    notices.late_money(PAYMENT, NOW),
    notices.refunded_to_wallet(PAYMENT, REFUND, NOW),
    notices.overstayed(OVERSTAYED, OVERSTAYED.quote, NOW),
    notices.debt(OVERSTAYED, Debt(OVERSTAYED.reservation_id, 960, NOW), NOW),
]


def test_every_kind_can_be_said_in_every_language() -> None:
    assert {notice.kind for notice in EVERY_KIND} == set(NotificationKind)
    for notice in EVERY_KIND:
        for language in LANGUAGES.values():
            words = language.words(notice)
            assert words.title
            assert not set("{}") & set(words.text)


def test_an_overstay_is_said_with_its_length_and_price() -> None:
    notice = notices.overstayed(OVERSTAYED, OVERSTAYED.quote, NOW)
    assert english(notice) == "Your car stayed at Marktplatz 7 for 1 hour 21 minutes after the end: 4.80 EUR."
    assert RUSSIAN.words(notice).text.endswith("Лишнее время: 1 час 21 минута, к оплате 4,80 EUR.")


@pytest.mark.parametrize("write", NOTICES.values(), ids=NOTICES)
def test_a_notice_exists_once_and_leads_to_what_it_speaks_of(write: Write) -> None:
    notice = write(RESERVATION)
    assert write(RESERVATION).notification_id == notice.notification_id
    assert notice.user_id == RESERVATION.user_id
    assert notice.data["reservation_id"] == RESERVATION.reservation_id
    assert write(a_reservation()).notification_id != notice.notification_id


@pytest.mark.parametrize("status", TERMINAL)
def test_the_notice_of_an_end_exists_once_whenever_it_is_written(status: S) -> None:
    ended = EVERY_STATUS[status]
    assert notices.ended(ended, 0, NOW).notification_id == notices.ended(ended, 0, at(90)).notification_id


def test_the_end_is_told_once_for_each_end_that_the_stay_had() -> None:
    extendable, taken = NotificationKind.STAY_ENDING_EXTENDABLE, NotificationKind.STAY_ENDING_SPOT_TAKEN
    first = notices.ending(RESERVATION, extendable, ENDS, NOW)
    assert notices.ending(RESERVATION, taken, ENDS, NOW).notification_id == first.notification_id
    longer = a_reservation(
        user_id=RESERVATION.user_id, reservation_id=RESERVATION.reservation_id, ends_at=ENDS + 60 * MINUTE
    )
    assert notices.ending(longer, extendable, ENDS, NOW).notification_id != first.notification_id


def test_a_deposit_says_what_came_and_what_the_wallet_holds() -> None:
    notice = notices.deposited(a_payment(user_id=ANNA, amount_minor=2_000), WALLET, NOW)
    assert english(notice) == "20.00 EUR added; the wallet holds 25.50 EUR."
