"""The export: a spot as an APDS place."""

import json
from dataclasses import fields, replace
from datetime import UTC, datetime, time

from parking.domain.tariff import Band, Tariff, Weekday
from parking.services.search import FoundPage, FoundSpot
from spots.export import PlacesOut
from tests.builders import TARIFF, a_spot

MOMENT = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)


def test_a_spot_is_a_place_with_its_rates_and_what_is_booked_now() -> None:
    spot = a_spot(version=3, tariff=replace(TARIFF, version=2))
    found = FoundSpot(spot, 0, None, available=False)
    page = json.loads(PlacesOut.of(FoundPage([found], None), 50, None, MOMENT).model_dump_json())
    assert page["meta"] == {"referenceInstant": 1796115600, "pageSize": 50, "nextCursor": None}
    [place] = page["data"]
    assert (place["id"], place["version"], place["type"]) == (spot.spot_id, 3, "place")
    assert place["name"] == [{"language": "en", "string": "Marktplatz 7"}]
    assert place["timeZone"] == "Europe/Berlin"
    assert place["indicativePointLocation"] == {"type": "Point", "coordinates": [13.3777, 52.5163]}
    assert place["hierarchyElementReference"] == {
        "supply": [{"supplyViewType": "spaceView", "supplyQuantity": 1}],
        "demandTable": [{"timestamp": "2026-12-01T09:00:00Z", "demandType": [{"count": 1}]}],
    }
    [rates] = place["rates"]
    assert (rates["id"], rates["version"]) == (f"{spot.spot_id}-rates", 2)
    [collection] = rates["rateLineCollections"]
    assert (collection["applicableCurrency"], collection["minTime"], collection["taxIncluded"]) == (
        "EUR",
        "PT15M",
        True,
    )
    [line] = collection["rateLines"]
    assert (line["rateLineType"], line["incrementPeriod"], line["value"]) == ("incrementingRate", "PT1H", 2.4)


def test_a_free_spot_has_no_demand() -> None:
    page = PlacesOut.of(FoundPage([FoundSpot(a_spot(), 0, None, available=True)], None), 50, None, MOMENT)
    assert page.data[0].hierarchy_element_reference.demand_table[0].demand_type[0].count == 0


def test_every_field_of_a_tariff_is_exported_or_left_out_on_purpose() -> None:
    exported = {"price_per_hour_minor", "currency", "step_minutes", "minimum_minutes", "tax_included", "version"}
    exported |= {"bands", "daily_cap_minor"}
    left_out = {"overstay_price_per_hour_minor", "overstay_cap_minor"}  # APDS has no rate line for an overstay
    assert {field.name for field in fields(Tariff)} == exported | left_out


def test_each_band_is_a_rate_line_and_the_cap_is_said_in_words() -> None:
    night = Band("Night", frozenset({Weekday.FRIDAY, Weekday.SATURDAY}), time(20), time(8), 100)
    tariff = replace(a_spot().tariff, bands=(night,), daily_cap_minor=1_500)
    page = PlacesOut.of(FoundPage([FoundSpot(a_spot(tariff=tariff), 0, None, available=True)], None), 50, None, MOMENT)
    [collection] = page.data[0].rates[0].rate_line_collections
    base, line = collection.rate_lines
    assert base.description[0].string.endswith("at most 15.00 a day")
    assert (line.sequence, line.value) == (2, 1.0)
    assert "Friday, Saturday" in line.description[0].string
    assert "20:00" in line.description[0].string
