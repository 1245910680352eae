"""A spot with bands and a cap, from the quote to the paid extension and the receipt."""

from dataclasses import replace

import pytest

from parking.adapters.memory.iot import MemoryThings
from parking.domain.errors import PriceChanged
from parking.domain.payment import PaymentStatus
from parking.domain.reservation import ReservationStatus
from parking.domain.time import Interval
from parking.services.bookings import call_off, extension_option
from parking.services.spots import provision, quote, spot_of
from tests.unit.tariffs import a_tariff, band
from tests.unit.world import ANNA, World, at

# NOW is 10:00 in Berlin, the spot's time zone.
TARIFF = a_tariff(240, bands=(band("Lunch", "12:00-14:00", 480),), daily_cap_minor=960)


@pytest.fixture
def city() -> World:
    """One spot with a dearer lunchtime and a cap of two such hours a day."""
    return World(tariff=TARIFF)


def test_a_stay_is_sold_at_the_price_that_was_quoted(city: World) -> None:
    price, free = quote(city.store, city.spot.spot_id, Interval(at(60), at(180)), at(0))
    assert [(line.text, line.amount_minor) for line in price.lines] == [
        ("Standard price, 1 h", 240),
        ("Lunch, 12:00-14:00, 1 h", 480),
    ]
    held = city.reserve(ANNA, 60, 180, quoted_amount_minor=720)
    assert (free, held.quote) == (True, price)


def test_a_band_that_became_dearer_is_a_changed_price_for_who_saw_the_old_one(city: World) -> None:
    dearer = replace(city.spot, tariff=replace(TARIFF, bands=(band("Lunch", "12:00-14:00", 500),)))
    provision(city.store, MemoryThings(), dearer, new_certificate=False)
    assert spot_of(city.store, city.spot.spot_id).tariff.version == 2
    with pytest.raises(PriceChanged) as refusal:
        city.reserve(ANNA, 60, 180, quoted_amount_minor=720)
    assert refusal.value.data["amount"] == 740
    assert city.reserve(ANNA, 60, 180, quoted_amount_minor=740).quote.tariff_version == 2


def test_an_extension_costs_what_the_longer_stay_costs_more(city: World) -> None:
    booked = city.booked(ANNA, 60, 180)
    option = extension_option(city.store, ANNA, booked.reservation_id, at(240), at(70))
    assert option.quote is not None
    assert [(line.text, line.amount_minor) for line in option.quote.lines] == [
        ("Extension, Lunch, 12:00-14:00, 1 h", 480),
        ("Extension, Daily cap, Tue 1 Dec", -240),
    ]
    extension = city.extend(booked, 240)
    assert extension.quote == option.quote
    assert city.pay(booked, extension, now=71).amount_minor == 240


def test_an_extension_for_nothing_is_paid_from_an_empty_wallet_and_refunded_with_the_stay(city: World) -> None:
    booked = city.booked(ANNA, 120, 240, funds=960)
    extension = city.extend(booked, 300)
    payment = city.pay(booked, extension, now=71)
    assert (payment.amount_minor, payment.status) == (0, PaymentStatus.SUCCEEDED)
    assert city.stored(booked).ends_at == at(300)
    assert city.balance() == 0
    cancelled = call_off(city.store, ANNA, booked.reservation_id, at(80))
    assert (cancelled.status, city.balance()) == (ReservationStatus.CANCELLED, 960)
