"""What must hold of the tables as they are: stays, calendars, due steps and payments. A broken rule is one line.

The rules are those of tests/simulation/reference.py, which know nothing of the domain's own.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from parking.adapters.dynamodb.schema import shape_of
from parking.domain.calendar import CalendarDay
from parking.domain.payment import Payment, Purpose
from parking.domain.reservation import Reservation
from parking.services.ports import Aggregate
from tests.e2e.world import Json, World
from tests.simulation import reference


@dataclass(frozen=True)
class Stored:
    """What is read back. `steps` is the step under which the index `due` holds each reservation, by its id."""

    reservations: list[Reservation]
    days: list[CalendarDay]
    payments: list[Payment]
    steps: dict[str, str]


def read(world: World) -> Stored:
    """Everything that these rules are about."""
    items = world.items("ReservationsTable")
    return Stored(
        [_read_back(Reservation, item) for item in items],
        [_read_back(CalendarDay, item) for item in world.items("CalendarsTable")],
        [_read_back(Payment, item) for item in world.items("PaymentsTable")],
        {
            item["reservation_id"]["S"]: item["due_shard"]["S"].partition("#")[0]
            for item in items
            if "due_shard" in item
        },
    )


def _read_back[A: Aggregate](kind: type[A], item: Json) -> A:
    return shape_of(kind).aggregate(item)


def violations(stored: Stored) -> Iterator[str]:
    """Every rule below."""
    yield from overlapping(stored)
    yield from shown_wrongly(stored)
    yield from due_wrongly(stored)
    yield from paid_wrongly(stored)


def overlapping(stored: Stored) -> Iterator[str]:
    """Held and booked stays of a spot never overlap, turnover included."""
    at_spot = defaultdict[str, list[Reservation]](list)
    for one in stored.reservations:
        at_spot[one.spot_id].append(one)
    for spot_id, stays in at_spot.items():
        for one, other in combinations(stays, 2):
            if reference.collide(one, other):
                yield f"{one.reservation_id} and {other.reservation_id} overlap at {spot_id}"


def shown_wrongly(stored: Stored) -> Iterator[str]:
    """The calendar shows each stay on each of its days, as long as it claims the spot, and nothing else."""
    shown = {
        (day.spot_id, day.day, claim.reservation_id, claim.stay.starts_at, claim.blocked_until)
        for day in stored.days
        for claim in day.claims
    }
    claimed = set()
    for one in stored.reservations:
        stay, until = reference.claimed(one), reference.blocked_until(one)
        if stay and until:
            days = reference.days_between(stay[0], until)
            claimed |= {(one.spot_id, day, one.reservation_id, stay[0], until) for day in days}
    for spot_id, day, reservation_id, *_ in shown ^ claimed:
        yield f"the calendar of {spot_id} on {day} and {reservation_id} do not say the same"


def due_wrongly(stored: Stored) -> Iterator[str]:
    """The index holds a reservation if and only if something is to be done, and under what is to be done first."""
    for one in stored.reservations:
        due = reference.due(one)
        expected, found = due and due[1].value, stored.steps.get(one.reservation_id)
        if found != expected:
            yield f"{one.reservation_id} is due for {found}, it should be for {expected}"


def paid_wrongly(stored: Stored) -> Iterator[str]:
    """What was charged paid for one thing that is there, or goes back in full; and nothing is there for no money."""
    paid_by = Counter(payment_id for one in stored.reservations for payment_id in one.payment_ids)
    charged = {payment.payment_id: payment for payment in stored.payments if payment.charged}
    for payment_id, count in paid_by.items():
        if payment_id not in charged:
            yield f"{payment_id} made a stay and was not charged"
        if count > 1:
            yield f"{payment_id} paid {count} things"
    for payment_id, payment in charged.items():
        bought = payment.purpose in (Purpose.RESERVATION, Purpose.EXTENSION, Purpose.OVERSTAY)
        if bought and not paid_by[payment_id] and payment.refunded_minor < payment.amount_minor:
            yield f"{payment_id} was charged and paid for nothing"
