"""A driver whose spot is still occupied by the stay before: told, offered another spot, or the money and a credit."""

from dataclasses import replace
from typing import Any

import pytest

from parking.domain.blocker import Occupancy, Position
from parking.domain.displacing import credit_minor
from parking.domain.errors import NotFound, SpotNotYetFree, SpotUnavailable, WrongState
from parking.domain.guarding import blockers_to_tell
from parking.domain.ids import SpotId
from parking.domain.ledger import GOODWILL, WALLET, Entry, TransactionKind, Wallet
from parking.domain.payment import Method, Payment
from parking.domain.reservation import EndReason, ExtensionStatus, Reservation, ReservationStatus
from parking.domain.spot import Location, ServiceState, Spot
from parking.domain.time import Interval
from parking.services import bookings, displaced
from parking.services.blockers import reconcile
from tests.builders import TARIFF, a_blocker, a_report, a_spot
from tests.unit.world import ANNA, BORIS, World, at, english

S = ReservationStatus
STARTS, ENDS = 190, 300


@pytest.fixture
def waiting(world: World) -> Reservation:
    """Boris, who has the spot from 190 on; Anna's time ends at 180, and her car will stay."""
    world.active(ANNA, 60, 180)
    return world.booked(BORIS, STARTS, ENDS)


def look(world: World, now: float, occupancy: Occupancy = Occupancy.OCCUPIED) -> None:
    """The sensor says what it sees, and every schedule runs."""
    world.device_reports(now, occupancy=occupancy)
    world.tick(now)


def another_spot(
    world: World, metres: float = 100, *, sees: Occupancy = Occupancy.VACANT, heard: float = 193, **over: Any
) -> Spot:
    """A spot so far north, whose blocker has just reported."""
    here = world.spot.location
    spot = a_spot(location=Location(here.latitude + metres / 111_195, here.longitude), name="Nebenan 1", **over)
    blocker = a_blocker(
        blocker_id=spot.blocker_id,
        spot_id=spot.spot_id,
        report=a_report(occupancy=sees, received_at=at(heard)),
        shadow_version=0,
    )
    world.store.commit(spot, blocker)
    return spot


def displace(world: World, now: float = 195) -> None:
    """Anna's car is still there five minutes after Boris's start."""
    for minute in (180, 185, now):
        look(world, minute)


def told(world: World, kind: str) -> list[str]:
    """What Boris was told of a kind."""
    return [english(notice) for notice in world.inbox(BORIS) if notice.kind == kind]


def move(world: World, stay: Reservation, spot: SpotId, now: float = 196) -> Reservation:
    """Boris chooses another spot."""
    return displaced.move(world.store, BORIS, stay.reservation_id, spot, at(now))


# Told ahead


def test_the_next_driver_is_told_ten_minutes_ahead_that_the_car_is_still_there(
    world: World, waiting: Reservation
) -> None:
    look(world, 180)
    assert told(world, "SPOT_STILL_OCCUPIED") == [
        "The car of the stay before yours still stands at Marktplatz 7; your stay is from 13:10. "
        "If it is there at 13:15, you may have another spot or your money back."
    ]
    for minute in (181, 185, 189, 194):
        look(world, minute)
    assert len(told(world, "SPOT_STILL_OCCUPIED")) == 1
    assert world.stored(waiting).displaced_at is None


@pytest.mark.parametrize("sees", [Occupancy.VACANT, Occupancy.UNKNOWN])
def test_nobody_is_told_of_a_car_that_is_not_seen(world: World, waiting: Reservation, sees: Occupancy) -> None:
    look(world, 180, sees)
    for minute in (185, 195):
        world.tick(minute)
    assert told(world, "SPOT_STILL_OCCUPIED") == []
    assert world.stored(waiting).displaced_at is None


def test_who_comes_only_hours_later_is_not_told_yet(world: World) -> None:
    world.active(ANNA, 60, 180)
    world.booked(BORIS, 400, 500)
    for minute in (180, 190, 389):
        look(world, minute)
    assert told(world, "SPOT_STILL_OCCUPIED") == []
    look(world, 390)
    assert len(told(world, "SPOT_STILL_OCCUPIED")) == 1


def test_a_stranger_on_the_spot_displaces_nobody(world: World) -> None:
    stay = world.booked(BORIS, STARTS, ENDS)
    for minute in (180, 190, 195, 200):
        look(world, minute)
    assert (told(world, "SPOT_STILL_OCCUPIED"), world.stored(stay).displaced_at) == ([], None)


# Offered at the start


