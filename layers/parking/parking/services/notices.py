"""The texts of what drivers are told. Each notice is written in the commit of the fact that it tells."""

from datetime import datetime

from parking.domain.ledger import Debt, Wallet
from parking.domain.notification import Notification, NotificationKind, notice
from parking.domain.payment import Payment, Refund
from parking.domain.reservation import TELL_BEFORE_END, Reservation
from parking.domain.tariff import Quote
from parking.domain.time import local_clock


def money(amount_minor: int, currency: str) -> str:
    """An amount as a person reads it: 4.50 EUR. Every currency we sell in has two decimals."""
    return f"{amount_minor // 100}.{amount_minor % 100:02d} {currency}"


def _clock(reservation: Reservation, instant: datetime, now: datetime) -> str:
    return local_clock(instant, reservation.time_zone, now)


def _about(
    reservation: Reservation,
    kind: NotificationKind,
    *,
    subject: tuple[str, ...],
    about: datetime,
    title: str,
    text: str,
    now: datetime,
    **data: str,
) -> Notification:
    return notice(
        kind,
        user_id=reservation.user_id,
        speaks_of=(reservation.reservation_id, *subject),
        about=about,
        title=title,
        text=text,
        data={"reservation_id": reservation.reservation_id, "spot_id": reservation.spot_id, **data},
        now=now,
    )


def paid(reservation: Reservation, payment: Payment, now: datetime) -> Notification:
    """The reservation or extension is paid."""
    return _about(
        reservation,
        NotificationKind.PAYMENT_SUCCEEDED,
        subject=("PAYMENT_SUCCEEDED", payment.payment_id),
        about=payment.created_at,
        title="Payment received",
        text=f"{money(payment.amount_minor, payment.currency)} for {reservation.spot_name} until "
        f"{_clock(reservation, reservation.ends_at, now)}.",
        now=now,
        payment_id=payment.payment_id,
    )


def deposited(payment: Payment, wallet: Wallet, now: datetime) -> Notification:
    """The wallet holds more money."""
    return notice(
        NotificationKind.DEPOSIT_SUCCEEDED,
        user_id=payment.user_id,
        speaks_of=("DEPOSIT_SUCCEEDED", payment.payment_id),
        about=payment.created_at,
        title="Wallet topped up",
        text=f"{money(payment.amount_minor, payment.currency)} added; the wallet holds "
        f"{money(wallet.balance_minor, wallet.currency)}.",
        data={"payment_id": payment.payment_id},
        now=now,
    )


def late_money(payment: Payment, now: datetime) -> Notification:
    """The card paid too late: the money goes back."""
    return notice(
        NotificationKind.LATE_PAYMENT_REFUNDED,
        user_id=payment.user_id,
        speaks_of=("LATE_PAYMENT_REFUNDED", payment.payment_id),
        about=payment.created_at,
        title="Payment refunded",
        text=f"Your card paid {money(payment.amount_minor, payment.currency)} when it was too late; "
        "all of it is on its way back to the card.",
        data={"payment_id": payment.payment_id, "reservation_id": payment.reservation_id or ""},
        now=now,
    )


def refunded_to_wallet(holder: Payment, refund: Refund, now: datetime) -> Notification:
    """The card took no refund: the wallet holds it."""
    return notice(
        NotificationKind.REFUNDED_TO_WALLET,
        user_id=holder.user_id,
        speaks_of=("REFUNDED_TO_WALLET", refund.refund_id),
        about=refund.requested_at,
        title="Refund in your wallet",
        text=f"Your bank did not take {money(refund.amount_minor, holder.currency)} back onto the card, "
        "so the money is in your wallet.",
        data={"payment_id": holder.payment_id},
        now=now,
    )


def overstayed(reservation: Reservation, quote: Quote, now: datetime) -> Notification:
    """The time after the end is charged."""
    return _about(
        reservation,
        NotificationKind.OVERSTAY_CHARGED,
        subject=("OVERSTAY_CHARGED",),
        about=reservation.ended_at or now,
        title="Overstay",
        text=f"Your car stayed after the end at {reservation.spot_name}. {quote.lines[0].text}: "
        f"{money(quote.amount_minor, quote.currency)}.",
        now=now,
    )


def debt(reservation: Reservation, owed: Debt, now: datetime) -> Notification:
    """The overstay could not be charged."""
    return _about(
        reservation,
        NotificationKind.OVERSTAY_DEBT,
        subject=("OVERSTAY_DEBT",),
        about=reservation.ended_at or now,
        title="Overstay not paid",
        text=f"{money(owed.amount_minor, reservation.quote.currency)} for your overstay at {reservation.spot_name} "
        "could not be charged. Pay it in the app to reserve again.",
        now=now,
    )


_BEFORE_THE_END = {
    NotificationKind.STAY_ENDING_EXTENDABLE: "You can extend it until {latest}.",
    NotificationKind.STAY_ENDING_SPOT_TAKEN: "Somebody else has the spot next, so it cannot be extended.",
    NotificationKind.STAY_ENDING_LONGEST: "It cannot be extended any further.",
}


def ending(reservation: Reservation, kind: NotificationKind, latest_ends_at: datetime, now: datetime) -> Notification:
    """The stay ends soon: until when it can be extended, or why it cannot."""
    text = f"Your stay at {reservation.spot_name} ends at {_clock(reservation, reservation.ends_at, now)}. "
    text += _BEFORE_THE_END[kind].format(latest=_clock(reservation, latest_ends_at, now))
    return _about(
        reservation,
        kind,
        subject=("STAY_ENDING", reservation.ends_at.isoformat()),
        about=reservation.ends_at - TELL_BEFORE_END,
        title="Your stay ends soon",
        text=text,
        now=now,
        ends_at=reservation.ends_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        latest_ends_at=latest_ends_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        extendable=str(kind is NotificationKind.STAY_ENDING_EXTENDABLE).lower(),
    )


_ENDINGS = {
    NotificationKind.RESERVATION_EXPIRED: ("Reservation expired", "The reservation of {spot} was not paid in time."),
    NotificationKind.RESERVATION_COMPLETED: (
        "Stay completed",
        "Your stay at {spot} ended at {ended}. The receipt is ready.",
    ),
    NotificationKind.RESERVATION_NO_SHOW: (
        "You did not arrive",
        "Your time at {spot} ended at {ended} without an arrival.",
    ),
    NotificationKind.RESERVATION_CANCELLED: (
        "Reservation cancelled",
        "The reservation of {spot} is cancelled. Refund: {refund}.",
    ),
}


def ended(reservation: Reservation, refunded_minor: int, now: datetime) -> Notification:
    """The reservation has reached its end, whichever."""
    kind = NotificationKind(f"RESERVATION_{reservation.status}")
    title, text = _ENDINGS[kind]
    return _about(
        reservation,
        kind,
        subject=("ENDED",),
        about=reservation.ended_at or now,
        title=title,
        text=text.format(
            spot=reservation.spot_name,
            ended=_clock(reservation, reservation.ended_at or now, now),
            refund=money(refunded_minor, reservation.quote.currency),
        ),
        now=now,
        reason=reservation.reason or "",
    )
