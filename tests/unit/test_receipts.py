"""A receipt: what was sold, what was paid and given back, what the barrier did; and its page."""

import re
from dataclasses import replace

import pytest

from parking.domain.blocker import CommandStatus, Occupancy, Position
from parking.domain.evidence import NOTHING_TOLD
from parking.domain.payment import Payment
from parking.domain.receipt import Receipt, ReceiptLine, receipt_of
from parking.domain.reservation import EndReason, Reservation, ReservationStatus
from parking.http import prefers
from parking.services import bookings
from reservations.receipt_page import receipt_page
from tests.unit.till import Till, intent_of
from tests.unit.world import ANNA, at

S = ReservationStatus


def _receipt(till: Till, stay: Reservation) -> Receipt | None:
    stored = till.stored(stay)
    keys = [(stored.user_id, payment_id) for payment_id in stored.payment_ids]
    return receipt_of(stored, till.store.get_many(Payment, keys) if keys else [])


def _sealed(till: Till, stay: Reservation) -> Receipt:
    receipt = _receipt(till, stay)
    assert receipt
    return receipt


def _paid_by_card(till: Till) -> Reservation:
    held = till.reserve(ANNA)
    till.completes(till.pay_by_card(held), 2)
    return till.stored(held)


def test_a_stay_that_is_not_over_has_no_receipt(till: Till) -> None:
    held = till.reserve(ANNA)
    assert _receipt(till, held) is None
    assert _receipt(till, till.active(starts=300, ends=400)) is None


def test_a_closed_stay_lists_what_was_sold_and_paid(till: Till) -> None:
    stay = till.active()
    till.pay(stay, till.extend(stay, 240, now=70), now=71)
    bookings.leave(till.store, ANNA, stay.reservation_id, at(200))
    receipt = _sealed(till, stay)
    assert receipt.lines == (ReceiptLine("Parking, 2 h", 480), ReceiptLine("Extension, 1 h", 240))
    assert (receipt.paid_minor, receipt.refunded_minor, receipt.owed_minor) == (720, 0, 0)
    assert (receipt.reason, receipt.sealed_at, receipt.tax_included) == (EndReason.DEPARTED, at(200), True)
    assert [one.payment_id for one in receipt.payments] == list(till.stored(stay).payment_ids)


def test_an_extension_that_was_never_paid_is_not_on_it(till: Till) -> None:
    stay = till.active()
    till.extend(stay, 240, now=70)
    bookings.leave(till.store, ANNA, stay.reservation_id, at(75))
    assert [line.text for line in _sealed(till, stay).lines] == ["Parking, 2 h"]


@pytest.mark.parametrize("tax_included", [True, False])
def test_the_tax_flag_is_the_one_that_the_stay_was_sold_with(till: Till, tax_included: bool) -> None:
    tariff = replace(till.spot.tariff, tax_included=tax_included)
    till.store.commit(replace(till.spot, tariff=tariff, version=1))
    stay = till.booked(ANNA)
    till.store.commit(replace(till.spot, tariff=replace(tariff, tax_included=not tax_included), version=2))
    bookings.call_off(till.store, ANNA, stay.reservation_id, at(5))
    assert _sealed(till, stay).tax_included is tax_included
    tax = "Prices include tax." if tax_included else "Prices are without tax."
    assert tax in receipt_page(_sealed(till, stay))


def test_a_refund_to_the_wallet_is_a_line_of_the_moment_that_closed_the_stay(till: Till) -> None:
    stay = till.booked(ANNA)
    bookings.call_off(till.store, ANNA, stay.reservation_id, at(5))
    receipt = _sealed(till, stay)
    assert receipt.lines == (
        ReceiptLine("Parking, 2 h", 480),
        ReceiptLine("Refund to the wallet", -480, at(5)),
    )
    assert (receipt.paid_minor, receipt.refunded_minor) == (480, 480)


def test_a_refund_to_the_card_is_a_later_line_and_edits_none(till: Till) -> None:
    stay = _paid_by_card(till)
    till.cards.refunds_start = "pending"
    bookings.call_off(till.store, ANNA, stay.reservation_id, at(5))
    till.stream(5)
    sold, waiting = _sealed(till, stay).lines
    assert waiting == ReceiptLine("Refund, on its way to the card", -480, at(5))
    [payment] = till.payments()
    till.cards.end_refund(payment.refunds[0].stripe_id or "", "succeeded")
    till.refund_webhook(payment, 9)
    arrived = ReceiptLine("The card has the refund", 0, at(9))
    assert _sealed(till, stay).lines == (sold, waiting, arrived)
    till.cards.end_refund(payment.refunds[0].stripe_id or "", "failed")
    till.refund_webhook(payment, 900)
    sent_back = ReceiptLine("Sent back by the card, now in the wallet", 0, at(900))
    assert _sealed(till, stay).lines == (sold, waiting, arrived, sent_back)


def test_a_refund_that_the_bank_had_paid_already_is_a_later_line(till: Till) -> None:
    stay = _paid_by_card(till)
    [payment] = till.payments()
    dispute = till.cards.open_dispute(intent_of(payment))
    bookings.call_off(till.store, ANNA, stay.reservation_id, at(5))
    till.dispute_webhook(dispute.stripe_id, 6)
    till.cards.close_dispute(dispute.stripe_id, won=False)
    till.dispute_webhook(dispute.stripe_id, 7)
    before = _sealed(till, stay).lines
    till.stream(8)
    assert _sealed(till, stay).lines == (*before, ReceiptLine("The refund was paid by your bank", 0, at(8)))


