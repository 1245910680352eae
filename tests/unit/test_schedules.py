"""What happens by itself when its time comes, with ticks that come twice, late or not at all."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

import pytest

from parking.adapters.memory.store import MemoryStore
from parking.domain.blocker import Connectivity, Occupancy, Position
from parking.domain.due import Due, Step
from parking.domain.errors import NotFound
from parking.domain.ids import SpotId
from parking.domain.notification import Notification
from parking.domain.reservation import EndReason, ExtensionStatus, Reservation, ReservationStatus
from parking.services import bookings
from parking.services.ports import DueItem
from parking.services.schedules import expire_holds, finish_stays, tell_ending
from tests.builders import a_reservation
from tests.unit.world import ANNA, BORIS, World, at, english

S = ReservationStatus


def endings(world: World) -> list[Notification]:
    """What Anna was told about her end, the last first."""
    return [n for n in world.inbox(ANNA) if n.kind.startswith("STAY_ENDING")]


# Holds


def test_a_hold_that_lapsed_is_freed_and_its_driver_told_once(world: World) -> None:
    held = world.reserve(ANNA)
    assert expire_holds(world.store, at(9.9)).moved == 0
    assert expire_holds(world.store, at(10)).moved == 1
    assert expire_holds(world.store, at(10)).moved == 0
    ended = world.stored(held)
    assert (ended.status, ended.reason) == (S.EXPIRED, EndReason.HOLD_EXPIRED)
    assert (world.claims(), world.told()) == ((), ["RESERVATION_EXPIRED"])


def test_ticks_that_were_skipped_for_a_day_do_no_harm(world: World) -> None:
    held = world.reserve(ANNA)
    world.tick(1440)
    assert (world.stored(held).status, world.claims()) == (S.EXPIRED, ())


def test_a_hold_that_is_paid_while_it_is_swept_stands(world: World) -> None:
    world.fund(ANNA)
    held = world.reserve(ANNA)
    world.store.meanwhile(lambda: world.pay(held, now=9.99))
    assert expire_holds(world.store, at(10)).moved == 0
    assert world.stored(held).status is S.CONFIRMED


def test_no_hold_outlives_its_expiry_by_more_than_two_ticks(world: World) -> None:
    """Invariant 10, where three steps of one stay fall due in one minute."""
    stay = world.booked(ANNA, 60, 180.3)  # its end is told at 150.3
    world.tick(60)
    extension = world.extend(stay, 240, now=140.5)  # lapses at 150.5
    bookings.arrive(world.store, ANNA, stay.reservation_id, at(149.1))  # looked after at 150.1
    for minute in (151, 152):
        world.tick_once(minute)
    lapsed = world.stored(stay).extension(extension.extension_id)
    assert lapsed is not None
    assert lapsed.status is ExtensionStatus.EXPIRED


# The notice before the end


def test_half_an_hour_before_the_end_the_driver_is_told_until_when_she_can_extend(world: World) -> None:
    world.active(ANNA, 60, 180)
    world.booked(BORIS, 250, 400)
    assert tell_ending(world.store, at(149.9)).moved == 0
    assert tell_ending(world.store, at(150)).moved == 1
    (notice,) = endings(world)
    assert notice.kind == "STAY_ENDING_EXTENDABLE"
    assert english(notice) == "Your stay at Marktplatz 7 ends at 13:00. You can extend it until 14:00."
    assert notice.data["latest_ends_at"] == "2026-12-01T13:00:00Z"


def test_a_neighbour_who_books_while_the_end_is_told_is_in_what_is_told(world: World) -> None:
    world.active(ANNA, 60, 180)
    world.store.meanwhile(lambda: world.reserve(BORIS, 310, 400, now=150))
    assert tell_ending(world.store, at(150)).moved == 1
    (notice,) = endings(world)
    assert notice.data["latest_ends_at"] == "2026-12-01T14:00:00Z"


@pytest.mark.parametrize("next_starts", [190, 204])
def test_who_has_a_neighbour_next_is_told_so(world: World, next_starts: int) -> None:
    world.active(ANNA, 60, 180)
    world.booked(BORIS, next_starts, 400)
    world.tick(150)
    (notice,) = endings(world)
    assert notice.kind == "STAY_ENDING_SPOT_TAKEN"
    assert english(notice).endswith("Somebody else has the spot next, so it cannot be extended.")
    assert notice.data["extendable"] == "false"


def test_doubled_and_late_ticks_tell_once(world: World) -> None:
    world.active()
    for minute in (155, 155, 156, 179):
        world.tick(minute)
    assert len(endings(world)) == 1


def test_after_an_extension_the_driver_is_told_about_the_new_end(world: World) -> None:
    stay = world.active()
    world.tick(150)
    world.booked(BORIS, 250, 400, now=151)
    world.pay(stay, world.extend(stay, 240, now=152), now=153)
    world.tick(154)
    assert len(endings(world)) == 1
    world.tick(210)
    assert [n.kind for n in endings(world)] == ["STAY_ENDING_SPOT_TAKEN", "STAY_ENDING_EXTENDABLE"]


def test_a_tick_after_the_end_says_nothing_about_what_is_over(world: World) -> None:
    stay = world.active()
    world.device_reports(199, occupancy=Occupancy.OCCUPIED)
    world.tick(200)
    assert endings(world) == []
    assert world.stored(stay).status is S.ACTIVE  # the car is still seen


def test_what_the_notice_says_is_true_when_it_is_written(world: World) -> None:
    world.active()
    world.store.meanwhile(lambda: world.reserve(BORIS, 190, 300, now=150))
    tell_ending(world.store, at(150))
    assert [n.kind for n in endings(world)] == ["STAY_ENDING_SPOT_TAKEN"]
    assert world.store.lost_races == 1


def test_who_has_the_longest_stay_is_told_that(world: World) -> None:
    world.active(ANNA, 60, 60 + 7 * 1440, funds=50_000)
    world.tick(60 + 7 * 1440 - 30)
    assert [n.kind for n in endings(world)] == ["STAY_ENDING_LONGEST"]


def test_the_longest_stay_is_not_blamed_on_a_neighbour_of_hours_later(world: World) -> None:
    world.active(ANNA, 60, 60 + 7 * 1440, funds=50_000)
    world.booked(BORIS, 60 + 7 * 1440 + 600, 60 + 7 * 1440 + 660)
    world.tick(60 + 7 * 1440 - 30)
    assert [n.kind for n in endings(world)] == ["STAY_ENDING_LONGEST"]


def test_a_short_stay_is_told_at_once(world: World) -> None:
    world.booked(ANNA, 60, 75)
    world.tick(44)
    assert endings(world) == []
    world.tick(45)
    assert [n.kind for n in endings(world)] == ["STAY_ENDING_EXTENDABLE"]


# The second notice, if the spot is taken next


def taken_next(world: World) -> list[str]:
    """What Anna was told, close to her end, of who is next."""
    return [english(n) for n in world.inbox(ANNA) if n.kind == "SPOT_TAKEN_NEXT"]


def test_ten_minutes_before_the_end_who_has_a_neighbour_next_is_told_once_more(world: World) -> None:
    world.active(ANNA, 60, 180)
    world.booked(BORIS, 190, 400)
    world.tick(150)
    world.tick(169.9)
    assert taken_next(world) == []
    for minute in (170, 170, 171, 179):
        world.tick(minute)
    assert taken_next(world) == ["Your stay at Marktplatz 7 ends at 13:00, and somebody else has the spot next."]
    assert len(endings(world)) == 1


def test_who_has_nobody_next_costs_no_second_look(world: World) -> None:
    stay = world.active(ANNA, 60, 180)
    world.tick(150)
    told = world.stored(stay)
    assert told.due == Due(at(180), Step.FINISH)
    for minute in (170, 175, 179):
        assert tell_ending(world.store, at(minute)).moved == 0
    assert world.stored(stay) == told


@pytest.mark.parametrize(("booked", "told_at"), [(160, 170), (175, 176)])
def test_who_is_told_that_nobody_is_next_hears_of_who_books_after_that(
    world: World, booked: float, told_at: float
) -> None:
    world.active(ANNA, 60, 180)
    world.tick(150)
    world.booked(BORIS, 190, 400, now=booked)
    world.tick(told_at - 0.1 if told_at == 170 else booked - 0.1)
    assert taken_next(world) == []
    world.tick(told_at)
    assert len(taken_next(world)) == 1


def test_a_neighbour_who_is_gone_again_is_not_spoken_of(world: World) -> None:
    stay = world.active(ANNA, 60, 180)
    neighbour = world.booked(BORIS, 190, 400)
    world.tick(150)
    bookings.call_off(world.store, BORIS, neighbour.reservation_id, at(160))
    world.tick(170)
    assert (taken_next(world), world.stored(stay).due) == ([], Due(at(180), Step.FINISH))
    world.booked(BORIS, 190, 300, now=172)
    world.tick(173)
    assert len(taken_next(world)) == 1


def test_a_neighbour_who_leaves_room_for_a_step_is_no_reason_to_speak(world: World) -> None:
    stay = world.active(ANNA, 60, 180)
    world.tick(150)
    told = world.stored(stay)
    world.booked(BORIS, 205, 400, now=160)
    assert world.stored(stay) == told


def test_an_extension_moves_the_second_notice_too(world: World) -> None:
    stay = world.active(ANNA, 60, 180)
    world.booked(BORIS, 250, 400)
    world.tick(150)
    world.pay(stay, world.extend(stay, 240, now=152), now=153)
    for minute in (170, 179, 210):
        world.tick(minute)
    assert taken_next(world) == []
    world.tick(230)
    assert len(taken_next(world)) == 1


def test_a_short_stay_with_a_neighbour_next_is_told_once_for_both(world: World) -> None:
    world.booked(ANNA, 60, 75)
    world.booked(BORIS, 85, 120)
    for minute in (66, 70, 74):
        world.tick(minute)
    assert [n.kind for n in endings(world)] == ["STAY_ENDING_SPOT_TAKEN"]
    assert taken_next(world) == []


def test_a_second_notice_that_comes_after_the_end_is_not_written(world: World) -> None:
    stay = world.active(ANNA, 60, 180)
    world.booked(BORIS, 190, 400)
    world.tick(150)
    world.tick(181)
    assert (taken_next(world), world.stored(stay).tell_taken_at) == ([], None)


def test_a_booking_in_the_moment_of_the_first_notice_is_known_to_it_or_told_later(world: World) -> None:
    world.active(ANNA, 60, 180)
    world.store.meanwhile(lambda: tell_ending(world.store, at(150)))
    world.reserve(BORIS, 190, 300, now=150)
    assert world.store.lost_races == 1
    world.tick(159)
    world.tick(170)
    assert [n.kind for n in endings(world)] == ["STAY_ENDING_EXTENDABLE"]


def test_the_stay_before_midnight_hears_of_the_one_after_it() -> None:
    world = World(turnover_minutes=0)
    midnight = 15 * 60  # NOW is 09:00 UTC
    world.active(ANNA, midnight - 120, midnight - 10)
    world.tick(midnight - 40)
    world.booked(BORIS, midnight, midnight + 60, now=midnight - 35)
    world.tick(midnight - 20)
    assert len(taken_next(world)) == 1


# The end


def warnings(world: World) -> list[str]:
    """What Anna was told of her overstay while it goes on."""
    kinds = ("OVERSTAY_WARNING", "OVERSTAY_METERED")
    return [english(n) for n in world.inbox(ANNA) if n.kind in kinds]


def test_whose_car_is_seen_after_the_end_is_warned_once_of_the_grace_and_the_price(world: World) -> None:
    world.active(ANNA, 60, 180)
    for minute in (180, 181, 185, 190, 191):
        world.device_reports(minute, occupancy=Occupancy.OCCUPIED)
        world.tick(minute)
    assert warnings(world) == [
        "Your stay at Marktplatz 7 ended at 13:00, and your car is still there. "
        "Leave by 13:10; else each hour from 13:00 on costs 4.80 EUR, at most 115.20 EUR."
    ]


def test_a_first_look_after_the_grace_says_that_the_time_is_charged_already(world: World) -> None:
    world.active(ANNA, 60, 180)
    world.device_reports(195, occupancy=Occupancy.OCCUPIED)
    world.tick(195)
    (warning,) = warnings(world)
    assert "Leave by" not in warning
    assert warning.endswith("Each hour from 13:00 on costs 4.80 EUR, at most 115.20 EUR.")


def test_who_has_left_is_not_warned(world: World) -> None:
    world.active(ANNA, 60, 180)
    world.device_reports(179, occupancy=Occupancy.VACANT)
    world.tick(180)
    assert warnings(world) == []


def test_a_stay_is_completed_when_its_time_is_over_and_no_car_is_seen(world: World) -> None:
    stay = world.active()
    world.device_reports(175, occupancy=Occupancy.VACANT)
    assert finish_stays(world.store, at(179.9)).moved == 0
    world.tick(180)
    ended = world.stored(stay)
    assert (ended.status, ended.reason, ended.ended_at) == (S.COMPLETED, EndReason.TIME_ENDED, at(180))
    assert world.told().count("RESERVATION_COMPLETED") == 1
    assert world.tick(181) == 0


@pytest.mark.parametrize("blind", ["offline", "stale", "unknown"])
def test_a_sensor_that_sees_nothing_ends_the_stay_too(world: World, blind: str) -> None:
    stay = world.active()
    if blind == "offline":
        world.device_is(Connectivity.OFFLINE, 170)
    elif blind == "unknown":
        world.device_reports(175, occupancy=Occupancy.UNKNOWN)
    world.tick(180)
    assert world.stored(stay).status is S.COMPLETED


def test_a_car_that_stays_is_watched_until_it_leaves(world: World) -> None:
    stay = world.active()
    for minute in range(170, 200):
        world.device_reports(minute, occupancy=Occupancy.OCCUPIED)
        world.tick(minute)
        watched = world.stored(stay)
        assert watched.status is S.ACTIVE
        assert watched.overstayed_since == (at(180) if minute >= 190 else None)
    world.device_reports(200, occupancy=Occupancy.VACANT)
    world.tick(200)
    ended = world.stored(stay)
    assert (ended.status, ended.overstayed_since, ended.ended_at) == (S.COMPLETED, at(180), at(200))
    assert world.told().count("RESERVATION_COMPLETED") == 1


def test_who_never_came_is_a_no_show_and_gets_nothing_back(world: World) -> None:
    stay = world.booked(ANNA)
    for minute in (180, 180, 181):
        world.tick(minute)
    assert (world.stored(stay).status, world.stored(stay).reason) == (S.NO_SHOW, EndReason.NEVER_ARRIVED)
    assert world.balance() == 10_000 - 480
    assert world.told().count("RESERVATION_NO_SHOW") == 1


def test_who_came_but_was_never_let_in_gets_everything_back_once(world: World) -> None:
    stay = world.booked(ANNA)
    world.pay(stay, world.extend(stay, 240), now=71)
    bookings.arrive(world.store, ANNA, stay.reservation_id, at(75))
    for minute in (180, 240, 240, 241):
        world.tick(minute)
    ended = world.stored(stay)
    assert (ended.status, ended.reason, ended.ended_at) == (S.CANCELLED, EndReason.BLOCKER_FAILED, at(240))
    assert (world.balance(), world.claims()) == (10_000, ())
    assert any("Refund: 7.20 EUR" in english(n) for n in world.inbox())
    assert world.told().count("RESERVATION_CANCELLED") == 1


def test_an_extension_paid_at_the_last_moment_keeps_the_stay(world: World) -> None:
    stay = world.active()
    world.device_reports(175, occupancy=Occupancy.VACANT)
    extension = world.extend(stay, 240, now=178)
    world.store.meanwhile(lambda: world.pay(stay, extension, now=179.9))
    world.tick(180)
    assert (world.stored(stay).status, world.stored(stay).ends_at) == (S.ACTIVE, at(240))


def test_an_unpaid_extension_delays_the_end_by_no_minute(world: World) -> None:
    stay = world.active()
    world.device_reports(175, occupancy=Occupancy.VACANT)
    world.extend(stay, 240, now=178)
    world.tick(180)
    assert (world.stored(stay).status, world.stored(stay).ends_at) == (S.COMPLETED, at(180))


# The guard


def test_the_blocker_is_raised_ahead_of_the_start_and_looked_at_until_it_stands(world: World) -> None:
    stay = world.booked(ANNA)
    world.device_reports(40)
    world.tick(44.9)
    assert world.shadows.desired(world.spot.blocker_id) is None
    world.tick(45)
    desired = world.shadows.desired(world.spot.blocker_id)
    assert desired is not None
    assert (desired.position, desired.reservation_id) == (Position.RAISED, stay.reservation_id)
    assert world.stored(stay).guard_due_at == at(46)
    world.device_obeys(45.5)
    world.tick(46)
    assert world.stored(stay).guard_due_at is None


def test_a_guard_is_looked_after_by_a_late_tick_too(world: World) -> None:
    world.booked(ANNA)
    world.device_reports(65)
    world.tick(66)
    assert world.blocker.command is not None
    assert world.blocker.command.position is Position.RAISED


# Failures


def test_one_bad_item_keeps_no_other_waiting(world: World) -> None:
    bad = a_reservation(user_id=ANNA, spot_id=SpotId("gone"), starts_at=at(-60), ends_at=at(5), booked_ends_at=at(5))
    stay = world.booked(BORIS, 15, 32)
    world.tick_once(3)  # looks after its guard, so that its notice is next
    world.store.commit(replace(bad, status=S.CONFIRMED))
    swept = tell_ending(world.store, at(4))
    assert swept.moved == 1
    assert {key: type(failure) for key, failure in swept.failures.items()} == {bad.key: NotFound}
    assert world.stored(stay).told_end == at(32)


class _StaleIndex(MemoryStore):
    """An index that still names what is gone."""

    def due(self, step: Step, now: datetime) -> Iterator[list[DueItem]]:
        yield [DueItem(at(0), ("anna", "rsv_gone"))]


def test_an_entry_of_the_due_index_that_is_gone_is_a_failure_not_a_crash() -> None:
    swept = expire_holds(_StaleIndex(), at(10))
    assert list(swept.failures) == [("anna", "rsv_gone")]


def test_an_entry_of_the_due_index_that_is_stale_changes_nothing(world: World) -> None:
    world.fund(ANNA)
    held = world.reserve(ANNA)
    world.store.meanwhile(lambda: world.pay(held, now=9))
    assert expire_holds(world.store, at(10)).moved == 0
    stored: Reservation = world.stored(held)
    assert stored.status is S.CONFIRMED
