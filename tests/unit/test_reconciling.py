"""The one reconcile that every trigger calls: the barrier follows the facts, whatever is lost, late or doubled."""

from dataclasses import replace

import pytest

from parking.adapters.memory.iot import MemoryShadows
from parking.domain.audit import Action, Word
from parking.domain.blocker import Command, CommandStatus, Connectivity, Occupancy, Position, RejectReason, Result
from parking.domain.errors import SpotNotYetFree
from parking.domain.ids import BlockerId
from parking.domain.reservation import Reservation, ReservationStatus
from parking.services import bookings
from parking.services.blockers import reconcile, seen
from parking.services.operating import OVERRIDE_FOR, obey
from parking.services.ports import Busy, ShadowConflict, ShadowDocument, ShadowUnavailable
from tests.unit.world import ANNA, BORIS, World, at

S = ReservationStatus
RAISED, LOWERED = Position.RAISED, Position.LOWERED
VACANT, OCCUPIED = Occupancy.VACANT, Occupancy.OCCUPIED


def desired(world: World) -> Command:
    """What the device reads in its shadow."""
    found = world.shadows.desired(world.spot.blocker_id)
    if found is None:
        pytest.fail("the device was told nothing")
    return found


def guarded(world: World) -> Reservation:
    """A paid stay of Anna's whose barrier stands, ten minutes before it begins."""
    stay = world.booked(ANNA)
    world.device_reports(44)
    world.tick(45)
    world.device_obeys(45.5)
    world.tick(46)
    return world.stored(stay)


def arriving(world: World, stay: Reservation, now: float) -> None:
    """The owner stands before the spot, and the stream says so."""
    bookings.arrive(world.store, stay.user_id, stay.reservation_id, at(now))
    world.reconcile(now)


def presence(world: World, connectivity: Connectivity, now: float, version: int) -> None:
    """IoT says that the device connected or was lost."""
    news = seen(connectivity, at(now), version)
    reconcile(world.store, world.shadows, world.spot.blocker_id, at(now), learn=news)


def test_the_barrier_rises_for_a_paid_stay_onto_a_vacant_spot(world: World) -> None:
    guarded(world)
    assert world.blocker.position is RAISED
    assert world.blocker.command is not None
    assert world.blocker.command.status is CommandStatus.SUCCEEDED


def test_a_hold_alone_raises_nothing(world: World) -> None:
    world.reserve(ANNA, 10, 60)
    world.device_reports(1)
    world.reconcile(2)
    assert world.blocker.command is None


def test_the_barrier_waits_while_a_car_is_there_and_rises_when_it_left(world: World) -> None:
    world.booked(ANNA)
    world.device_reports(44, occupancy=OCCUPIED)
    world.tick(45)
    world.tick(46)
    assert world.blocker.command is None
    world.device_reports(50, occupancy=VACANT)
    assert desired(world).position is RAISED


@pytest.mark.parametrize("why", ["never reported", "stale report", "offline", "unknown sensor"])
def test_the_barrier_does_not_rise_blindly(world: World, why: str) -> None:
    world.booked(ANNA)
    if why == "stale report":
        world.device_reports(29)
    if why == "unknown sensor":
        world.device_reports(44, occupancy=Occupancy.UNKNOWN)
    if why == "offline":
        world.device_reports(44)
        reconcile(
            world.store, world.shadows, world.spot.blocker_id, at(44.5), learn=seen(Connectivity.OFFLINE, at(44.5), 1)
        )
    world.tick(45)
    assert world.blocker.command is None


def test_the_barrier_rises_when_the_device_comes_back(world: World) -> None:
    world.booked(ANNA)
    world.device_reports(44)
    presence(world, Connectivity.OFFLINE, 44.5, 1)
    world.tick(45)
    presence(world, Connectivity.ONLINE, 46, 2)
    assert desired(world).position is RAISED


def test_the_owners_arrival_lowers_it_and_the_stay_is_active_only_after_the_report(world: World) -> None:
    stay = guarded(world)
    arriving(world, stay, 58)
    assert (desired(world).position, desired(world).reservation_id) == (LOWERED, stay.reservation_id)
    assert world.stored(stay).status is S.CONFIRMED
    world.device_reports(58.1, Position.MOVING, command_id=desired(world).command_id)
    assert world.stored(stay).status is S.CONFIRMED
    world.device_obeys(59)
    active = world.stored(stay)
    assert (active.status, active.arrived_at) == (S.ACTIVE, at(59))
    assert world.tick(60) == 0


def test_an_arrival_wants_an_answer_even_where_the_barrier_never_rose(world: World) -> None:
    stay = world.booked(ANNA)
    world.device_reports(58, LOWERED, OCCUPIED)
    arriving(world, stay, 60)
    assert world.stored(stay).status is S.CONFIRMED
    world.device_obeys(61, OCCUPIED)
    assert world.stored(stay).status is S.ACTIVE