def test_an_overstay_is_owed_until_it_is_paid(till: Till) -> None:
    stay = till.active(funds=480)
    for minute in (180, 191):
        till.device_reports(minute, Position.LOWERED, Occupancy.OCCUPIED)
        till.tick(minute)
    bookings.leave(till.store, ANNA, stay.reservation_id, at(210))
    owing = _sealed(till, stay)
    assert owing.lines[1:] == (ReceiptLine("Overstay, 30 min", 240),)
    assert (owing.paid_minor, owing.owed_minor) == (480, 240)
    assert "Still owed" in receipt_page(owing)
    till.fund(ANNA, 1_000, key="more", now=220)
    till.pay(stay, key="debt", now=221)
    settled = _sealed(till, stay)
    assert settled.lines == owing.lines
    assert (settled.paid_minor, settled.owed_minor, settled.sealed_at) == (720, 0, at(210))
    assert "Still owed" not in receipt_page(settled)


def test_an_unpaid_stay_that_ended_costs_nothing(till: Till) -> None:
    held = till.reserve(ANNA)
    till.tick(10)
    receipt = _sealed(till, held)
    assert (receipt.lines, receipt.payments, receipt.paid_minor) == ((), (), 0)


def test_what_the_barrier_was_told_and_said_is_kept_after_its_own_history_is_gone(till: Till) -> None:
    stay = till.booked(ANNA)
    till.device_reports(44)
    till.tick(45)
    raised = till.device_obeys(46).command
    bookings.arrive(till.store, ANNA, stay.reservation_id, at(60))
    till.reconcile(60)
    till.device_obeys(60.2)
    at_arrival = {one.position: one for one in till.stored(stay).evidence.entries}
    assert at_arrival[Position.RAISED].command_id == (raised.command_id if raised else "")
    assert at_arrival[Position.LOWERED].status is CommandStatus.SUCCEEDED
    assert at_arrival[Position.LOWERED].answered_at == at(60.2)
    till.store.commit(replace(till.blocker, command=None, history=()))
    bookings.leave(till.store, ANNA, stay.reservation_id, at(100))
    assert {one.position: one for one in _sealed(till, stay).reservation.evidence.entries} == at_arrival


def test_another_drivers_commands_are_no_evidence(till: Till) -> None:
    first = till.active()
    bookings.leave(till.store, ANNA, first.reservation_id, at(100))
    second = till.booked(ANNA, 130, 240, now=101)
    bookings.call_off(till.store, ANNA, second.reservation_id, at(102))
    assert till.stored(second).evidence == NOTHING_TOLD


# The page


def _page(till: Till) -> str:
    stay = till.active()
    bookings.leave(till.store, ANNA, stay.reservation_id, at(100))
    return receipt_page(_sealed(till, stay))


def test_the_page_says_times_in_the_spots_zone_and_money_in_its_currency(till: Till) -> None:
    page = _page(till)
    assert "2026-12-01 11:00 CET" in page  # the start: 10:00 UTC in Berlin
    assert "Parking, 2 h" in page
    assert "4.80 EUR" in page
    assert "LOWERED asked" in page


def test_the_page_shows_what_was_given_back_as_negative(till: Till) -> None:
    stay = till.booked(ANNA)
    bookings.call_off(till.store, ANNA, stay.reservation_id, at(5))
    assert "-4.80 EUR" in receipt_page(_sealed(till, stay))


def test_what_people_typed_is_escaped_on_the_page(till: Till) -> None:
    stay = till.active()
    bookings.leave(till.store, ANNA, stay.reservation_id, at(100))
    receipt = _sealed(till, stay)
    evil = '<script>alert("1")</script>&'
    typed = replace(receipt.reservation, spot_name=evil, vehicle_plate=evil)
    page = receipt_page(replace(receipt, reservation=typed, lines=(ReceiptLine(evil, 1),)))
    assert "<script" not in page
    assert page.count("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;") == 3


def test_the_page_runs_nothing_and_loads_nothing(till: Till) -> None:
    page = _page(till)
    assert re.search(r"<script|<img|<link|<iframe|\bon\w+=|https?:|//|url\(|@import|javascript:", page) is None
    assert page.startswith("<!doctype html>")
    assert "size: A4" in page


@pytest.mark.parametrize(
    ("accept", "page"),
    [
        ("text/html", True),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", True),
        ("Text/HTML; charset=utf-8", True),
        ("text/html, application/json", True),
        ("application/json, text/html", False),
        ("application/json", False),
        ("*/*", False),
        ("", False),
    ],
)
def test_who_asks_for_a_page_first_gets_one(accept: str, page: bool) -> None:
    assert prefers(accept, "text/html") is page


def test_a_long_receipt_is_printed_smaller(till: Till) -> None:
    stay = till.booked(ANNA)
    bookings.call_off(till.store, ANNA, stay.reservation_id, at(5))
    receipt = _sealed(till, stay)
    assert "font: 11.00pt" in receipt_page(receipt)
    long = replace(receipt, lines=receipt.lines * 40)
    [size_pt] = re.findall(r"font: ([0-9.]+)pt", receipt_page(long))
    assert float(size_pt) < 8
