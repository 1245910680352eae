"""Act three: Anna leaves, and Boris changes his mind."""

from typing import Any

from local.demo.journey import Journey
from local.demo.words import at, clock, money


def leave(journey: Journey, boris_payment: dict[str, Any]) -> None:
    """From the departure to the refund. Raises Unexpected."""
    journey.tell.act("The end")
    _depart(journey)
    _receipt(journey)
    _change_of_mind(journey, boris_payment)


def _depart(journey: Journey) -> None:
    tell, anna, machine = journey.tell, journey.anna, journey.machine
    tell.step("Anna drives away and says so")
    tell.asks("in the street: her car leaves the spot")
    known = {one["notification_id"] for one in anna.inbox()}
    machine.drives_car(onto_it=False)
    tell.awaits(machine.shadow, machine.reported, expected="LOWERED VACANT DONE")
    anna.asks(
        "POST",
        f"{journey.stay}/departure",
        expected={"status": "COMPLETED", "reason": "DEPARTED"},
        shown=["ended_at"],
    )
    news = [one["kind"] for one in anna.inbox() if one["notification_id"] not in known]
    tell.sees("new in Anna's inbox", news, expected=["RESERVATION_COMPLETED"], shown=", ".join)
    spot = anna.looks(f"/spots/{journey.spot['spot_id']}")
    tell.sees("the barrier idles", at(spot, "blocker.position"), expected=journey.spot["blocker"]["position"])


def _receipt(journey: Journey) -> None:
    tell, zone = journey.tell, journey.spot["time_zone"]
    tell.step("Anna looks at the receipt")
    receipt = journey.anna.asks(
        "GET",
        f"{journey.stay}/receipt",
        expected={"status": "COMPLETED", "paid_amount": journey.paid_minor, "refunded_amount": 0},
    )
    for line in receipt["lines"]:
        tell.answers(f"{money(line['amount']):>10}  {line['text']}")
    came, went = (clock(receipt[name], zone, seconds=True) for name in ("arrived_at", "ended_at"))
    tell.answers(f"{money(receipt['paid_amount']):>10}  paid; arrived {came}, left {went}")
    lines_minor = sum(line["amount"] for line in receipt["lines"])
    tell.sees("the lines add up to", lines_minor, expected=journey.paid_minor, shown=money)


def _change_of_mind(journey: Journey, payment: dict[str, Any]) -> None:
    tell, boris, stay = journey.tell, journey.boris, f"/reservations/{payment['reservation_id']}"
    tell.step("Boris cancels before his start: all of it goes back to his card")
    boris.asks(
        "POST",
        f"{stay}/cancellation",
        expected={"status": "CANCELLED", "reason": "CANCELLED_BY_DRIVER"},
        shown=["ended_at"],
    )
    tell.awaits(
        "Boris's payment, when Stripe has made the refund",
        lambda: str(boris.looks(f"/payments/{payment['payment_id']}")["status"]),
        expected="REFUNDED",
    )
    receipt = boris.looks(f"{stay}/receipt")
    tell.sees("his receipt: refunded", receipt["refunded_amount"], expected=payment["amount"], shown=money)
    tell.sees("Boris's wallet, which had no part in it", boris.balance_minor(), expected=0, shown=money)
