"""The inbox, a driver's wishes, and the knock at the phones."""

from datetime import timedelta

import pytest

from parking.adapters.memory.push import MemoryPush
from parking.domain.errors import InvalidField, NotFound
from parking.domain.ids import DeviceId, NotificationId, UserId
from parking.domain.notification import NotificationKind, Platform, PushDevice
from parking.domain.preferences import NotificationPreferences
from parking.domain.telling import MANNERS, MUTABLE, Topic
from parking.services.notifications import knock, language_of, mark_read, preferences_of, set_preferences
from parking.services.phones import register_device
from parking.services.ports import PushMessage
from parking.services.push_messages import message_of
from parking.services.wording.en import ENGLISH
from parking.services.wording.ru import RUSSIAN
from tests.builders import NOW, a_notification
from tests.unit.world import ANNA, BORIS, World, at

N = NotificationKind
FACTS = a_notification().data


class FailingPush(MemoryPush):
    """SNS answers 5xx for these tokens."""

    def __init__(self, *tokens: str) -> None:
        super().__init__()
        self.failing = set(tokens)

    def publish(self, endpoint: str, platform: Platform, message: PushMessage) -> None:
        """See Push."""
        if endpoint.rpartition("/")[2] in self.failing:
            raise TimeoutError(endpoint)
        super().publish(endpoint, platform, message)


def register(
    world: World, push: MemoryPush, token: str, user_id: UserId = ANNA, phone: str = "phone", locale: str | None = None
) -> PushDevice:
    """A phone of the driver."""
    return register_device(
        world.store, push, user_id, DeviceId(phone), platform=Platform.FCM, token=token, locale=locale
    )


def told(push: MemoryPush) -> list[str]:
    """The tokens that were knocked at."""
    return [endpoint.rpartition("/")[2] for endpoint, _ in push.published]


# The inbox


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


# The knock


def test_every_phone_of_the_driver_is_knocked_at(world: World) -> None:
    push, notice = MemoryPush(), a_notification(user_id=ANNA)
    register(world, push, "t1")
    register(world, push, "t2", phone="tablet")
    assert knock(world.store, push, notice) == 2
    assert [message.notification_id for _, message in push.published] == [notice.notification_id] * 2
    assert told(push) == ["t1", "t2"]


def test_a_phone_that_is_gone_is_forgotten_and_keeps_no_other_waiting(world: World) -> None:
    push, notice = MemoryPush(), a_notification(user_id=ANNA)
    gone = register(world, push, "t1")
    register(world, push, "t2", phone="tablet")
    push.disable(gone.endpoint or "")
    assert knock(world.store, push, notice) == 1
    assert [device.device_id for device in world.store.push_devices(ANNA)] == ["tablet"]
    assert knock(world.store, push, notice) == 1


def test_one_phones_failure_keeps_no_other_waiting_and_is_raised_for_the_retry(world: World) -> None:
    push, notice = FailingPush("t1"), a_notification(user_id=ANNA)
    register(world, push, "t1")
    register(world, push, "t2", phone="tablet")
    with pytest.raises(TimeoutError):
        knock(world.store, push, notice)
    assert told(push) == ["t2"]
    push.failing.clear()
    assert knock(world.store, push, notice) == 2
    assert {message.notification_id for _, message in push.published} == {notice.notification_id}


def test_where_a_platform_has_no_credentials_the_inbox_alone_tells(world: World) -> None:
    push = MemoryPush(platforms=[Platform.APNS])
    assert register(world, push, "t1").endpoint is None
    assert knock(world.store, push, a_notification(user_id=ANNA)) == 0
    assert len(world.store.push_devices(ANNA)) == 1


def test_only_the_drivers_own_phones_are_knocked_at(world: World) -> None:
    push = MemoryPush()
    register(world, push, "t1")
    assert knock(world.store, push, a_notification(user_id=BORIS)) == 0


# Wishes


def test_who_never_said_any_wishes_has_none(world: World) -> None:
    assert preferences_of(world.store, ANNA) == NotificationPreferences(user_id=ANNA)


def test_wishes_are_replaced_and_are_the_drivers_own(world: World) -> None:
    set_preferences(world.store, ANNA, locale="ru", muted=[N.PAYMENT_SUCCEEDED])
    set_preferences(world.store, ANNA, locale=None, muted=[N.DEPOSIT_SUCCEEDED, N.DEPOSIT_SUCCEEDED])
    wishes = preferences_of(world.store, ANNA)
    assert (wishes.locale, wishes.muted) == (None, frozenset({N.DEPOSIT_SUCCEEDED}))
    assert preferences_of(world.store, BORIS).muted == set()


@pytest.mark.parametrize("kind", sorted(MUTABLE))
def test_a_muted_kind_is_not_pushed_and_the_others_are(world: World, kind: N) -> None:
    push = MemoryPush()
    register(world, push, "t1")
    set_preferences(world.store, ANNA, locale=None, muted=[kind])
    assert knock(world.store, push, a_notification(user_id=ANNA, kind=kind, data=EVERY_FACT)) == 0
    assert knock(world.store, push, a_notification(user_id=ANNA, kind=N.OVERSTAY_DEBT)) == 1