def test_a_late_answer_after_the_timeout_still_lets_the_stay_begin(world: World) -> None:
    stay = guarded(world)
    arriving(world, stay, 58)
    late = desired(world)
    world.store.commit(replace(world.blocker, command=replace(late, status=CommandStatus.TIMED_OUT)))
    world.device_reports(60.5, LOWERED, command_id=late.command_id, result=Result.DONE)
    assert world.stored(stay).status is S.ACTIVE


def test_a_refused_lower_is_tried_again_by_the_schedule(world: World) -> None:
    stay = guarded(world)
    arriving(world, stay, 58)
    refused = desired(world)
    world.device_reports(
        58.2, RAISED, command_id=refused.command_id, result=Result.REJECTED, reason=RejectReason.OBSTRUCTED
    )
    world.tick(59)
    assert desired(world).command_id != refused.command_id
    world.device_obeys(59.5)
    assert world.stored(stay).status is S.ACTIVE


class _RestlessShadows(MemoryShadows):
    """Somebody else writes just before us, each time."""

    def desire(self, blocker_id: BlockerId, command: Command, version: int) -> None:
        raise ShadowConflict(f"{blocker_id} is not at version {version} for {command.command_id}")


class _BrokenShadows(MemoryShadows):
    """IoT cannot be reached, so many times."""

    def __init__(self, failures: int) -> None:
        super().__init__()
        self.failures = failures

    def desire(self, blocker_id: BlockerId, command: Command, version: int) -> None:
        if self.failures:
            self.failures -= 1
            raise ShadowUnavailable
        super().desire(blocker_id, command, version)


def test_a_command_that_was_committed_but_not_sent_is_sent_by_the_next_trigger(world: World) -> None:
    stay = world.booked(ANNA)
    world.shadows = _BrokenShadows(0)
    world.device_reports(44)
    world.shadows.failures = 1
    with pytest.raises(ShadowUnavailable):
        world.tick(45)
    committed = world.blocker.command
    assert committed is not None
    assert world.shadows.desired(world.spot.blocker_id) is None
    world.tick(46)
    assert desired(world).command_id == committed.command_id
    world.device_obeys(46.5)
    world.tick(47)
    assert world.stored(stay).guard_due_at is None


def test_what_the_shadow_holds_already_is_not_written_again(world: World) -> None:
    """Each write to the shadow is itself a trigger: writing again would never end."""
    stay = guarded(world)
    arriving(world, stay, 58)
    for _ in range(5):
        before = world.shadows.get(world.spot.blocker_id)
        reconcile(world.store, world.shadows, world.spot.blocker_id, at(58), document=before)
        assert world.shadows.get(world.spot.blocker_id) == before


def test_a_shadow_that_moved_on_is_heard_before_the_device_is_told(world: World) -> None:
    stay = guarded(world)
    bookings.arrive(world.store, ANNA, stay.reservation_id, at(58))
    report = {"position": RAISED, "occupancy": VACANT, "battery_percent": 12}
    document = world.shadows.report(world.spot.blocker_id, report, at(58))  # its event has not come yet
    world.reconcile(58.1)
    assert desired(world).position is LOWERED
    assert world.blocker.report is not None
    assert (world.blocker.report.battery_percent, world.blocker.shadow_version) == (12, document.version)


def test_a_car_that_the_conflict_reveals_is_not_raised_under(world: World) -> None:
    world.booked(ANNA)
    world.device_reports(44)
    world.shadows.report(world.spot.blocker_id, {"position": LOWERED, "occupancy": OCCUPIED}, at(44.9))
    world.tick(45)
    told = world.shadows.desired(world.spot.blocker_id)
    assert told is None or told.position is not RAISED


def test_a_raise_that_was_not_sent_yet_is_not_sent_once_a_car_is_there(world: World) -> None:
    world.booked(ANNA)
    world.shadows = _BrokenShadows(0)
    world.device_reports(44)
    world.shadows.failures = 1
    with pytest.raises(ShadowUnavailable):
        world.tick(45)
    world.device_reports(45.5, occupancy=OCCUPIED)
    told = world.shadows.desired(world.spot.blocker_id)
    assert told is None or told.position is not RAISED


def test_a_shadow_that_never_stops_moving_is_given_up_until_the_next_trigger(world: World) -> None:
    world.booked(ANNA)
    world.device_reports(44)
    with pytest.raises(Busy):
        reconcile(world.store, _RestlessShadows(), world.spot.blocker_id, at(45))


def test_two_triggers_at_once_give_one_command(world: World) -> None:
    world.booked(ANNA)
    world.device_reports(44)
    world.store.meanwhile(lambda: world.reconcile(45))
    world.reconcile(45)
    assert world.blocker.commands_sent == 1
    assert world.store.lost_races == 1


def test_a_cancelled_stay_sends_the_barrier_back_to_rest(world: World) -> None:
    stay = guarded(world)
    bookings.call_off(world.store, ANNA, stay.reservation_id, at(50))
    world.reconcile(50)
    assert (desired(world).position, desired(world).reservation_id) == (LOWERED, None)
    world.device_obeys(51)
    assert world.reconcile(60) == world.blocker
    assert world.blocker.commands_sent == 2


