"""A command is true only as long as the reservations are that it was decided on."""

from parking.domain.blocker import CommandStatus, Position
from parking.services import bookings
from tests.unit.world import ANNA, BORIS, World, at


def test_a_command_that_a_booking_overtook_is_decided_again(world: World) -> None:
    world.device_reports(0)
    world.store.meanwhile(lambda: world.booked(ANNA, 3, 120, now=2))
    blocker = world.device_reports(2, Position.RAISED)
    assert world.store.lost_races == 1
    command = blocker.command
    assert command is None or (command.position, command.status) != (Position.LOWERED, CommandStatus.PENDING)


def test_a_command_in_a_stays_own_time_is_not_decided_again_because_somebody_books_the_evening(world: World) -> None:
    stay = world.booked(ANNA, 60, 180)
    world.device_reports(59)
    bookings.arrive(world.store, ANNA, stay.reservation_id, at(60))
    world.store.meanwhile(lambda: world.reserve(BORIS, 300, 360, now=60))
    command = world.reconcile(60).command
    assert world.store.lost_races == 0
    assert command is not None
    assert (command.position, command.reservation_id) == (Position.LOWERED, stay.reservation_id)


def test_an_answer_is_no_new_command_and_hangs_on_nothing_else(world: World) -> None:
    world.booked(ANNA, 60, 180)
    world.device_reports(44)
    world.tick(45)
    world.store.meanwhile(lambda: world.reserve(BORIS, 300, 360, now=45))
    answered = world.device_obeys(45.2).command
    assert world.store.lost_races == 0
    assert answered is not None
    assert answered.status is CommandStatus.SUCCEEDED