EVERY_FACT = FACTS | {"balance": "5", "ended_at": FACTS["ends_at"], "latest_ends_at": FACTS["ends_at"]}
EVERY_FACT |= {"overstay_minutes": "1", "price_per_hour": "480", "cap": "11520", "credit": "100"}
EVERY_FACT |= dict.fromkeys(("starts_at", "grace_ends_at", "offer_at"), FACTS["ends_at"])
EVERY_FACT |= {"other_spot_id": "spot-b", "other_spot_name": "Nebenan 1"}


@pytest.mark.parametrize("kind", sorted(set(N) - MUTABLE))
def test_what_safety_or_money_needs_cannot_be_muted(world: World, kind: N) -> None:
    with pytest.raises(InvalidField, match=kind):
        set_preferences(world.store, ANNA, locale="ru", muted=[N.PAYMENT_SUCCEEDED, kind])
    assert preferences_of(world.store, ANNA).locale is None


def test_what_may_not_be_muted_any_more_is_told(world: World) -> None:
    push = MemoryPush()
    register(world, push, "t1")
    world.store.commit(NotificationPreferences(user_id=ANNA, muted=frozenset({N.OVERSTAY_DEBT})))
    assert knock(world.store, push, a_notification(user_id=ANNA, kind=N.OVERSTAY_DEBT)) == 1


def test_what_cannot_be_muted_is_written_down_once_more() -> None:
    """Money that moves by itself, a spot that is not theirs any more, and somebody who waits for it."""
    assert set(N) - MUTABLE == {
        N.LATE_PAYMENT_REFUNDED, N.REFUNDED_TO_WALLET, N.OVERSTAY_CHARGED, N.OVERSTAY_DEBT,
        N.RESERVATION_EXPIRED, N.RESERVATION_CANCELLED, N.STAY_ENDING_SPOT_TAKEN, N.SPOT_TAKEN_NEXT,
        N.OVERSTAY_WARNING, N.OVERSTAY_METERED, N.SPOT_STILL_OCCUPIED, N.SPOT_OCCUPIED_MOVE_OFFERED,
        N.SPOT_OCCUPIED_REFUND_OFFERED, N.CREDIT_GRANTED, N.GUARD_FAILED, N.SPOT_OUT_OF_SERVICE,
    }  # fmt: skip


# Whose language


@pytest.mark.parametrize(
    ("chosen", "phone", "title"),
    [
        (None, None, "Payment received"),
        (None, "ru-RU", "Оплата получена"),
        ("ru", "en-GB", "Оплата получена"),
        ("en", "ru", "Payment received"),
        ("et", "ru", "Оплата получена"),
    ],
)
def test_a_phone_speaks_what_the_driver_chose_else_its_own_language(
    world: World, chosen: str | None, phone: str | None, title: str
) -> None:
    push = MemoryPush()
    set_preferences(world.store, ANNA, locale=chosen, muted=[])
    register(world, push, "t1", locale=phone)
    knock(world.store, push, a_notification(user_id=ANNA))
    assert [message.title for _, message in push.published] == [title]


def test_the_inbox_speaks_what_the_driver_chose_else_what_the_request_asks_for(world: World) -> None:
    assert language_of(world.store, ANNA, ["ru"]) is RUSSIAN
    set_preferences(world.store, ANNA, locale="en", muted=[])
    assert language_of(world.store, ANNA, ["ru"]) is ENGLISH


# What a phone is sent


def test_every_kind_has_its_manner_and_no_more_topics_than_fcm_keeps() -> None:
    assert set(MANNERS) == set(N)
    assert len(Topic) <= 4


def sent(**over: object) -> PushMessage:
    return message_of(a_notification(**over), ENGLISH)


def test_a_notice_of_a_stay_leads_to_it_and_one_of_the_wallet_to_the_wallet() -> None:
    assert sent().data["link"] == "smartparking://reservations/rsv_1"
    without = {name: value for name, value in EVERY_FACT.items() if name != "reservation_id"}
    for data in (without, without | {"reservation_id": ""}):
        assert sent(kind=N.DEPOSIT_SUCCEEDED, data=data).data["link"] == "smartparking://wallet"


def test_what_is_said_of_the_end_is_urgent_and_not_delivered_after_it() -> None:
    ending = sent(kind=N.STAY_ENDING_SPOT_TAKEN, data=EVERY_FACT, created_at=NOW + timedelta(hours=2, minutes=30))
    assert (ending.urgent, ending.ttl) == (True, timedelta(minutes=30))
    late = sent(kind=N.STAY_ENDING_SPOT_TAKEN, data=EVERY_FACT, created_at=NOW + timedelta(hours=9))
    assert late.ttl == timedelta(seconds=1)
    assert (sent().urgent, sent().ttl) == (False, None)
