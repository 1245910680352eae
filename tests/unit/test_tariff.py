"""What stays and extensions cost."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parking.domain.tariff import Tariff
from parking.domain.time import Interval

START = datetime(2026, 11, 23, 12, tzinfo=UTC)
TARIFF = Tariff(price_per_hour_minor=200, currency="EUR", step_minutes=15, minimum_minutes=30, version=3)

tariffs = st.builds(
    Tariff,
    price_per_hour_minor=st.integers(1, 100_000),
    currency=st.just("EUR"),
    step_minutes=st.sampled_from([1, 5, 7, 10, 15, 20, 30, 45, 60, 120]),
)


def stay(seconds: float) -> Interval:
    """A stay of so many seconds."""
    return Interval(START, START + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("minutes", "amount_minor"),
    [(1, 50), (15, 50), (15.01, 100), (30, 100), (59, 200), (60, 200), (61, 250), (60 * 24 * 7, 33_600)],
)
def test_every_started_step_is_charged_whole(minutes: float, amount_minor: int) -> None:
    assert TARIFF.quote(stay(minutes * 60)).amount_minor == amount_minor


@pytest.mark.parametrize(
    ("price_per_hour_minor", "step_minutes", "amount_minor"),
    [(250, 15, 63), (249, 15, 62), (251, 15, 63), (10, 3, 1), (9, 3, 0), (100, 20, 33), (200, 20, 67)],
)
def test_half_a_minor_unit_rounds_up_and_less_rounds_down(
    price_per_hour_minor: int, step_minutes: int, amount_minor: int
) -> None:
    tariff = Tariff(price_per_hour_minor=price_per_hour_minor, currency="EUR", step_minutes=step_minutes)
    assert tariff.quote(stay(60)).amount_minor == amount_minor


@given(tariffs, st.integers(1, 7 * 24 * 3600))
def test_the_price_is_the_exact_price_of_the_steps_to_the_nearest_minor_unit(tariff: Tariff, seconds: int) -> None:
    steps = -(-seconds // (tariff.step_minutes * 60))
    exact_times_60 = steps * tariff.step_minutes * tariff.price_per_hour_minor
    error_times_60 = tariff.quote(stay(seconds)).amount_minor * 60 - exact_times_60
    assert -30 < error_times_60 <= 30


@given(tariffs, st.integers(1, 24 * 3600), st.integers(1, 24 * 3600), st.integers(1, 24 * 3600))
def test_extending_in_parts_costs_what_booking_the_whole_would(
    tariff: Tariff, first: int, second: int, third: int
) -> None:
    booked, longer, longest = stay(first), stay(first + second), stay(first + second + third)
    parts = [
        tariff.quote(booked),
        tariff.quote_extension(booked, longer),
        tariff.quote_extension(longer, longest),
    ]
    assert sum(part.amount_minor for part in parts) == tariff.quote(longest).amount_minor
    assert all(part.amount_minor >= 0 for part in parts)


def test_an_extension_inside_a_step_that_is_paid_costs_nothing_more() -> None:
    assert TARIFF.quote_extension(stay(60 * 61), stay(60 * 75)).amount_minor == 0


@given(tariffs, st.integers(1, 7 * 24 * 3600), st.booleans())
def test_the_lines_add_up_to_the_amount_and_name_currency_and_version(
    tariff: Tariff, seconds: int, extension: bool
) -> None:
    quote = tariff.quote_extension(stay(60), stay(60 + seconds)) if extension else tariff.quote(stay(seconds))
    assert sum(line.amount_minor for line in quote.lines) == quote.amount_minor
    assert (quote.currency, quote.tariff_version) == (tariff.currency, tariff.version)


@pytest.mark.parametrize(
    ("minutes", "text"), [(15, "Parking, 15 min"), (50, "Parking, 1 h"), (75, "Parking, 1 h 15 min")]
)
def test_a_line_says_how_much_time_is_sold(minutes: int, text: str) -> None:
    assert TARIFF.quote(stay(minutes * 60)).lines[0].text == text


def test_an_extensions_line_says_how_much_time_it_adds() -> None:
    assert TARIFF.quote_extension(stay(3600), stay(3600 + 5400)).lines[0].text == "Extension, 1 h 30 min"
