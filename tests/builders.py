"""Aggregates for tests: each builder gives a valid one, and takes what the test is about by keyword."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

from parking.domain.blocker import (
    Blocker,
    Command,
    Connectivity,
    Occupancy,
    Position,
    Report,
    Result,
)
from parking.domain.calendar import CalendarDay, Claim
from parking.domain.customer import Customer, PaymentMethod
from parking.domain.ids import (
    BlockerId,
    CommandId,
    DeviceId,
    ExtensionId,
    NotificationId,
    PaymentId,
    RefundId,
    ReservationId,
    SpotId,
    UserId,
    timed_id,
)
from parking.domain.ledger import REVENUE, WALLET, Transaction, TransactionKind, Wallet, moved, record
from parking.domain.notification import EndpointOwner, Notification, NotificationKind, Platform, PushDevice
from parking.domain.payment import Method, Payment, PaymentStatus, Purpose, Refund
from parking.domain.pricing import quote_extension, quote_stay
from parking.domain.reservation import HOLD, Extension, ExtensionStatus, Reservation, ReservationStatus
from parking.domain.spot import Location, Spot
from parking.domain.tariff import Tariff
from parking.domain.time import Interval

NOW = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
TARIFF = Tariff(price_per_hour_minor=240, currency="EUR")


def a_user_id() -> UserId:
    """A driver whom nobody has met yet."""
    return UserId(str(uuid4()))


def an_interval(start_minutes: int = 60, duration_minutes: int = 120) -> Interval:
    """An interval that begins so many minutes after NOW."""
    starts_at = NOW + timedelta(minutes=start_minutes)
    return Interval(starts_at, starts_at + timedelta(minutes=duration_minutes))


def a_spot(**over: Any) -> Spot:
    """A spot in service, with a blocker of its own."""
    spot = Spot(
        spot_id=SpotId(f"spot-{uuid4().hex[:12]}"),
        name="Marktplatz 7",
        address="Marktplatz 7, 10117 Berlin",
        location=Location(52.5163, 13.3777),
        time_zone="Europe/Berlin",
        tariff=TARIFF,
        blocker_id=BlockerId(f"blocker-{uuid4().hex[:12]}"),
    )
    return replace(spot, **over)


def a_claim(**over: Any) -> Claim:
    """A claim on the stay that a reservation has by default."""
    claim = Claim.of(a_user_id(), ReservationId(f"rsv_{uuid4().hex[:24]}"), an_interval(), turnover_minutes=10)
    return replace(claim, **over)


def a_calendar_day(**over: Any) -> CalendarDay:
    """A day without claims."""
    return replace(CalendarDay(SpotId(f"spot-{uuid4().hex[:12]}"), date(2026, 12, 1)), **over)


def a_reservation(**over: Any) -> Reservation:
    """A reservation that was just made: HELD, for two hours from an hour after NOW."""
    stay = an_interval()
    reservation = Reservation(
        user_id=a_user_id(),
        reservation_id=ReservationId(f"rsv_{uuid4().hex[:24]}"),
        spot_id=SpotId("spot-a"),
        spot_name="Marktplatz 7",
        time_zone="Europe/Berlin",
        blocker_id=BlockerId("blocker-a"),
        turnover_minutes=10,
        vehicle_plate="B-AB 123",
        starts_at=stay.starts_at,
        ends_at=stay.ends_at,
        booked_ends_at=stay.ends_at,
        quote=quote_stay(TARIFF, stay, "Europe/Berlin"),
        overstay_terms=TARIFF.overstay,
        status=ReservationStatus.HELD,
        hold_expires_at=NOW + HOLD,
        fingerprint="0" * 64,
        created_at=NOW,
    )
    return replace(reservation, **over)


def an_extension(**over: Any) -> Extension:
    """One more hour for the default reservation, held."""
    stay = an_interval()
    longer = Interval(stay.starts_at, stay.ends_at + timedelta(hours=1))
    extension = Extension(
        extension_id=ExtensionId(f"ext_{uuid4().hex[:24]}"),
        previous_ends_at=stay.ends_at,
        ends_at=longer.ends_at,
        quote=quote_extension(TARIFF, stay, longer, "Europe/Berlin"),
        status=ExtensionStatus.HELD,
        hold_expires_at=NOW + HOLD,
        fingerprint="0" * 64,
        created_at=NOW,
    )
    return replace(extension, **over)


def a_payment(**over: Any) -> Payment:
    """A card payment for a reservation, not yet sent to Stripe."""
    payment = Payment(
        user_id=a_user_id(),
        payment_id=PaymentId(f"pay_{uuid4().hex[:24]}"),
        purpose=Purpose.RESERVATION,
        method=Method.CARD,
        amount_minor=480,
        currency="EUR",
        status=PaymentStatus.PENDING,
        reservation_id=ReservationId(f"rsv_{uuid4().hex[:24]}"),
        extension_id=None,
        fingerprint="0" * 64,
        created_at=NOW,
    )
    return replace(payment, **over)


def a_refund(**over: Any) -> Refund:
    """All of the default payment on its way back to its card, Stripe not asked yet."""
    refund = Refund(
        refund_id=RefundId(f"rfd_{uuid4().hex[:24]}"),
        source_id=PaymentId("pay_1"),
        intent_id="pi_1",
        amount_minor=480,
        requested_at=NOW,
    )
    return replace(refund, **over)


def a_payment_method(**over: Any) -> PaymentMethod:
    """A saved card."""
    payment_method = PaymentMethod(
        payment_method_id=f"pm_{uuid4().hex[:24]}",
        brand="visa",
        last4="4242",
        expires_month=12,
        expires_year=2030,
        added_at=NOW,
    )
    return replace(payment_method, **over)


def a_customer(**over: Any) -> Customer:
    """A driver at Stripe, without a card."""
    return replace(Customer(user_id=a_user_id(), customer_id=f"cus_{uuid4().hex[:14]}"), **over)


def a_wallet(**over: Any) -> Wallet:
    """An empty wallet that was never stored."""
    return replace(Wallet(user_id=a_user_id(), currency="EUR"), **over)


def a_transaction(**over: Any) -> Transaction:
    """A payment of 480 from the wallet."""
    transaction = record(
        TransactionKind.WALLET_PAYMENT,
        user_id=a_user_id(),
        payment_id=PaymentId(f"pay_{uuid4().hex[:24]}"),
        reservation_id=ReservationId(f"rsv_{uuid4().hex[:24]}"),
        entries=moved(480, debit=WALLET, credit=REVENUE),
        currency="EUR",
        now=NOW,
    )
    return replace(transaction, **over)


def a_notification(**over: Any) -> Notification:
    """An unread notice; its id sorts by `created_at`."""
    created_at = over.get("created_at", NOW)
    notification = Notification(
        user_id=a_user_id(),
        notification_id=NotificationId(timed_id("ntf", created_at, uuid4().hex)),
        kind=NotificationKind.PAYMENT_SUCCEEDED,
        data={
            "reservation_id": "rsv_1",
            "spot_id": "spot_1",
            "spot_name": "Marktplatz 7",
            "time_zone": "Europe/Berlin",
            "amount": "480",
            "currency": "EUR",
            "ends_at": "2026-12-01T12:00:00Z",
            "payment_id": "pay_1",
        },
        created_at=created_at,
    )
    return replace(notification, **over)


def a_push_device(**over: Any) -> PushDevice:
    """A phone that push can reach."""
    device = PushDevice(
        user_id=a_user_id(),
        device_id=DeviceId(f"device-{uuid4().hex[:12]}"),
        platform=Platform.FCM,
        token=uuid4().hex,
        locale="ru-RU",
        endpoint="arn:aws:sns:eu-central-1:000000000000:endpoint/GCM/app/1",
    )
    return replace(device, **over)


def an_endpoint_owner(**over: Any) -> EndpointOwner:
    """Who registered the endpoint of such a phone."""
    owner = EndpointOwner(
        endpoint=f"arn:aws:sns:eu-central-1:000000000000:endpoint/GCM/app/{uuid4().hex}",
        user_id=a_user_id(),
        device_id=DeviceId("phone"),
    )
    return replace(owner, **over)


def a_report(**over: Any) -> Report:
    """A healthy device: lowered, nobody on the spot."""
    report = Report(
        position=Position.LOWERED,
        occupancy=Occupancy.VACANT,
        command_id=CommandId("cmd_1"),
        result=Result.DONE,
        reason=None,
        battery_percent=90,
        tamper=False,
        manual_override=False,
        firmware="1.0.0",
        at=NOW,
        received_at=NOW,
    )
    return replace(report, **over)


def a_command(**over: Any) -> Command:
    """A pending RAISE."""
    command = Command(
        command_id=CommandId(f"cmd_{uuid4().hex[:24]}"),
        position=Position.RAISED,
        user_id=a_user_id(),
        reservation_id=ReservationId(f"rsv_{uuid4().hex[:24]}"),
        created_at=NOW,
        expires_at=NOW + timedelta(minutes=2),
    )
    return replace(command, **over)


def a_blocker(**over: Any) -> Blocker:
    """A connected blocker that has reported."""
    blocker = Blocker(
        blocker_id=BlockerId(f"blocker-{uuid4().hex[:12]}"),
        spot_id=SpotId("spot-a"),
        certificate_id="0" * 64,
        connectivity=Connectivity.ONLINE,
        presence_at=NOW,
        presence_version=1,
        shadow_version=1,
        report=a_report(),
    )
    return replace(blocker, **over)
