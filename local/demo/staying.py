"""Act two: Anna arrives, parks, is told of the end, and stays longer while she can."""

from datetime import timedelta
from http import HTTPStatus
from typing import Any

from local.demo.booking import STAY
from local.demo.cast import ASKS_3D_SECURE, VISA, Person, tick
from local.demo.journey import Journey
from local.demo.words import at, money, utc

TOLD_BEFORE_END = timedelta(minutes=30)
EXTENSION = timedelta(minutes=30)


def stay(journey: Journey) -> tuple[Journey, dict[str, Any]]:
    """From the arrival to the refused extension; also gives the payment of Boris's reservation. Raises Unexpected."""
    journey.tell.act("The stay")
    _arrive(journey)
    _park(journey)
    _told_extendable(journey)
    card_id = _save_card(journey)
    journey = _extend(journey, card_id)
    payment = _next_driver(journey)
    _told_taken(journey)
    _refused(journey)
    return journey, payment


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


def _save_card(journey: Journey) -> str:
    """Anna's card, kept by Stripe and charged from now on without being typed in; its id."""
    tell, anna = journey.tell, journey.anna
    tell.step("Anna saves a card at Stripe, to pay with one touch")
    setup = anna.asks("POST", "/payment-methods/setup", status=HTTPStatus.CREATED, shown=["setup_id"])
    anna.saves_card(journey.stack, setup["client_secret"], VISA)

    def listed() -> list[str]:
        return [f"{one['brand']} {one['last4']}" for one in anna.looks("/payment-methods")["items"]]

    tell.awaits("Anna's cards, when Stripe's webhook has come", listed, expected=["visa 4242"], shown=", ".join)
    card_id: str = anna.looks("/payment-methods")["items"][0]["payment_method_id"]
    return card_id


def _extend(journey: Journey, card_id: str) -> Journey:
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

    tell.step("Anna pays the extension with the saved card, and the end moves")
    wish = {"reservation_id": journey.reservation_id, "extension_id": extension["extension_id"], "method": "CARD"}
    anna.asks(
        "POST",
        "/payments",
        wish | {"payment_method_id": card_id},
        status=HTTPStatus.CREATED,
        expected={"status": "SUCCEEDED", "purpose": "EXTENSION", "amount": price_minor},
    )
    journey = journey.until(later, journey.paid_minor + price_minor)
    tell.sees("the end", _end(journey), expected=utc(later), shown=journey.local)
    tell.sees("Anna's wallet, untouched", anna.balance_minor(), expected=journey.wallet_minor, shown=money)
    return journey


def _end(journey: Journey) -> str:
    ends_at: str = journey.anna.reservation(journey.reservation_id)["ends_at"]
    return ends_at


def _next_driver(journey: Journey) -> dict[str, Any]:
    tell, boris, spot = journey.tell, journey.boris, journey.spot
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
    return _pay_ahead(journey, boris, reservation)


def _pay_ahead(journey: Journey, boris: Person, reservation: dict[str, Any]) -> dict[str, Any]:
    tell, reservation_id = journey.tell, reservation["reservation_id"]
    tell.step("Boris pays by a new card whose bank asks for 3-D Secure")
    payment: dict[str, Any] = boris.asks(
        "POST",
        "/payments",
        {"reservation_id": reservation_id, "method": "CARD"},
        status=HTTPStatus.CREATED,
        expected={"status": "REQUIRES_ACTION", "amount": reservation["price"]["amount"]},
        shown=["payment_id"],
    )
    boris.pays_by_card(journey.stack, payment["client_secret"], ASKS_3D_SECURE, expected="requires_action")
    tell.sees("Boris's reservation, still", boris.reservation(reservation_id)["status"], expected="HELD")
    boris.passes_3d_secure(journey.stack, payment["client_secret"])
    tell.awaits(
        "Boris's reservation, when Stripe's webhook has come",
        lambda: str(boris.reservation(reservation_id)["status"]),
        expected="CONFIRMED",
    )
    return payment


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
    tell.sees("nothing was paid; Anna's wallet", anna.balance_minor(), expected=journey.wallet_minor, shown=money)
