"""The tariff that an operator gives, and the one that a driver is shown."""

from typing import Any

import pytest

from parking.bad_input import BadInput
from parking.domain.tariff import Tariff, Weekday
from parking.operators import operator_input
from spots.provision import ProvisionIn
from spots.schemas import TariffOut
from tests.unit.tariffs import EVERY_DAY, band

DAY = {"name": "Day", "start_time": "08:00", "end_time": "20:00", "price_per_hour_minor": 320}
NIGHT = {"name": "Night", "start_time": "20:00", "end_time": "08:00", "price_per_hour_minor": 0}
WEEKDAYS = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY"]


def _tariff(**over: Any) -> Tariff:
    wish = {
        "spot_id": "viru-12",
        "name": "Viru 12",
        "address": "Viru 12, Tallinn",
        "latitude": 59.4366,
        "longitude": 24.7489,
        "time_zone": "Europe/Tallinn",
        "tariff": {"price_per_hour_minor": 200, "currency": "EUR"} | over,
    }
    return operator_input(ProvisionIn, wish).spot().tariff


def test_a_tariff_without_bands_has_one_price() -> None:
    assert _tariff() == Tariff(price_per_hour_minor=200, currency="EUR")


def test_bands_and_a_cap_are_taken_as_they_are_given() -> None:
    tariff = _tariff(bands=[DAY | {"weekdays": WEEKDAYS}, NIGHT], daily_cap_minor=2_000)
    assert tariff.daily_cap_minor == 2_000
    day = band("Day", "08:00-20:00", 320, *(Weekday(name) for name in WEEKDAYS))
    assert tariff.bands == (day, band("Night", "20:00-08:00", 0))
    assert tariff.bands[1].weekdays == EVERY_DAY


@pytest.mark.parametrize(
    ("over", "said"),
    [
        ({"bands": [DAY, NIGHT | {"end_time": "08:01"}]}, "tariff.bands: Value error, Day and Night overlap"),
        ({"bands": [DAY, NIGHT | {"name": "Day"}]}, "tariff.bands: Value error, two bands are called Day"),
        ({"bands": [DAY | {"start_time": "8:00"}]}, "tariff.bands.0.start_time: String should match"),
        ({"bands": [DAY | {"end_time": "24:00"}]}, "tariff.bands.0.end_time: String should match"),
        ({"bands": [DAY | {"weekdays": []}]}, "tariff.bands.0.weekdays: "),
        ({"bands": [DAY | {"weekdays": ["MO"]}]}, "tariff.bands.0.weekdays"),
        ({"bands": [DAY | {"price_per_hour_minor": -1}]}, "tariff.bands.0.price_per_hour_minor: "),
        ({"bands": [DAY | {"price_per_hour_minor": 3}]}, "tariff: Value error, a step must cost at least one minor"),
        ({"bands": [DAY | {"cap": 3}]}, "tariff.bands.0.cap: Extra inputs are not permitted"),
        ({"bands": [DAY | {"name": f"{n}"} for n in range(13)]}, "tariff.bands: Tuple should have at most 12 items"),
        ({"daily_cap_minor": 49}, "tariff: Value error, daily_cap_minor is less than one step costs"),
        ({"daily_cap_minor": 79, "bands": [DAY]}, "tariff: Value error, daily_cap_minor is less than one step costs"),
        ({"daily_cap_minor": 0}, "tariff.daily_cap_minor: "),
        ({"price_per_hour_minor": 3}, "tariff: Value error, a step must cost at least one minor unit"),
    ],
)
def test_a_tariff_that_cannot_be_meant_is_refused_with_the_reason(over: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput) as refusal:
        _tariff(**over)
    assert said in str(refusal.value)


def test_a_cap_of_just_one_step_is_taken() -> None:
    assert _tariff(daily_cap_minor=80, bands=[DAY]).daily_cap_minor == 80


def test_a_driver_is_shown_the_whole_tariff() -> None:
    weekend = frozenset({Weekday.SUNDAY, Weekday.SATURDAY})
    shown = TariffOut.of(_tariff(bands=[DAY | {"weekdays": sorted(weekend)}], daily_cap_minor=2_000))
    assert shown.model_dump() == {
        "price_per_hour": 200,
        "currency": "EUR",
        "step_minutes": 15,
        "minimum_minutes": 15,
        "bands": [
            {
                "name": "Day",
                "weekdays": ["SATURDAY", "SUNDAY"],
                "start_time": "08:00",
                "end_time": "20:00",
                "price_per_hour": 320,
            }
        ],
        "daily_cap": 2_000,
        "overstay": {"price_per_hour": 400, "cap": 9_600},
        "tax_included": True,
        "version": 1,
    }
    assert TariffOut.of(_tariff()).daily_cap is None
