"""A command is true only as long as the reservations are that it was decided on."""

from parking.domain.blocker import CommandStatus, Position
from tests.unit.world import ANNA, World


def test_a_command_that_a_booking_overtook_is_decided_again(world: World) -> None:
    world.device_reports(0)
    world.store.meanwhile(lambda: world.booked(ANNA, 3, 120, now=2))
    blocker = world.device_reports(2, Position.RAISED)
    assert world.store.lost_races == 1
    command = blocker.command
    assert command is None or (command.position, command.status) != (Position.LOWERED, CommandStatus.PENDING)
