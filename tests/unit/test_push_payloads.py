"""The platforms' own messages: the fields that Apple and Google document, and no more bytes than they take."""

import json
from datetime import timedelta

import pytest

from parking.adapters.push_payloads import PAYLOAD_BYTES_MAX, apns, apns_headers, fcm
from parking.domain.notification import NotificationKind
from parking.services.push_messages import message_of
from parking.services.wording.catalogue import LANGUAGES
from parking.services.wording.en import ENGLISH
from parking.services.wording.language import Language
from parking.services.wording.ru import RUSSIAN
from tests.builders import NOW, a_notification

N = NotificationKind
LONGEST_NAME = "🅿" * 100  # provisioning takes names of 100 characters
LONGEST_ID = "x" * 80
FACTS = {
    "reservation_id": "rsv_1", "spot_id": "spot_1", "spot_name": "Marktplatz 7", "time_zone": "Europe/Berlin",
    "amount": "480", "currency": "EUR", "balance": "2550", "ends_at": "2026-12-01T12:00:00Z", "payment_id": "pay_1",
    "latest_ends_at": "2026-12-02T12:00:00Z", "ended_at": "2026-12-01T12:00:00Z", "overstay_minutes": "81",
    "extendable": "true", "reason": "SPOT_OUT_OF_SERVICE",
    "starts_at": "2026-12-01T12:00:00Z", "grace_ends_at": "2026-12-01T12:00:00Z", "given_up_at": "2026-12-01T12:00:00Z",
    "offer_at": "2026-12-01T12:00:00Z",
    "price_per_hour": "480", "cap": "11520", "credit": "100", "other_spot_id": "spot_2", "other_spot_name": "Nebenan 1",
}  # fmt: skip
ENDING = a_notification(kind=N.STAY_ENDING_EXTENDABLE, data=FACTS, created_at=NOW + timedelta(minutes=150))
PAID = a_notification(kind=N.PAYMENT_SUCCEEDED, data=FACTS)


def test_apple_is_sent_an_alert_in_its_thread_with_the_apps_own_fields_beside_it() -> None:
    assert json.loads(apns(message_of(PAID, RUSSIAN))) == {
        "aps": {
            "alert": {"title": "Оплата получена", "body": "4,80 EUR за место «Marktplatz 7» до 13:00."},
            "sound": "default",
            "thread-id": "reservations/rsv_1",
            "interruption-level": "active",
        },
        **FACTS,
        "notification_id": PAID.notification_id,
        "kind": "PAYMENT_SUCCEEDED",
        "link": "smartparking://reservations/rsv_1",
    }


def test_apple_is_told_what_is_urgent_what_collapses_and_when_it_is_idle() -> None:
    urgent = message_of(ENDING, ENGLISH)
    assert json.loads(apns(urgent))["aps"]["interruption-level"] == "time-sensitive"
    assert apns_headers(urgent, "APNS_SANDBOX") == {
        "AWS.SNS.MOBILE.APNS.PUSH_TYPE": "alert",
        "AWS.SNS.MOBILE.APNS.COLLAPSE_ID": ENDING.notification_id,
        "AWS.SNS.MOBILE.APNS.PRIORITY": "10",
        "AWS.SNS.MOBILE.APNS_SANDBOX.TTL": "1800",
    }
    assert apns_headers(message_of(PAID, ENGLISH), "APNS") == {
        "AWS.SNS.MOBILE.APNS.PUSH_TYPE": "alert",
        "AWS.SNS.MOBILE.APNS.COLLAPSE_ID": PAID.notification_id,
        "AWS.SNS.MOBILE.APNS.PRIORITY": "5",
    }


def test_apples_collapse_id_is_short_enough() -> None:
    assert len(PAID.notification_id.encode()) <= 64


def test_google_is_sent_the_words_the_topic_and_the_data_as_texts() -> None:
    sent = json.loads(fcm(message_of(ENDING, ENGLISH)))["fcmV1Message"]["message"]
    assert sent["notification"]["title"] == "Your stay ends soon"
    assert sent["android"] == {
        "collapse_key": "STAY",
        "priority": "HIGH",
        "ttl": "1800s",
        "notification": {"tag": ENDING.notification_id},
    }
    assert sent["data"]["link"] == "smartparking://reservations/rsv_1"
    assert all(isinstance(value, str) for value in sent["data"].values())
    assert json.loads(fcm(message_of(PAID, ENGLISH)))["fcmV1Message"]["message"]["android"] == {
        "collapse_key": "MONEY",
        "priority": "NORMAL",
        "notification": {"tag": PAID.notification_id},
    }


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES)
@pytest.mark.parametrize("kind", N)
def test_the_longest_names_still_fit_into_what_the_platforms_take(language: Language, kind: N) -> None:
    ids = dict.fromkeys(("reservation_id", "spot_id", "payment_id"), LONGEST_ID)
    names = dict.fromkeys(("spot_name", "other_spot_name"), LONGEST_NAME)
    data = FACTS | ids | names | dict.fromkeys(("amount", "balance", "credit", "cap"), "9" * 12)
    message = message_of(a_notification(kind=kind, data=data), language)
    for payload in (apns(message), fcm(message)):
        assert LONGEST_NAME in payload
        assert len(payload.encode()) <= PAYLOAD_BYTES_MAX