def test_five_minutes_after_the_start_an_equal_spot_is_offered_once(world: World, waiting: Reservation) -> None:
    spot = another_spot(world)
    look(world, 180)
    look(world, 194)
    assert world.stored(waiting).displaced_at is None
    look(world, 195)
    look(world, 196)
    assert world.stored(waiting).displaced_at == at(195)
    assert told(world, "SPOT_OCCUPIED_MOVE_OFFERED") == [
        "The car of the stay before yours still stands at Marktplatz 7. Nebenan 1 nearby is free for the same price; "
        "or take your 4.80 EUR back, and 1.00 EUR as a credit. Choose in the app."
    ]
    (notice,) = [n for n in world.inbox(BORIS) if n.kind == "SPOT_OCCUPIED_MOVE_OFFERED"]
    assert notice.data["other_spot_id"] == spot.spot_id


def test_where_nothing_is_free_only_the_money_is_offered(world: World, waiting: Reservation) -> None:
    displace(world)
    assert len(told(world, "SPOT_OCCUPIED_REFUND_OFFERED")) == 1


def test_a_spot_that_is_booked_while_it_is_offered_is_not_offered(world: World, waiting: Reservation) -> None:
    spot = another_spot(world)
    look(world, 180)
    world.device_reports(195, occupancy=Occupancy.OCCUPIED)
    world.store.meanwhile(lambda: world.reserve(ANNA, 196, 260, now=195, spot_id=spot.spot_id, key="other"))
    world.tick(195)
    assert world.store.lost_races == 1
    assert (len(told(world, "SPOT_OCCUPIED_REFUND_OFFERED")), told(world, "SPOT_OCCUPIED_MOVE_OFFERED")) == (1, [])


def test_at_most_three_are_shown_the_nearest_first(world: World, waiting: Reservation) -> None:
    near = [another_spot(world, metres) for metres in (400, 100, 300, 200)]
    displace(world)
    found = displaced.alternatives(world.store, BORIS, waiting.reservation_id, at(196))
    assert [one.spot.spot_id for one in found] == [near[1].spot_id, near[3].spot_id, near[2].spot_id]


UNEQUAL: dict[str, dict[str, Any]] = {
    "too far": {"metres": 501},
    "out of service": {"service_state": ServiceState.OUT_OF_SERVICE},
    "in another currency": {"tariff": replace(TARIFF, currency="CHF")},
    "with a car on it": {"sees": Occupancy.OCCUPIED},
    "not known to be empty": {"sees": Occupancy.UNKNOWN},
}


@pytest.mark.parametrize("unequal", UNEQUAL.values(), ids=UNEQUAL)
def test_a_spot_that_is_no_equal_is_neither_shown_nor_given(
    world: World, waiting: Reservation, unequal: dict[str, Any]
) -> None:
    spot = another_spot(world, **unequal)
    displace(world)
    assert displaced.alternatives(world.store, BORIS, waiting.reservation_id, at(196)) == []
    with pytest.raises(SpotUnavailable):
        move(world, waiting, spot.spot_id)
    assert world.stored(waiting).displaced_at == at(195)


# Another spot


def test_who_moves_keeps_price_payments_and_id_and_gives_the_old_spot_back(world: World, waiting: Reservation) -> None:
    spot = another_spot(world, turnover_minutes=20, time_zone="Europe/Lisbon")
    displace(world)
    moved = move(world, waiting, spot.spot_id)
    assert (moved.spot_id, moved.spot_name, moved.time_zone) == (spot.spot_id, "Nebenan 1", "Europe/Lisbon")
    assert (moved.blocker_id, moved.turnover_minutes) == (spot.blocker_id, 20)
    assert (moved.reservation_id, moved.quote, moved.payment_ids) == (
        waiting.reservation_id,
        waiting.quote,
        waiting.payment_ids,
    )
    assert (moved.status, moved.displaced_at, moved.guard_due_at) == (S.CONFIRMED, None, at(196))
    assert [claim.reservation_id for claim in world.claims() if claim.user_id == BORIS] == []
    (claim,) = world.store.calendar(spot.spot_id, [at(196).date()]).claims
    assert claim.blocked == Interval(at(196), at(ENDS + 20))


def test_who_moves_late_hears_of_a_neighbour_who_comes_after_midnight(world: World) -> None:
    stay = world.booked(BORIS, 820, 880)
    world.tick(820)
    world.tick(850)
    assert (world.stored(stay).guard_failed_at, world.stored(stay).told_end) == (at(820), at(880))
    spot = another_spot(world, heard=869)
    world.reserve(ANNA, 901, 960, now=870, spot_id=spot.spot_id, key="after midnight")
    assert move(world, stay, spot.spot_id, 872).tell_taken_at == at(872)
    world.tick(872)
    assert len(told(world, "SPOT_TAKEN_NEXT")) == 1