def test_a_stay_that_ended_gives_the_spot_to_the_next(world: World) -> None:
    first = world.active(ANNA, 60, 180)
    following = world.booked(BORIS, 190, 300)
    world.device_reports(176, occupancy=VACANT)
    world.tick(176)
    assert world.blocker.position is LOWERED
    bookings.leave(world.store, ANNA, first.reservation_id, at(177))
    world.reconcile(177)
    assert (desired(world).position, desired(world).reservation_id) == (RAISED, following.reservation_id)


def test_the_owners_neighbour_never_lowers_the_owners_barrier(world: World) -> None:
    stay = guarded(world)
    following = world.booked(BORIS, 190, 300)
    for now in (176, 179):
        with pytest.raises(SpotNotYetFree):
            arriving(world, following, now)
        world.tick(now)
        assert world.blocker.position is RAISED
        assert world.blocker.command is not None
        assert world.blocker.command.reservation_id == stay.reservation_id


@pytest.mark.parametrize("late_by", [1, 10, 200])
def test_a_late_trigger_undoes_nothing(world: World, late_by: float) -> None:
    stay = world.active()
    world.device_reports(120, LOWERED, OCCUPIED)
    before = (world.blocker, world.stored(stay), world.shadows.get(world.spot.blocker_id))
    world.reconcile(120 - late_by)
    assert (world.blocker, world.stored(stay), world.shadows.get(world.spot.blocker_id)) == before


def test_a_late_trigger_does_not_guard_a_stay_that_is_over(world: World) -> None:
    guarded(world)
    world.reconcile(180)
    lowered = desired(world)
    assert lowered.position is LOWERED
    world.reconcile(100)
    assert desired(world) == lowered


def test_doubled_and_reordered_documents_converge(world: World) -> None:
    stay = world.booked(ANNA)
    blocker_id = world.spot.blocker_id
    documents: list[ShadowDocument] = [
        world.shadows.report(blocker_id, {"position": LOWERED, "occupancy": occupancy}, at(now))
        for now, occupancy in ((50, VACANT), (51, OCCUPIED), (52, VACANT), (53, OCCUPIED))
    ]
    for document in (documents[3], documents[0], documents[2], documents[3], documents[1]):
        reconcile(world.store, world.shadows, blocker_id, at(54), document=document)
    assert world.blocker.report == documents[3].report
    assert world.blocker.command is None
    assert world.stored(stay).status is S.CONFIRMED


def test_a_blocker_that_nobody_knows_is_left_alone(world: World) -> None:
    assert reconcile(world.store, world.shadows, BlockerId("unknown"), at(0)) is None


# Operators


def _operate(world: World, action: Action, now: float) -> None:
    word = Word(operator="olga", reason="a fire engine must pass", request_id=str(now), at=at(now))
    obey(world.store, world.shadows, world.spot.blocker_id, action, word)


def test_an_operators_word_stands_above_the_stay_for_a_while_and_is_kept(world: World) -> None:
    stay = guarded(world)
    _operate(world, Action.LOWER, 60)
    assert desired(world).position is LOWERED
    override = world.blocker.override
    assert override is not None
    assert (override.operator, override.reason) == ("olga", "a fire engine must pass")
    world.device_obeys(61)
    assert world.stored(stay).status is S.CONFIRMED
    world.device_reports(60 + OVERRIDE_FOR.seconds / 60 - 1)
    assert desired(world).position is LOWERED
    world.device_reports(60 + OVERRIDE_FOR.seconds / 60)
    assert (desired(world).position, desired(world).reservation_id) == (RAISED, stay.reservation_id)


@pytest.mark.parametrize("parked", [False, True])
def test_an_operators_raise_keeps_nobody_out_or_in_who_has_come(world: World, parked: bool) -> None:
    stay = guarded(world)
    _operate(world, Action.RAISE, 59)
    arriving(world, stay, 60)
    assert (desired(world).position, desired(world).reservation_id) == (LOWERED, stay.reservation_id)
    if parked:
        world.device_obeys(60.5)
        _operate(world, Action.RAISE, 61)
        assert (desired(world).position, world.stored(stay).status) == (LOWERED, S.ACTIVE)


def test_an_operator_who_lowers_for_a_waiting_driver_does_not_take_her_answer_away(world: World) -> None:
    stay = guarded(world)
    arriving(world, stay, 60)
    _operate(world, Action.LOWER, 60.1)
    assert desired(world).reservation_id == stay.reservation_id
    world.device_obeys(60.5)
    assert world.stored(stay).status is S.ACTIVE


def test_a_command_is_not_given_on_a_reservation_that_has_changed_since(world: World) -> None:
    stay = world.booked(ANNA)
    world.device_reports(44)
    world.store.meanwhile(lambda: bookings.call_off(world.store, ANNA, stay.reservation_id, at(45)))
    world.reconcile(45)
    assert world.blocker.command is None


def test_an_operator_cannot_raise_under_a_car(world: World) -> None:
    world.device_reports(1, occupancy=OCCUPIED)
    _operate(world, Action.RAISE, 2)
    assert world.blocker.command is None
    world.device_reports(3, occupancy=VACANT)
    assert desired(world).position is RAISED
