"""The receipt's page, laid out for the printer, is one sheet of A4, however much there is to say.

Laid out by PlutoBook with a font that comes along, because a fresh machine may have no browser and no font.
"""

import base64
from collections.abc import Callable
from dataclasses import replace
from importlib.resources import files

import pytest

from parking.domain.blocker import CommandStatus, RejectReason, Result
from parking.domain.evidence import FIRST_KEPT, LAST_KEPT, Log
from parking.domain.payment import Payment
from parking.domain.receipt import Receipt, ReceiptLine, receipt_of
from parking.services import bookings
from reservations.receipt_page import receipt_page
from tests.unit.till import Till
from tests.unit.world import ANNA, at

plutoprint = pytest.importorskip(
    "plutoprint", reason="it has wheels for Linux on x86-64, where CI runs, and few others"
)

OWN_FONT = "system-ui, sans-serif"
LONG_NAME = "Car park of the Kalamaja community centre, upper deck, spot 114, beside the lift"
LONG_LINE = ReceiptLine("Parking, Monday to Friday 08:00 to 18:00, a day at most, 1 d 3 h 45 min", 12_345, at(900))

type Count = Callable[[str], int]


@pytest.fixture(scope="module")
def sheets() -> Count:
    """Counts the sheets that an HTML page prints to."""
    font = base64.b64encode(files("font_roboto").joinpath("files/Roboto-Regular.ttf").read_bytes()).decode()
    # A little wider than Roboto is: no font of a phone or a desk makes longer lines.
    style = f"<style>@font-face {{ font-family: sheet; src: url(data:font/ttf;base64,{font}) }}"
    style += " * { letter-spacing: 0.05em } "

    def count(page: str) -> int:
        assert OWN_FONT in page
        book = plutoprint.Book(plutoprint.PAGE_SIZE_A4)
        book.load_html(page.replace(OWN_FONT, "sheet").replace("<style>", style))
        assert book.get_page_size_at(0) == plutoprint.PAGE_SIZE_A4
        return int(book.get_page_count())

    return count


@pytest.fixture(scope="module")
def receipt() -> Receipt:
    """The receipt of a usual stay, of a spot with a long name."""
    till = Till()
    stay = till.active()
    bookings.leave(till.store, ANNA, stay.reservation_id, at(100))
    ended = till.stored(stay)
    paid = till.store.get_many(Payment, [(ended.user_id, one) for one in ended.payment_ids])
    found = receipt_of(replace(ended, spot_name=LONG_NAME), paid)
    assert found
    assert (len(found.lines), len(found.payments), len(found.reservation.evidence.entries)) == (1, 1, 1)
    return found


def _longer(receipt: Receipt, lines: int, payments: int, evidence: int) -> Receipt:
    [one] = receipt.reservation.evidence.entries
    late = replace(
        one,
        status=CommandStatus.SUPERSEDED,
        answer=Result.REJECTED,
        reason=RejectReason.MANUAL_OVERRIDE,
        answered_at=one.expires_at,
    )
    told = Log((late,) * min(evidence, FIRST_KEPT + LAST_KEPT), left_out=1)
    stay = replace(receipt.reservation, evidence=told)
    return replace(
        receipt, reservation=stay, lines=(LONG_LINE,) * lines, payments=receipt.payments * payments, owed_minor=1
    )


@pytest.mark.parametrize("rows", [*range(1, 25), 40, 60])
def test_as_many_rows_as_a_stay_may_have_are_one_sheet(sheets: Count, receipt: Receipt, rows: int) -> None:
    assert sheets(receipt_page(_longer(receipt, rows, rows, rows))) == 1
    assert sheets(receipt_page(_longer(receipt, rows, 1, 1))) == 1
    assert sheets(receipt_page(_longer(receipt, 1, rows, 1))) == 1
    assert sheets(receipt_page(_longer(receipt, 1, 1, rows))) == 1


def test_a_usual_stay_is_printed_in_letters_of_the_usual_size(receipt: Receipt) -> None:
    assert "font: 11.00pt" in receipt_page(_longer(receipt, 3, 3, 3))


def test_what_is_too_long_for_a_sheet_is_counted_as_more(sheets: Count, receipt: Receipt) -> None:
    page = receipt_page(_longer(receipt, 30, 30, 1))
    [size] = [part for part in page.split() if part.endswith("pt/1.4")]
    assert sheets(page.replace(size, "11pt/1.4")) > 1