def test_moving_twice_is_one_move(world: World, waiting: Reservation) -> None:
    spot = another_spot(world)
    displace(world)
    move(world, waiting, spot.spot_id)
    stored = world.stored(waiting)
    assert move(world, waiting, spot.spot_id, 200) == stored == world.stored(waiting)


def test_the_blocker_of_the_new_spot_rises_and_the_one_of_the_old_spot_goes_down(
    world: World, waiting: Reservation
) -> None:
    spot = another_spot(world)
    displace(world)
    world.device_reports(195.5)  # Anna has left at last: the barrier rises for Boris
    world.device_obeys(195.6)
    assert world.blocker.guards(waiting.reservation_id)
    moved = move(world, waiting, spot.spot_id)
    for blocker_id in blockers_to_tell(waiting, moved):  # as the reservations stream does
        reconcile(world.store, world.shadows, blocker_id, at(196))
    raised, lowered = (world.shadows.desired(one) for one in (spot.blocker_id, world.spot.blocker_id))
    assert raised is not None
    assert (raised.position, raised.reservation_id) == (Position.RAISED, waiting.reservation_id)
    assert lowered is not None
    assert lowered.position is Position.LOWERED


def test_the_first_answer_to_the_reservation_stays_what_it_was(world: World, waiting: Reservation) -> None:
    spot = another_spot(world)
    displace(world)
    move(world, waiting, spot.spot_id)
    again = world.reserve(BORIS, STARTS, ENDS, key=f"{STARTS}-{ENDS}-0", now=200)
    assert (again.spot_id, again.spot_name, again.status) == (world.spot.spot_id, "Marktplatz 7", S.HELD)


def test_a_spot_that_is_taken_meanwhile_leaves_everything_as_it_was(world: World, waiting: Reservation) -> None:
    spot = another_spot(world)
    displace(world)
    stored = world.stored(waiting)
    world.store.meanwhile(lambda: world.reserve(ANNA, 197, 260, now=196, spot_id=spot.spot_id, key="other"))
    with pytest.raises(SpotUnavailable):
        move(world, waiting, spot.spot_id)
    assert world.stored(waiting) == stored


def test_a_spot_whose_blocker_has_been_silent_for_15_minutes_is_neither_shown_nor_taken(
    world: World, waiting: Reservation
) -> None:
    spot = another_spot(world)  # it spoke at 193
    displace(world)
    for now, found in ((207.9, [spot.spot_id]), (208, [])):
        shown = displaced.alternatives(world.store, BORIS, waiting.reservation_id, at(now))
        assert [one.spot.spot_id for one in shown] == found
    with pytest.raises(SpotUnavailable):
        move(world, waiting, spot.spot_id, 208)


def test_only_whose_spot_is_occupied_may_move(world: World, waiting: Reservation) -> None:
    spot = another_spot(world)
    look(world, 180)
    for ask in (
        lambda: move(world, waiting, spot.spot_id, 194),
        lambda: displaced.alternatives(world.store, BORIS, waiting.reservation_id, at(194)),
    ):
        with pytest.raises(WrongState):
            ask()
    displace(world)
    with pytest.raises(WrongState):
        move(world, waiting, spot.spot_id, ENDS)
    with pytest.raises(NotFound):
        move(world, waiting, SpotId("nowhere"))
    with pytest.raises(NotFound):
        displaced.move(world.store, ANNA, waiting.reservation_id, spot.spot_id, at(196))


def test_who_moves_in_before_a_neighbour_is_told_so_in_time(world: World, waiting: Reservation) -> None:
    spot = another_spot(world)
    world.pay(world.reserve(ANNA, ENDS + 10, ENDS + 100, now=1, spot_id=spot.spot_id, key="behind"), now=2)
    for minute in (180, 185, 195):
        look(world, minute)
    moved = move(world, waiting, spot.spot_id, 196)
    assert moved.told_end is None
    world.tick(270)
    assert len(told(world, "STAY_ENDING_SPOT_TAKEN")) == 1


def test_time_that_was_held_at_the_old_spot_is_not_asked_of_the_new_one(world: World, waiting: Reservation) -> None:
    spot = another_spot(world)
    world.pay(world.reserve(ANNA, ENDS + 10, ENDS + 100, now=1, spot_id=spot.spot_id, key="behind"), now=2)
    displace(world)
    world.extend(waiting, ENDS + 60, now=195.5)
    moved = move(world, waiting, spot.spot_id, 196)
    assert moved.spot_id == spot.spot_id
    assert [one.status for one in moved.extensions] == [ExtensionStatus.EXPIRED]
    assert moved.ends_at == at(ENDS)


