"""What drivers are told. Each notice is written in the commit of the fact that it tells, with what it says as facts.

The words are in services/wording, one file per language: a new kind needs its words there.
"""

from datetime import datetime, timedelta

from parking.domain.ledger import Debt, Wallet
from parking.domain.notification import Notification, NotificationKind, notice
from parking.domain.payment import Payment, Refund
from parking.domain.reservation import TELL_BEFORE_END, Reservation
from parking.domain.tariff import Quote

_MINUTE = timedelta(minutes=1)


def _spelt(instant: datetime) -> str:
    """As the API spells it."""
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def _money(amount_minor: int, currency: str) -> dict[str, str]:
    return {"amount": str(amount_minor), "currency": currency}


def _about(
    reservation: Reservation,
    kind: NotificationKind,
    *,
    subject: tuple[str, ...],
    about: datetime,
    now: datetime,
    **facts: str,
) -> Notification:
    return notice(
        kind,
        user_id=reservation.user_id,
        speaks_of=(reservation.reservation_id, *subject),
        about=about,
        data={
            "reservation_id": reservation.reservation_id,
            "spot_id": reservation.spot_id,
            "spot_name": reservation.spot_name,
            "time_zone": reservation.time_zone,
            **facts,
        },
        now=now,
    )


def paid(reservation: Reservation, payment: Payment, now: datetime) -> Notification:
    """The reservation or extension is paid."""
    return _about(
        reservation,
        NotificationKind.PAYMENT_SUCCEEDED,
        subject=("PAYMENT_SUCCEEDED", payment.payment_id),
        about=payment.created_at,
        now=now,
        payment_id=payment.payment_id,
        ends_at=_spelt(reservation.ends_at),
        **_money(payment.amount_minor, payment.currency),
    )


def deposited(payment: Payment, wallet: Wallet, now: datetime) -> Notification:
    """The wallet holds more money."""
    return notice(
        NotificationKind.DEPOSIT_SUCCEEDED,
        user_id=payment.user_id,
        speaks_of=("DEPOSIT_SUCCEEDED", payment.payment_id),
        about=payment.created_at,
        data={
            "payment_id": payment.payment_id,
            "balance": str(wallet.balance_minor),
            **_money(payment.amount_minor, payment.currency),
        },
        now=now,
    )


def late_money(payment: Payment, now: datetime) -> Notification:
    """The card paid too late: the money goes back."""
    return notice(
        NotificationKind.LATE_PAYMENT_REFUNDED,
        user_id=payment.user_id,
        speaks_of=("LATE_PAYMENT_REFUNDED", payment.payment_id),
        about=payment.created_at,
        data={
            "payment_id": payment.payment_id,
            "reservation_id": payment.reservation_id or "",
            **_money(payment.amount_minor, payment.currency),
        },
        now=now,
    )


def refunded_to_wallet(holder: Payment, refund: Refund, now: datetime) -> Notification:
    """The card took no refund: the wallet holds it."""
    return notice(
        NotificationKind.REFUNDED_TO_WALLET,
        user_id=holder.user_id,
        speaks_of=("REFUNDED_TO_WALLET", refund.refund_id),
        about=refund.requested_at,
        data={"payment_id": holder.payment_id, **_money(refund.amount_minor, holder.currency)},
        now=now,
    )


def overstayed(reservation: Reservation, quote: Quote, now: datetime) -> Notification:
    """The time after the end is charged."""
    left_at = reservation.ended_at or now
    since = reservation.overstayed_since or left_at
    return _about(
        reservation,
        NotificationKind.OVERSTAY_CHARGED,
        subject=("OVERSTAY_CHARGED",),
        about=left_at,
        now=now,
        overstay_minutes=str(-((since - left_at) // _MINUTE)),
        **_money(quote.amount_minor, quote.currency),
    )


def debt(reservation: Reservation, owed: Debt, now: datetime) -> Notification:
    """The overstay could not be charged."""
    return _about(
        reservation,
        NotificationKind.OVERSTAY_DEBT,
        subject=("OVERSTAY_DEBT",),
        about=reservation.ended_at or now,
        now=now,
        **_money(owed.amount_minor, reservation.quote.currency),
    )


def ending(reservation: Reservation, kind: NotificationKind, latest_ends_at: datetime, now: datetime) -> Notification:
    """The stay ends soon: until when it can be extended, or why it cannot."""
    return _about(
        reservation,
        kind,
        subject=("STAY_ENDING", reservation.ends_at.isoformat()),
        about=reservation.ends_at - TELL_BEFORE_END,
        now=now,
        ends_at=_spelt(reservation.ends_at),
        latest_ends_at=_spelt(latest_ends_at),
        extendable=str(kind is NotificationKind.STAY_ENDING_EXTENDABLE).lower(),
    )


def ended(reservation: Reservation, refunded_minor: int, now: datetime) -> Notification:
    """The reservation has reached its end, whichever; what is refunded is of interest where it is cancelled."""
    ended_at = reservation.ended_at or now
    return _about(
        reservation,
        NotificationKind(f"RESERVATION_{reservation.status}"),
        subject=("ENDED",),
        about=ended_at,
        now=now,
        reason=reservation.reason or "",
        ended_at=_spelt(ended_at),
        **_money(refunded_minor, reservation.quote.currency),
    )
