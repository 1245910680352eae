"""What drivers are told. Each notice is written in the commit of the fact that it tells, with what it says as facts.

The words are in services/wording, one file per language: a new kind needs its words there.
"""

from datetime import datetime, timedelta

from parking.domain.displacing import OFFER_AFTER_START, given_up_at
from parking.domain.ending import GRACE
from parking.domain.ledger import Debt, Wallet
from parking.domain.notification import Notification, NotificationKind, notice
from parking.domain.payment import Payment, Refund
from parking.domain.reservation import TELL_BEFORE_END, TELL_TAKEN_BEFORE_END, Reservation
from parking.domain.spot import Spot
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


def taken_next(reservation: Reservation, now: datetime) -> Notification:
    """The stay ends very soon, and somebody has the spot next."""
    return _about(
        reservation,
        NotificationKind.SPOT_TAKEN_NEXT,
        subject=("SPOT_TAKEN_NEXT", reservation.ends_at.isoformat()),
        about=reservation.ends_at - TELL_TAKEN_BEFORE_END,
        now=now,
        ends_at=_spelt(reservation.ends_at),
    )


def overstaying(reservation: Reservation, now: datetime) -> Notification:
    """The time is over and the car is seen: until when leaving is free, and what staying costs, or costs already."""
    metered = reservation.overstayed_since is not None
    terms = reservation.overstay_terms
    return _about(
        reservation,
        NotificationKind.OVERSTAY_METERED if metered else NotificationKind.OVERSTAY_WARNING,
        subject=("OVERSTAY_WARNING",),
        about=reservation.ends_at,
        now=now,
        ends_at=_spelt(reservation.ends_at),
        grace_ends_at=_spelt(reservation.ends_at + GRACE),
        price_per_hour=str(terms.price_per_hour_minor),
        cap=str(terms.cap_minor),
        currency=reservation.quote.currency,
    )


def still_occupied(reservation: Reservation, now: datetime) -> Notification:
    """The car of the stay before still stands on the spot; what happens if it does not leave."""
    return _about(
        reservation,
        NotificationKind.SPOT_STILL_OCCUPIED,
        subject=("SPOT_STILL_OCCUPIED",),
        about=reservation.starts_at,
        now=now,
        starts_at=_spelt(reservation.starts_at),
        offer_at=_spelt(reservation.starts_at + OFFER_AFTER_START),
    )


def offered(
    reservation: Reservation, nearest: Spot | None, refund_minor: int, credit_minor: int, now: datetime
) -> Notification:
    """The spot is occupied: another one for the same price, if there is one, or all money back with a credit."""
    kind = NotificationKind.SPOT_OCCUPIED_MOVE_OFFERED if nearest else NotificationKind.SPOT_OCCUPIED_REFUND_OFFERED
    other = {"other_spot_id": nearest.spot_id, "other_spot_name": nearest.name} if nearest else {}
    return _about(
        reservation,
        kind,
        subject=("SPOT_OCCUPIED_OFFER", reservation.moved.at.isoformat() if reservation.moved else ""),
        about=reservation.starts_at,
        now=now,
        **other,
        **_money(refund_minor, reservation.quote.currency),
        credit=str(credit_minor),
    )


def guard_failed(reservation: Reservation, now: datetime) -> Notification:
    """The barrier does not guard the spot: somebody may stand there, and all money is back for the asking."""
    return _about(
        reservation,
        NotificationKind.GUARD_FAILED,
        subject=("GUARD_FAILED", reservation.moved.at.isoformat() if reservation.moved else ""),
        about=reservation.starts_at,
        now=now,
        starts_at=_spelt(reservation.starts_at),
        ends_at=_spelt(reservation.ends_at),
    )


def out_of_service(reservation: Reservation, now: datetime) -> Notification:
    """The spot is out of service: another one for the same price, or all money back, and when that comes by itself."""
    return _about(
        reservation,
        NotificationKind.SPOT_OUT_OF_SERVICE,
        subject=("SPOT_OUT_OF_SERVICE", _spelt(reservation.unserved_at or now)),
        about=reservation.starts_at,
        now=now,
        starts_at=_spelt(reservation.starts_at),
        given_up_at=_spelt(given_up_at(reservation)),
    )


def credited(reservation: Reservation, credit_minor: int, now: datetime) -> Notification:
    """The wallet got an apology beside the refund."""
    return _about(
        reservation,
        NotificationKind.CREDIT_GRANTED,
        subject=("CREDIT_GRANTED",),
        about=reservation.ended_at or now,
        now=now,
        **_money(credit_minor, reservation.quote.currency),
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