# The money back


def test_who_takes_the_money_gets_all_of_it_and_a_credit_in_one_commit(world: World, waiting: Reservation) -> None:
    before = world.balance(BORIS)
    displace(world)
    for minute in (196, 197):
        ended = bookings.call_off(world.store, BORIS, waiting.reservation_id, at(minute))
        assert (ended.status, ended.reason, ended.ended_at) == (S.CANCELLED, EndReason.SPOT_OCCUPIED, at(196))
    assert world.balance(BORIS) == before + 480 + 100
    (credit,) = [one for one in world.ledger(BORIS) if one.kind is TransactionKind.CREDIT]
    assert credit.entries == (Entry(GOODWILL, -100), Entry(WALLET, 100))
    assert told(world, "CREDIT_GRANTED") == [
        "We are sorry that Marktplatz 7 was occupied: 1.00 EUR are in your wallet."
    ]
    assert [claim for claim in world.claims() if claim.user_id == BORIS] == []


def test_who_answers_nothing_gets_the_money_at_the_end_and_is_no_no_show(world: World, waiting: Reservation) -> None:
    displace(world)
    look(world, ENDS)
    ended = world.stored(waiting)
    assert (ended.status, ended.reason) == (S.CANCELLED, EndReason.SPOT_OCCUPIED)
    assert world.balance(BORIS) == 10_000 + 100
    look(world, ENDS + 1)
    assert len(told(world, "CREDIT_GRANTED")) == 1


def test_a_wallet_of_another_currency_gets_the_refund_and_no_credit(world: World, waiting: Reservation) -> None:
    displace(world)
    wallet = world.store.get(Wallet, BORIS)
    assert wallet is not None
    (payment,) = [one for one in world.store.all_of(Payment) if one.reservation_id == waiting.reservation_id]
    by_card = replace(payment, method=Method.CARD, intent_id="pi_1")
    world.store.commit(replace(wallet, currency="CHF"), by_card)
    bookings.call_off(world.store, BORIS, waiting.reservation_id, at(196))
    assert [one.kind for one in world.ledger(BORIS)].count(TransactionKind.CREDIT) == 0


@pytest.mark.parametrize(
    ("paid_minor", "expected"),
    [(0, 0), (60, 60), (100, 100), (999, 100), (1_990, 199), (10_000, 1_000), (40_000, 1_000)],
)
def test_the_credit_is_a_tenth_within_limits_and_never_more_than_was_paid(paid_minor: int, expected: int) -> None:
    assert credit_minor(paid_minor) == expected


# The spot after all


def test_who_comes_while_the_car_is_there_is_told_to_wait(world: World, waiting: Reservation) -> None:
    displace(world)
    for minute in (185, 196):
        with pytest.raises(SpotNotYetFree):
            bookings.arrive(world.store, BORIS, waiting.reservation_id, at(minute))
    assert world.stored(waiting).displaced_at == at(195)


def test_who_comes_when_the_car_has_left_arrives_as_usual_and_gets_no_credit(
    world: World, waiting: Reservation
) -> None:
    displace(world)
    look(world, 197, Occupancy.VACANT)
    world.device_obeys(197.5)
    arriving = bookings.arrive(world.store, BORIS, waiting.reservation_id, at(198))
    assert arriving.displaced_at is None
    world.reconcile(198)
    world.device_obeys(198.5)
    assert world.stored(waiting).status is S.ACTIVE
    with pytest.raises(WrongState):
        bookings.call_off(world.store, BORIS, waiting.reservation_id, at(199))
    assert told(world, "CREDIT_GRANTED") == []


def test_the_next_drivers_car_is_not_charged_to_the_one_before(world: World, waiting: Reservation) -> None:
    """Anna leaves and Boris parks between two looks of the schedule."""
    displace(world)
    world.device_reports(195.2)
    world.device_obeys(195.3)
    bookings.arrive(world.store, BORIS, waiting.reservation_id, at(195.4))
    world.reconcile(195.4)
    world.device_obeys(195.5)
    look(world, 196, Occupancy.OCCUPIED)
    (anna,) = [one for one in world.store.all_of(Reservation) if one.user_id == ANNA]
    assert (anna.status, anna.ended_at) == (S.COMPLETED, at(196))
    assert world.stored(waiting).status is S.ACTIVE
