"""A receipt as a page that prints to one sheet of A4. No script, nothing loaded from elsewhere."""

from datetime import datetime
from html import escape
from zoneinfo import ZoneInfo

from parking.domain.blocker import CommandStatus
from parking.domain.evidence import FIRST_KEPT, Evidence
from parking.domain.receipt import Receipt

# A stay with many extensions is printed smaller, so that the receipt stays one sheet; the tests lay it out and count.
FONT_PT = 11.0
SHEET_PT = 739  # the height of A4 within its margins
FIXED_EM = 36.0  # what is on every receipt: headings, times, sums, the tax, and a name of two lines
ROW_EM, LINE_EM = 0.5, 1.4  # the space around a row, and each line in it
LETTERS_ON_A_LINE = 72  # of both columns, in the usual size; smaller letters only make it more

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Receipt {reservation_id}</title>
<style>
@page {{ size: A4; margin: 18mm; }}
body {{ font: {font_pt:.2f}pt/1.4 system-ui, sans-serif; color: #111; max-width: 174mm; margin: 0 auto; padding: 6mm; }}
h1 {{ font-size: 1.6em; margin: 0 0 0.5em; }}
h2 {{ font-size: 1.1em; margin: 1.4em 0 0.3em; }}
table {{ width: 100%; border-collapse: collapse; }}
td, th {{ padding: 0.25em 0; text-align: left; vertical-align: top; }}
td.amount, th.amount {{ text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }}
tr.total td {{ border-top: 1px solid #111; font-weight: 600; }}
.small {{ font-size: 0.78em; color: #444; overflow-wrap: anywhere; }}
@media print {{ body {{ padding: 0; }} }}
</style>
</head>
<body>
<h1>Receipt</h1>
<p>{spot_name}<br><span class="small">Reservation {reservation_id}, {status} ({reason})</span></p>
<table>{times}</table>
<h2>Price</h2>
<table>{lines}
<tr class="total"><td>Paid</td><td class="amount">{paid}</td></tr>
<tr><td>Refunded</td><td class="amount">{refunded}</td></tr>{owed}</table>
<p class="small">{tax}</p>
<h2>Payments</h2>
<table>{payments}</table>
<h2>Barrier</h2>
<table class="small">{evidence}</table>
</body>
</html>
"""


def receipt_page(receipt: Receipt) -> str:
    """The receipt as HTML, its times in the spot's time zone."""
    stay = receipt.reservation
    zone, currency = ZoneInfo(stay.time_zone), stay.quote.currency
    times = [
        ("From", _clock(stay.starts_at, zone)),
        ("Until", _clock(stay.ends_at, zone)),
        ("Arrived", _clock(stay.arrived_at, zone)),
        ("Ended", _clock(receipt.sealed_at, zone)),
        ("Vehicle", stay.vehicle_plate or "-"),
    ]
    lines = [
        (line.text if line.at is None else f"{line.text}, {_clock(line.at, zone)}", _money(line.amount_minor, currency))
        for line in receipt.lines
    ]
    payments = [
        (f"{one.method.title()}, {_clock(one.created_at, zone)}, {one.payment_id}", _money(one.amount_minor, currency))
        for one in receipt.payments
    ]
    evidence = [
        (f"{one.position} asked {_clock(one.asked_at, zone)}", _answer(one, zone)) for one in stay.evidence.entries
    ]
    if stay.evidence.left_out:
        evidence.insert(FIRST_KEPT, (f"{stay.evidence.left_out} more", "not kept"))
    owed = _rows([("Still owed", _money(receipt.owed_minor, currency))]) if receipt.owed_minor else ""
    return _PAGE.format(
        font_pt=_font_pt([*lines, *payments, *evidence]),
        reservation_id=escape(stay.reservation_id),
        spot_name=escape(stay.spot_name),
        status=stay.status,
        reason=receipt.reason,
        times=_rows(times),
        lines=_rows(lines),
        paid=_money(receipt.paid_minor, currency),
        refunded=_money(receipt.refunded_minor, currency),
        owed=owed,
        tax="Prices include tax." if receipt.tax_included else "Prices are without tax.",
        payments=_rows(payments),
        evidence=_rows(evidence),
    )


def _answer(evidence: Evidence, zone: ZoneInfo) -> str:
    """What became of a command, and what the device said of it where that is something else."""
    if evidence.answer is None:
        return f"{evidence.status}, no answer"
    reason = f" {evidence.reason}" if evidence.reason else ""
    superseded = f", answered {evidence.answer}" if evidence.status is CommandStatus.SUPERSEDED else ""
    late = ", late" if evidence.late else ""
    return f"{evidence.status}{superseded}{reason} {_clock(evidence.answered_at, zone)}{late}"


def _font_pt(rows: list[tuple[str, str]]) -> float:
    height_em = FIXED_EM + sum(ROW_EM + LINE_EM * -(-len(name + value) // LETTERS_ON_A_LINE) for name, value in rows)
    return min(FONT_PT, SHEET_PT / height_em)


def _rows(rows: list[tuple[str, str]]) -> str:
    return "".join(f'<tr><td>{escape(name)}</td><td class="amount">{escape(value)}</td></tr>' for name, value in rows)


def _clock(instant: datetime | None, zone: ZoneInfo) -> str:
    return instant.astimezone(zone).strftime("%Y-%m-%d %H:%M %Z") if instant else "-"


def _money(amount_minor: int, currency: str) -> str:
    sign = "-" if amount_minor < 0 else ""
    whole, cents = divmod(abs(amount_minor), 100)
    return f"{sign}{whole}.{cents:02d} {currency}"
