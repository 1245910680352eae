"""Invariant 9: each driver is told once of each thing, and it was true when it was written."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from parking.domain.ledger import REFUNDS, WALLET, Transaction, TransactionKind, Wallet
from parking.domain.notification import Notification, NotificationKind
from parking.domain.payment import Payment, PaymentStatus
from parking.domain.reservation import Reservation, ReservationStatus
from parking.domain.spot import Spot
from parking.services.wording.en import ENGLISH
from tests.simulation import check_guard, check_service, check_waiting, reference
from tests.simulation.violation import Violation

if TYPE_CHECKING:
    from tests.simulation.invariants import Commit

N = NotificationKind
ENDINGS = (N.STAY_ENDING_EXTENDABLE, N.STAY_ENDING_SPOT_TAKEN, N.STAY_ENDING_LONGEST)


def check(commit: "Commit", before: Notification | None, after: Notification) -> None:
    """Raises Violation."""
    if before is not None:
        if before.read_at or replace(after, read_at=None, version=before.version) != before:
            raise Violation(9, f"{after.notification_id} changed")
        return
    if after.kind in check_waiting.KINDS:
        [stay] = [r for r in commit.new(Reservation) if r.reservation_id == after.data["reservation_id"]]
        _once(commit, check_waiting.subject(after, stay))
        check_waiting.check(commit, after, stay)
        return
    _once(commit, _subject(after))
    match after.kind:
        case N.GUARD_FAILED:
            check_guard.check_notice(commit, after)
        case N.SPOT_OUT_OF_SERVICE:
            check_service.check_notice(commit, after)
        case N.PAYMENT_SUCCEEDED:
            _payment(commit, after)
        case N.DEPOSIT_SUCCEEDED:
            _deposit(commit, after)
        case N.LATE_PAYMENT_REFUNDED | N.REFUNDED_TO_WALLET | N.OVERSTAY_CHARGED | N.OVERSTAY_DEBT:
            commit.covered(f"notice {after.kind}")
            _money_back_or_owed(commit, after)
        case kind if kind in ENDINGS:
            commit.covered(f"notice {kind}")
            _ending(commit, after)
        case _:
            _ended(commit, after)


def _once(commit: "Commit", subject: tuple[str, ...]) -> None:
    if subject in commit.memory.told:
        raise Violation(9, f"told twice: {subject}")
    commit.memory.told.add(subject)


def _subject(notice: Notification) -> tuple[str, ...]:
    if notice.kind in ENDINGS:
        return ("ending", notice.data["reservation_id"], notice.data["ends_at"])
    if notice.kind in (N.PAYMENT_SUCCEEDED, N.DEPOSIT_SUCCEEDED):
        return ("payment", notice.data["payment_id"])
    if notice.kind in (N.LATE_PAYMENT_REFUNDED, N.OVERSTAY_CHARGED, N.OVERSTAY_DEBT, N.RESERVATION_EXPIRED):
        return (notice.kind, notice.data["reservation_id"], notice.data.get("payment_id", ""))
    if notice.kind in (N.GUARD_FAILED, N.SPOT_OUT_OF_SERVICE):
        return (notice.kind, notice.notification_id)
    if notice.kind is N.REFUNDED_TO_WALLET:
        return ("refund", notice.notification_id)
    return ("ended", notice.data["reservation_id"])


def _money(amount_minor: int) -> str:
    return f"{amount_minor // 100:,}.{amount_minor % 100:02d}"


def _spelt(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def _must_state(notice: Notification, **facts: object) -> None:
    for name, value in facts.items():
        if notice.data.get(name) != str(value):
            raise Violation(9, f"{notice.kind} states {name} as {notice.data.get(name)}, it is {value}")


def _clock(instant: datetime, time_zone: str) -> str:
    return instant.astimezone(ZoneInfo(time_zone)).strftime("%H:%M")


def _must_say(notice: Notification, *words: str) -> None:
    text = _text(notice)
    for word in words:
        if word not in text:
            raise Violation(9, f"{notice.kind} does not say {word}: {text}")


def _text(notice: Notification) -> str:
    return ENGLISH.words(notice).text


def _payment(commit: "Commit", notice: Notification) -> None:
    for payment in commit.new(Payment):
        if payment.payment_id == notice.data["payment_id"] and payment.status is PaymentStatus.SUCCEEDED:
            [reservation] = [r for r in commit.new(Reservation) if r.reservation_id == payment.reservation_id]
            ends = _clock(reservation.ends_at, reservation.time_zone)
            _must_state(notice, amount=payment.amount_minor, ends_at=_spelt(reservation.ends_at))
            return _must_say(notice, _money(payment.amount_minor), f"until {ends}")
    raise Violation(9, f"told of a payment that did not succeed: {notice.data}")


def _deposit(commit: "Commit", notice: Notification) -> None:
    for payment in commit.new(Payment):
        if payment.payment_id == notice.data["payment_id"] and payment.status is PaymentStatus.SUCCEEDED:
            [wallet] = commit.new(Wallet)
            _must_state(notice, amount=payment.amount_minor, balance=wallet.balance_minor)
            return _must_say(notice, _money(payment.amount_minor), f"holds {_money(wallet.balance_minor)}")
    raise Violation(9, f"told of a deposit that did not come: {notice.data}")


def _money_back_or_owed(commit: "Commit", notice: Notification) -> None:
    """The amount is one that the same commit speaks of."""
    amounts = {abs(entry.amount_minor) for t in commit.new(Transaction) for entry in t.entries}
    amounts |= {r.overstay.quote.amount_minor for r in commit.new(Reservation) if r.overstay}
    amounts |= {debt.amount_minor for wallet in commit.new(Wallet) for debt in wallet.debts}
    if int(notice.data["amount"]) not in amounts:
        raise Violation(9, f"{notice.kind} speaks of no amount of {amounts}: {notice.data}")
    _must_say(notice, _money(int(notice.data["amount"])))


def _ended(commit: "Commit", notice: Notification) -> None:
    for reservation in commit.new(Reservation):
        if reservation.reservation_id == notice.data["reservation_id"]:
            if notice.kind is not N(f"RESERVATION_{reservation.status}"):
                break
            if reservation.status is ReservationStatus.CANCELLED:
                refunds = [t for t in commit.new(Transaction) if t.kind is TransactionKind.REFUND]
                back_minor = sum(t.amount_on(WALLET) + t.amount_on(REFUNDS) for t in refunds)
                _must_state(notice, amount=back_minor)
                _must_say(notice, f"Refund: {_money(back_minor)}")
            return
    raise Violation(9, f"told what is not so: {notice.data}")


def _ending(commit: "Commit", notice: Notification) -> None:
    [reservation] = [r for r in commit.new(Reservation) if r.reservation_id == notice.data["reservation_id"]]
    if not reservation.ends_at - reference.TELL <= commit.now < reservation.ends_at:
        raise Violation(9, f"told at {commit.now} that the stay ends at {reservation.ends_at}")
    spot = commit.world.store.get(Spot, reservation.spot_id)
    step = timedelta(minutes=spot.tariff.step_minutes if spot else 0)
    others = commit.at_spot(reservation.spot_id)
    latest = reference.latest_end(reservation, others)
    _must_state(notice, ends_at=_spelt(reservation.ends_at), latest_ends_at=_spelt(latest))
    _must_say(notice, f"ends at {_clock(reservation.ends_at, reservation.time_zone)}")
    if latest >= reservation.ends_at + step:
        _must_say(notice, f"extend it until {_clock(latest, reservation.time_zone)}")
    elif reference.taken_next(reservation, others, step):
        if commit.now >= reservation.ends_at - reference.TELL_TAKEN:  # so near that once is enough
            _once(commit, ("taken", reservation.reservation_id, notice.data["ends_at"]))
        _must_say(notice, "Somebody else has the spot next")
    else:
        _must_say(notice, "cannot be extended any further")
