"""What stays and extensions cost at one price for all hours."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parking.domain.pricing import quote_extension, quote_stay
from parking.domain.tariff import Tariff
from parking.domain.time import Interval
from tests.simulation import reference
from tests.unit.tariffs import BERLIN, PLAIN, a_tariff, lasting

START = datetime(2026, 11, 23, 12, tzinfo=UTC)
TARIFF = a_tariff(minimum_minutes=30, version=3)


def stay(seconds: float) -> Interval:
    """A stay of so many seconds."""
    return lasting(START, seconds)


def price_minor(tariff: Tariff, seconds: float) -> int:
    """What a stay of so many seconds costs."""
    return quote_stay(tariff, stay(seconds), BERLIN).amount_minor


def extension_minor(tariff: Tariff, seconds: float, longer_seconds: float) -> int:
    """What it costs to make a stay that long."""
    return quote_extension(tariff, stay(seconds), stay(longer_seconds), BERLIN).amount_minor


@pytest.mark.parametrize(
    ("minutes", "amount_minor"),
    [(1, 50), (15, 50), (15.01, 100), (30, 100), (59, 200), (60, 200), (61, 250), (60 * 24 * 7, 33_600)],
)
def test_every_started_step_is_charged_whole(minutes: float, amount_minor: int) -> None:
    assert price_minor(TARIFF, minutes * 60) == amount_minor


@pytest.mark.parametrize(
    ("price_per_hour_minor", "step_minutes", "amount_minor"),
    [(250, 15, 63), (249, 15, 62), (251, 15, 63), (10, 3, 1), (9, 3, 0), (100, 20, 33), (200, 20, 67)],
)
def test_half_a_minor_unit_rounds_up_and_less_rounds_down(
    price_per_hour_minor: int, step_minutes: int, amount_minor: int
) -> None:
    assert price_minor(a_tariff(price_per_hour_minor, step_minutes=step_minutes), 60) == amount_minor


@given(PLAIN, st.integers(1, 7 * 24 * 3600))
def test_the_price_is_the_exact_price_of_the_steps_to_the_nearest_minor_unit(tariff: Tariff, seconds: int) -> None:
    steps = -(-seconds // (tariff.step_minutes * 60))
    exact_times_60 = steps * tariff.step_minutes * tariff.price_per_hour_minor
    error_times_60 = price_minor(tariff, seconds) * 60 - exact_times_60
    assert -30 < error_times_60 <= 30
    assert price_minor(tariff, seconds) == reference.price_minor(tariff, stay(seconds).duration)


def test_an_extension_inside_a_step_that_is_paid_costs_nothing_more() -> None:
    assert extension_minor(TARIFF, 60 * 61, 60 * 75) == 0


@pytest.mark.parametrize(
    ("minutes", "text"), [(15, "Parking, 15 min"), (50, "Parking, 1 h"), (75, "Parking, 1 h 15 min")]
)
def test_a_line_says_how_much_time_is_sold(minutes: int, text: str) -> None:
    assert [line.text for line in quote_stay(TARIFF, stay(minutes * 60), BERLIN).lines] == [text]


def test_an_extensions_line_says_how_much_time_it_adds() -> None:
    quote = quote_extension(TARIFF, stay(3600), stay(3600 + 5400), BERLIN)
    assert [line.text for line in quote.lines] == ["Extension, 1 h 30 min"]
