"""What drivers look at: lists, a search, a quote, the inbox. What they are shown must be so."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from parking.domain.area import Circle
from parking.domain.ids import UserId
from parking.domain.ledger import Transaction
from parking.domain.notification import Notification
from parking.domain.payment import Payment
from parking.domain.reservation import Reservation
from parking.domain.spot import Location, Spot
from parking.domain.time import Interval
from parking.services import notifications, spots
from parking.services.search import Filters, FoundSpot, search
from tests.simulation import reference
from tests.simulation.draws import Weighted
from tests.simulation.violation import Violation

if TYPE_CHECKING:
    from tests.simulation.world import World

LASTS_MINUTES = Weighted([(60, 30), (30, 15), (15, 5), (31, 10), (45, 10), (90, 10), (120, 10), (600, 3), (10_080, 3)])


class Onlooker:
    """The eyes of one driver."""

    def __init__(self, world: "World", user_id: UserId) -> None:
        self.user_id = user_id
        self._world = world

    def look(self) -> None:
        """Lists, a search and a quote: what they say must be so."""
        match self._world.draws.pick(("search", "list", "inbox", "search", "quote")):
            case "list":
                self._page_through()
            case "search":
                self._search()
            case "inbox":
                self._read_inbox()
            case _:
                self._quote()

    def _page_through(self) -> None:
        world, user_id = self._world, self.user_id
        kinds: tuple[type[Any], ...] = (Reservation, Payment, Transaction, Notification)
        kind: type[Any] = world.draws.pick(kinds)

        def pages() -> list[Any]:
            page = world.ports.store.page(kind, user_id, limit=3)
            items = list(page.items)
            while page.cursor:
                page = world.ports.store.page(kind, user_id, limit=3, cursor=page.cursor)
                items += page.items
            return items

        outcome = world.invoke("list", pages, now=world.now, user_id=user_id)
        if outcome.value is not None and not outcome.disturbed:
            all_of_mine = [item for item in world.store.all_of(kind) if item.key[0] == user_id]
            shown = {item.key for item in outcome.value}
            if len(outcome.value) != len(all_of_mine) or shown != {item.key for item in all_of_mine}:
                raise Violation(11, f"{user_id} is shown {sorted(shown)} of {kind.__name__}")

    def _search(self) -> None:
        world, now = self._world, self._world.now.replace(microsecond=0)
        start = now + timedelta(minutes=world.draws.pick((1, 20, 60)))
        window = Interval(start, start + timedelta(minutes=world.draws.pick((30, 90))))
        around = Circle(Location(52.5163, 13.3777), 5_000)

        def look() -> list[FoundSpot]:
            store, filters = world.ports.store, Filters()
            return search(store, around, world.now, window=window, filters=filters, after=None, limit=20).items

        outcome = world.invoke("search", look, now=world.now, user_id=self.user_id)
        for found in outcome.value or () if not outcome.disturbed else ():
            until = window.ends_at + timedelta(minutes=found.spot.turnover_minutes)
            free = not any(
                reference.claims(r, window.starts_at, until) for r in world.reservations_at(found.spot.spot_id)
            )
            if found.available is not free:
                raise Violation(1, f"{found.spot.spot_id} is shown as available: {found.available}, and it is {free}")

    def _quote(self) -> None:
        world, now = self._world, self._world.now.replace(microsecond=0)
        spot = world.draws.pick(world.spots)
        stay = Interval(now, now + timedelta(minutes=world.draws.weighted(LASTS_MINUTES)))
        outcome = world.invoke(
            "quote",
            lambda: spots.quote(world.ports.store, spot.spot_id, stay, world.now),
            now=world.now,
            user_id=self.user_id,
        )
        current = world.store.get(Spot, spot.spot_id)
        if outcome.value and not outcome.disturbed and current:
            asked = reference.price_minor(current.tariff, stay.duration)
            if outcome.value[0].amount_minor != asked:
                raise Violation(3, f"{stay.duration} is quoted {outcome.value[0].amount_minor}, it costs {asked}")

    def _read_inbox(self) -> None:
        world = self._world
        mine = [n for n in world.store.all_of(Notification) if n.user_id == self.user_id]
        if mine:
            notice = world.draws.pick(mine)
            world.invoke(
                "read notice",
                lambda: notifications.mark_read(world.ports.store, self.user_id, notice.notification_id, world.now),
                now=world.now,
                user_id=self.user_id,
            )
