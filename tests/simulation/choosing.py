"""What a driver does who finds the spot occupied: look around, move, take the money, come all the same, or nothing."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from parking.domain.ids import SpotId
from parking.domain.reservation import Reservation
from tests.simulation import api_calls
from tests.simulation.api_calls import ApiCall
from tests.simulation.draws import Weighted

if TYPE_CHECKING:
    from tests.simulation.world import World

_CHOICES = Weighted(
    [("moves", 60), ("takes the money", 15), ("comes", 10), ("moves anywhere", 10), ("does nothing", 5)]
)


def choose(world: "World", ask: Callable[[ApiCall], Any], stay: Reservation) -> None:
    """One answer to the offer."""
    mine = (stay.user_id, stay.reservation_id)
    match world.draws.weighted(_CHOICES):
        case "moves":
            found = ask(api_calls.ask_alternatives(*mine))
            if found and found.items:
                ask(api_calls.move(*mine, SpotId(world.draws.pick(found.items).spot_id)))
        case "moves anywhere":
            ask(api_calls.move(*mine, world.draws.pick(world.spots).spot_id))
        case "takes the money":
            ask(api_calls.cancel(*mine))
        case "comes":
            ask(api_calls.arrive(*mine))
