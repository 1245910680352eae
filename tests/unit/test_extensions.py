"""An extension: held, paid, and only then part of the stay."""

from datetime import timedelta

import pytest

from parking.domain.ending import cancel, depart, expire_hold, mark_told
from parking.domain.errors import (
    AlreadyPaid,
    ExtensionUnavailable,
    HoldExpired,
    NotFound,
    WrongState,
)
from parking.domain.extending import check_extendable, confirm_extension, hold_extension
from parking.domain.reservation import ExtensionStatus, Reservation
from parking.domain.time import Interval
from parking.services.open_payments import payable_of
from tests.builders import NOW, an_extension
from tests.unit.stays import ACTIVE, CONFIRMED, ENDS, EVERY_STATUS, MINUTE, PAYMENT, STARTS, TERMINAL, S

LONGER = an_extension(ends_at=ENDS + 60 * MINUTE, hold_expires_at=STARTS + 40 * MINUTE)
EXTENDING = hold_extension(ACTIVE, LONGER, ENDS + 60 * MINUTE, STARTS + 30 * MINUTE)


def test_the_end_moves_when_the_extension_is_paid() -> None:
    assert EXTENDING.ends_at == ENDS
    told = mark_told(EXTENDING, taken=False, now=NOW)
    paid = confirm_extension(told, LONGER, PAYMENT, STARTS + 31 * MINUTE)
    assert paid.ends_at == ENDS + 60 * MINUTE
    assert paid.extensions[0].status is ExtensionStatus.CONFIRMED
    assert paid.payment_ids == (PAYMENT.payment_id, PAYMENT.payment_id)
    assert paid.told_end != paid.ends_at


def test_a_held_extension_claims_its_time_and_gives_it_back_when_it_lapses() -> None:
    assert EXTENDING.claim is not None
    assert EXTENDING.claim.stay == Interval(STARTS, ENDS + 60 * MINUTE)
    lapsed = expire_hold(EXTENDING, LONGER.hold_expires_at)
    assert (lapsed.status, lapsed.ends_at, lapsed.claim) == (S.ACTIVE, ENDS, ACTIVE.claim)
    assert lapsed.extensions[0].status is ExtensionStatus.EXPIRED


@pytest.mark.parametrize("status", [S.HELD, *TERMINAL])
def test_only_a_paid_stay_can_be_extended(status: S) -> None:
    with pytest.raises(WrongState):
        check_extendable(EVERY_STATUS[status], STARTS)
    with pytest.raises(WrongState):
        hold_extension(EVERY_STATUS[status], LONGER, LONGER.ends_at, STARTS)


def test_a_stay_that_is_over_cannot_be_extended() -> None:
    check_extendable(ACTIVE, ENDS - timedelta(microseconds=1))
    with pytest.raises(WrongState):
        check_extendable(ACTIVE, ENDS)


def test_one_extension_waits_for_its_payment_at_a_time() -> None:
    with pytest.raises(WrongState):
        hold_extension(EXTENDING, an_extension(), ENDS + 60 * MINUTE, STARTS + 31 * MINUTE)


def test_an_extension_over_the_latest_end_is_refused_and_says_until_when() -> None:
    with pytest.raises(ExtensionUnavailable) as refusal:
        hold_extension(ACTIVE, LONGER, LONGER.ends_at - MINUTE, STARTS)
    assert refusal.value.data == {"latest_ends_at": LONGER.ends_at - MINUTE}


def test_an_extension_is_paid_once_in_time_and_by_its_own_name() -> None:
    paid = confirm_extension(EXTENDING, LONGER, PAYMENT, STARTS + 31 * MINUTE)
    with pytest.raises(AlreadyPaid):
        confirm_extension(paid, paid.extensions[0], PAYMENT, STARTS + 32 * MINUTE)
    with pytest.raises(HoldExpired):
        confirm_extension(EXTENDING, LONGER, PAYMENT, LONGER.hold_expires_at)
    lapsed = expire_hold(EXTENDING, LONGER.hold_expires_at)
    with pytest.raises(HoldExpired):
        confirm_extension(lapsed, lapsed.extensions[0], PAYMENT, STARTS + 31 * MINUTE)
    with pytest.raises(NotFound):
        payable_of(ACTIVE, LONGER.extension_id, STARTS + 31 * MINUTE)


@pytest.mark.parametrize(
    "ended",
    [
        depart(EXTENDING, STARTS + 35 * MINUTE),
        cancel(hold_extension(CONFIRMED, LONGER, LONGER.ends_at, NOW), STARTS - MINUTE),
    ],
    ids=["departed", "cancelled"],
)
def test_a_stay_that_ends_takes_its_open_extension_with_it(ended: Reservation) -> None:
    assert [e.status for e in ended.extensions] == [ExtensionStatus.EXPIRED]
    with pytest.raises(HoldExpired):
        confirm_extension(ended, ended.extensions[0], PAYMENT, STARTS + 31 * MINUTE)
