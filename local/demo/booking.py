"""Act one: Anna finds a spot, reserves and pays it, and the barrier rises to keep it free for her."""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from local.demo.cast import VISA, Machine, Person
from local.demo.journey import Journey
from local.demo.narrator import Narrator, Unexpected
from local.demo.words import at, clock, money, utc
from local.stack import Stack

STAY = timedelta(hours=1)
DEPOSIT_MINOR = 2000


def book(stack: Stack, tell: Narrator) -> Journey:
    """From the sign-up to the raised barrier. Raises Unexpected."""
    tell.act("The booking")
    began_at = datetime.now(UTC)
    tell.step("Anna signs up and logs in")
    anna = Person.signs_up("Anna", stack, tell)
    tell.sees("Anna's wallet, opened on first use", anna.balance_minor(), expected=0, shown=money)

    now = datetime.now(UTC)
    ends_at = now.replace(second=0, microsecond=0) + STAY
    spot = _find(stack, tell, anna, now, ends_at)
    price_minor = _quote(tell, anna, spot, now, ends_at)
    reservation = _reserve(tell, anna, spot, ends_at, price_minor)
    boris = _second_driver(stack, tell, spot, ends_at)
    tell.sees("Anna's reservation", anna.reservation(reservation["reservation_id"])["status"], expected="HELD")
    _fill_wallet(stack, tell, anna)
    machine = _pay(stack, tell, anna, reservation)
    return Journey(
        stack=stack,
        tell=tell,
        anna=anna,
        boris=boris,
        spot=spot,
        machine=machine,
        reservation_id=reservation["reservation_id"],
        began_at=began_at,
        ends_at=ends_at,
        paid_minor=price_minor,
        wallet_minor=DEPOSIT_MINOR - price_minor,
    )


def _fill_wallet(stack: Stack, tell: Narrator, anna: Person) -> None:
    tell.step("Anna fills the wallet by card")
    deposit = anna.asks(
        "POST",
        "/wallet/deposits",
        {"amount": DEPOSIT_MINOR},
        status=HTTPStatus.CREATED,
        expected={"status": "REQUIRES_ACTION", "amount": DEPOSIT_MINOR},
        shown=["payment_id"],
    )
    tell.sees("Anna's wallet, before the card has paid", anna.balance_minor(), expected=0, shown=money)
    anna.pays_by_card(stack, deposit["client_secret"], VISA)
    tell.awaits(
        "Anna's wallet, when Stripe's webhook has come", anna.balance_minor, expected=DEPOSIT_MINOR, shown=money
    )


def _find(stack: Stack, tell: Narrator, anna: Person, now: datetime, ends_at: datetime) -> dict[str, Any]:
    tell.step("Anna looks for a spot around her for the next hour")
    window = f"starts_at={utc(now)}&ends_at={utc(ends_at)}"
    path = f"/spots?lat={stack.lat}&lon={stack.lon}&radius_m=400&{window}"
    found: list[dict[str, Any]] = anna.asks("GET", path)["items"]
    tell.answers(f"{len(found)} spots, the nearest first")
    for one in found[:3]:
        hour = money(one["tariff"]["price_per_hour"])
        free = "free" if one["available"] else "taken"
        barrier = at(one, "blocker.position")
        tell.answers(f"{one['distance_m']:4} m  {one['name']:<16} {hour} an hour, {free}, barrier {barrier}")
    open_spots = [one for one in found if one["available"] and at(one, "blocker.position") == "LOWERED"]
    if not open_spots:
        raise Unexpected("the search", expected="a free spot whose barrier is down", came=found)
    spot = open_spots[0]
    tell.sees(f"the blocker of {spot['name']}", spot["blocker"]["connectivity"], expected="ONLINE")
    return spot


def _quote(tell: Narrator, anna: Person, spot: dict[str, Any], now: datetime, ends_at: datetime) -> int:
    tell.step(f"What does {spot['name']} cost until {clock(utc(ends_at), spot['time_zone'])}?")
    price_minor: int = spot["tariff"]["price_per_hour"]
    anna.asks(
        "GET",
        f"/spots/{spot['spot_id']}/quote?starts_at={utc(now)}&ends_at={utc(ends_at)}",
        expected={"amount": price_minor, "available": True},
        shown=["currency"],
    )
    return price_minor


def _reserve(tell: Narrator, anna: Person, spot: dict[str, Any], ends_at: datetime, price_minor: int) -> dict[str, Any]:
    tell.step("Anna reserves it from now on")
    wish = {
        "spot_id": spot["spot_id"],
        "ends_at": utc(ends_at),
        "quoted_amount": price_minor,
        "vehicle_plate": "123 ABC",
    }
    reservation: dict[str, Any] = anna.asks(
        "POST",
        "/reservations",
        wish,
        status=HTTPStatus.CREATED,
        expected={"status": "HELD", "price.amount": price_minor},
        shown=["reservation_id", "starts_at", "hold_expires_at"],
    )
    interval = f"starts_at={reservation['starts_at']}&ends_at={reservation['ends_at']}"
    quote = anna.looks(f"/spots/{spot['spot_id']}/quote?{interval}")
    tell.sees(
        "the interval is free for others",
        quote["available"],
        expected=False,
        shown=lambda free: "yes" if free else "no",
    )
    return reservation


def _second_driver(stack: Stack, tell: Narrator, spot: dict[str, Any], ends_at: datetime) -> Person:
    tell.step("Boris signs up, and wants the same spot in the same hour")
    boris = Person.signs_up("Boris", stack, tell)
    boris.asks(
        "POST",
        "/reservations",
        {"spot_id": spot["spot_id"], "starts_at": utc(ends_at - STAY / 2), "ends_at": utc(ends_at + STAY / 2)},
        status=HTTPStatus.CONFLICT,
        expected={"code": "spot_unavailable"},
        shown=["detail"],
    )
    tell.sees("Boris's reservations", len(boris.looks("/reservations")["items"]), expected=0)
    return boris


def _pay(stack: Stack, tell: Narrator, anna: Person, reservation: dict[str, Any]) -> Machine:
    tell.step("Anna pays from her wallet, and the barrier rises")
    reservation_id, price_minor = reservation["reservation_id"], reservation["price"]["amount"]
    anna.asks(
        "POST",
        "/payments",
        {"reservation_id": reservation_id, "method": "WALLET"},
        status=HTTPStatus.CREATED,
        expected={"status": "SUCCEEDED", "purpose": "RESERVATION", "amount": price_minor},
    )
    confirmed = anna.reservation(reservation_id)
    tell.sees("Anna's reservation", confirmed["status"], expected="CONFIRMED")
    tell.sees("Anna's wallet", anna.balance_minor(), expected=DEPOSIT_MINOR - price_minor, shown=money)
    machine = Machine(stack, at(confirmed, "guard.blocker_id"))
    tell.awaits(machine.shadow, machine.reported, expected="RAISED VACANT DONE")
    tell.sees("the motor, by the machine's journal", machine.motor_runs(), expected=["raising"], shown=" ".join)
    tell.awaits(
        "Anna's app shows the barrier",
        lambda: at(anna.reservation(reservation_id), "guard.position"),
        expected="RAISED",
    )
    return machine
