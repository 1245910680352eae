"""Act two: Anna arrives, parks, is told of the end, and stays longer while she can."""

from datetime import timedelta
from http import HTTPStatus
from typing import Any

from local.demo.booking import DEPOSIT_MINOR, STAY, fill_wallet
from local.demo.cast import Person, tick
from local.demo.journey import Journey
from local.demo.words import at, money, utc

TOLD_BEFORE_END = timedelta(minutes=30)
EXTENSION = timedelta(minutes=30)


def stay(journey: Journey) -> tuple[Journey, str]:
    """From the arrival to the refused extension; also gives the id of Boris's reservation. Raises Unexpected."""
    journey.tell.act("The stay")
    _arrive(journey)
    _park(journey)
    _told_extendable(journey)
    journey = _extend(journey)
    reservation_id = _next_driver(journey)
    _told_taken(journey)
    _refused(journey)
    return journey, reservation_id


def _arrive(journey: Journey) -> None:
    tell, anna, machine = journey.tell, journey.anna, journey.machine
    tell.step("Anna stands before the spot and lowers the barrier")
    anna.asks("POST", f"{journey.stay}/arrival", status=HTTPStatus.ACCEPTED, shown=["status", "arrival_requested_at"])
    tell.awaits(machine.shadow, machine.reported, expected="LOWERED VACANT DONE")
    runs = ["raising", "lowering"]
    tell.sees("the motor, by the machine's journal", machine.motor_runs(), expected=runs, shown=", ".join)
    tell.awaits("Anna's reservation, by the machine's report", journey.status, expected="ACTIVE")


def _park(journey: Journey) -> None:
    tell, machine = journey.tell, journey.machine
    tell.step("Anna parks")
    tell.asks("in the street: her car drives onto the spot")
    machine.drives_car(onto_it=True)
    tell.awaits(machine.shadow, machine.reported, expected="LOWERED OCCUPIED DONE")
    tell.awaits(
        "Anna's app shows the spot",
        lambda: at(journey.anna.reservation(journey.reservation_id), "guard.occupancy"),
        expected="OCCUPIED",
    )


def _told_extendable(journey: Journey) -> None:
    journey.tell.step("Half an hour before the end: Anna can stay longer")
    _told(journey, "STAY_ENDING_EXTENDABLE")


def _told(journey: Journey, kind: str) -> None:
    """The minute comes in which Anna is told of the end: one notice, of this kind."""
    known = {one["notification_id"] for one in journey.anna.inbox()}
    tick(journey.stack, journey.tell, "CheckExpiring", journey.ends_at - TOLD_BEFORE_END)
    news = [one for one in journey.anna.inbox() if one["notification_id"] not in known]
    journey.tell.sees("new in Anna's inbox", [one["kind"] for one in news], expected=[kind], shown=", ".join)
    for one in news:
        journey.tell.answers(f"“{one['text']}”")


def _extend(journey: Journey) -> Journey:
    tell, anna = journey.tell, journey.anna
    later = journey.ends_at + EXTENSION
    price_minor = journey.spot["tariff"]["price_per_hour"] // 2
    tell.step("Anna asks for half an hour more")
    anna.asks(
        "GET",
        f"{journey.stay}/extension?ends_at={utc(later)}",
        expected={"extendable": True, "price.amount": price_minor},
        shown=["latest_ends_at"],
    )
    extension = anna.asks(
        "POST",
        f"{journey.stay}/extensions",
        {"ends_at": utc(later)},
        status=HTTPStatus.CREATED,
        expected={"status": "HELD", "ends_at": utc(later), "price.amount": price_minor},
        shown=["extension_id", "hold_expires_at"],
    )
    tell.sees("the end, as long as it is not paid", _end(journey), expected=utc(journey.ends_at), shown=journey.local)

    tell.step("Anna pays the extension, and the end moves")
    wish = {"reservation_id": journey.reservation_id, "extension_id": extension["extension_id"], "method": "WALLET"}
    anna.asks(
        "POST",
        "/payments",
        wish,
        status=HTTPStatus.CREATED,
        expected={"status": "SUCCEEDED", "purpose": "EXTENSION", "amount": price_minor},
    )
    journey = journey.until(later, journey.paid_minor + price_minor)
    tell.sees("the end", _end(journey), expected=utc(later), shown=journey.local)
    tell.sees("Anna's wallet", anna.balance_minor(), expected=DEPOSIT_MINOR - journey.paid_minor, shown=money)
    return journey


def _end(journey: Journey) -> str:
    ends_at: str = journey.anna.reservation(journey.reservation_id)["ends_at"]
    return ends_at


def _next_driver(journey: Journey) -> str:
    tell, boris, spot = journey.tell, journey.boris, journey.spot
    fill_wallet(journey.stack, tell, boris)
    tell.step(f"Boris reserves the spot right after Anna, {spot['turnover_minutes']} minutes left for the change")
    starts_at = journey.ends_at + timedelta(minutes=spot["turnover_minutes"])
    reservation = boris.asks(
        "POST",
        "/reservations",
        {"spot_id": spot["spot_id"], "starts_at": utc(starts_at), "ends_at": utc(starts_at + STAY)},
        status=HTTPStatus.CREATED,
        expected={"status": "HELD", "starts_at": utc(starts_at)},
        shown=["reservation_id", "price.amount"],
    )
    _pay_ahead(journey, boris, reservation)
    reservation_id: str = reservation["reservation_id"]
    return reservation_id


def _pay_ahead(journey: Journey, boris: Person, reservation: dict[str, Any]) -> None:
    boris.asks(
        "POST",
        "/payments",
        {"reservation_id": reservation["reservation_id"], "method": "WALLET"},
        status=HTTPStatus.CREATED,
        expected={"status": "SUCCEEDED", "amount": reservation["price"]["amount"]},
    )
    status = boris.reservation(reservation["reservation_id"])["status"]
    journey.tell.sees("Boris's reservation", status, expected="CONFIRMED")


def _told_taken(journey: Journey) -> None:
    journey.tell.step("Half an hour before the new end: somebody is next")
    _told(journey, "STAY_ENDING_SPOT_TAKEN")


def _refused(journey: Journey) -> None:
    tell, anna = journey.tell, journey.anna
    tell.step("Anna asks for half an hour more all the same")
    anna.asks(
        "POST",
        f"{journey.stay}/extensions",
        {"ends_at": utc(journey.ends_at + EXTENSION)},
        status=HTTPStatus.CONFLICT,
        expected={"code": "extension_unavailable", "latest_ends_at": utc(journey.ends_at)},
        shown=["detail"],
    )
    tell.sees("the end has not moved", _end(journey), expected=utc(journey.ends_at), shown=journey.local)
    unspent_minor = DEPOSIT_MINOR - journey.paid_minor
    tell.sees("nothing was paid; Anna's wallet", anna.balance_minor(), expected=unspent_minor, shown=money)
