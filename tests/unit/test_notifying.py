"""The inbox, the phones, and the words."""

from collections.abc import Callable

import pytest

from parking.adapters.memory.push import MemoryPush
from parking.domain.errors import NotFound
from parking.domain.ids import DeviceId, NotificationId
from parking.domain.ledger import Wallet
from parking.domain.notification import Notification, NotificationKind, Platform, PushDevice
from parking.domain.reservation import Reservation
from parking.services import notices
from parking.services.notifications import knock, mark_read, register_device, sign_out_device
from tests.builders import NOW, a_notification, a_payment, a_reservation
from tests.unit.stays import ENDS, EVERY_STATUS, MINUTE, TERMINAL, S
from tests.unit.world import ANNA, BORIS, World, at

PHONE = DeviceId("phone")


def register(world: World, push: MemoryPush, token: str, platform: Platform = Platform.FCM) -> PushDevice:
    """Anna's phone."""
    return register_device(world.store, push, ANNA, PHONE, platform=platform, token=token)


def test_a_notice_is_read_once_and_the_first_time_counts(world: World) -> None:
    notice = a_notification(user_id=ANNA)
    world.store.commit(notice)
    assert mark_read(world.store, ANNA, notice.notification_id, at(1)).read_at == at(1)
    assert mark_read(world.store, ANNA, notice.notification_id, at(2)).read_at == at(1)


def test_another_drivers_notice_is_not_found(world: World) -> None:
    notice = a_notification(user_id=ANNA)
    world.store.commit(notice)
    for user, notification_id in ((BORIS, notice.notification_id), (ANNA, NotificationId("ntf_none"))):
        with pytest.raises(NotFound):
            mark_read(world.store, user, notification_id, at(1))


def test_a_phone_is_knocked_at(world: World) -> None:
    push, notice = MemoryPush(), a_notification(user_id=ANNA)
    device = register(world, push, "t1")
    assert knock(world.store, push, notice) == 1
    assert push.published == [(device.endpoint, notice)]


def test_a_phone_with_a_new_token_is_one_phone(world: World) -> None:
    push = MemoryPush()
    register(world, push, "t1")
    register(world, push, "t1")
    register(world, push, "t2")
    (device,) = world.store.push_devices(ANNA)
    assert (device.token, device.version) == ("t2", 2)


def test_a_phone_that_is_gone_is_forgotten_and_keeps_no_other_waiting(world: World) -> None:
    push, notice = MemoryPush(), a_notification(user_id=ANNA)
    gone = register(world, push, "t1")
    register_device(world.store, push, ANNA, DeviceId("tablet"), platform=Platform.APNS, token="t2")
    push.disable(gone.endpoint or "")
    assert knock(world.store, push, notice) == 1
    assert [device.device_id for device in world.store.push_devices(ANNA)] == ["tablet"]
    assert knock(world.store, push, notice) == 1


def test_where_a_platform_has_no_credentials_the_inbox_alone_tells(world: World) -> None:
    push = MemoryPush(platforms=[Platform.FCM])
    assert register(world, push, "t1", Platform.APNS).endpoint is None
    assert knock(world.store, push, a_notification(user_id=ANNA)) == 0
    assert len(world.store.push_devices(ANNA)) == 1


def test_only_the_drivers_own_phones_are_knocked_at(world: World) -> None:
    push = MemoryPush()
    register(world, push, "t1")
    assert knock(world.store, push, a_notification(user_id=BORIS)) == 0


def test_a_signed_out_phone_is_not_knocked_at(world: World) -> None:
    push = MemoryPush()
    register(world, push, "t1")
    sign_out_device(world.store, push, ANNA, PHONE)
    assert knock(world.store, push, a_notification(user_id=ANNA)) == 0
    with pytest.raises(NotFound):
        sign_out_device(world.store, push, ANNA, PHONE)


# The words


@pytest.mark.parametrize(
    ("amount_minor", "text"), [(0, "0.00 EUR"), (5, "0.05 EUR"), (450, "4.50 EUR"), (1_234_567, "12345.67 EUR")]
)
def test_money_is_written_as_a_person_reads_it(amount_minor: int, text: str) -> None:
    assert notices.money(amount_minor, "EUR") == text


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
    assert (notice.kind, notice.text) == (f"RESERVATION_{status}", text)
    assert notice.data["reason"] == EVERY_STATUS[status].reason


RESERVATION = a_reservation()
PAYMENT = a_payment(user_id=RESERVATION.user_id)
Write = Callable[[Reservation], Notification]
NOTICES: dict[str, Write] = {
    "paid": lambda r: notices.paid(r, PAYMENT, NOW),
    "ending": lambda r: notices.ending(r, NotificationKind.STAY_ENDING_EXTENDABLE, ENDS + 60 * MINUTE, NOW),
}


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
    wallet = Wallet(user_id=ANNA, currency="EUR", balance_minor=2_550)
    notice = notices.deposited(a_payment(user_id=ANNA, amount_minor=2_000), wallet, NOW)
    assert notice.text == "20.00 EUR added; the wallet holds 25.50 EUR."
