"""What a running system tells app developers, and the city that it shows them."""

import re
from collections import Counter
from math import cos, hypot, radians
from pathlib import Path
from zoneinfo import ZoneInfo

from local import city
from local.drivers import Account
from local.stack import Stack

# Issue 2 names these; app developers' tools read them.
PROMISED = [
    *("api_url", "aws_endpoint_url", "region", "stack_name", "user_pool_id", "user_pool_client_id", "stripe_api_base"),
    *("mqtt_host", "mqtt_port", "lat", "lon", "simulator_url", "sns_record_url", "users"),
]
METRES_PER_DEGREE = 111_195
LARGEST_SEARCH_RADIUS_M = 5000


def test_stack_json_has_exactly_the_promised_keys() -> None:
    stack = Stack(
        api_url="http://127.0.0.1:4566/_aws/execute-api/a/$default",
        aws_endpoint_url="http://127.0.0.1:4566",
        region="eu-central-1",
        stack_name="smart-parking-local",
        user_pool_id="pool",
        user_pool_client_id="client",
        stripe_api_base="http://127.0.0.1:8420",
        mqtt_host="localhost",
        mqtt_port=8883,
        lat=59.437,
        lon=24.7536,
        simulator_url="http://127.0.0.1:8890",
        sns_record_url="http://127.0.0.1:4570",
        users=(Account("driver.a@example.com", "a password"),),
        outputs={},
        folder=Path(),
    )
    document = stack.document()
    assert list(document) == PROMISED
    assert document["users"] == [{"email": "driver.a@example.com", "password": "a password"}]


def test_the_city_has_at_least_sixty_different_spots_that_one_search_finds() -> None:
    tallinn = city.load()
    assert 60 <= len(tallinn.wishes) <= 100
    for name in ("spot_id", "address"):
        assert Counter(wish[name] for wish in tallinn.wishes).most_common(1)[0][1] == 1
    for wish in tallinn.wishes:
        north = wish["latitude"] - tallinn.latitude
        east = (wish["longitude"] - tallinn.longitude) * cos(radians(tallinn.latitude))
        assert hypot(north, east) * METRES_PER_DEGREE < LARGEST_SEARCH_RADIUS_M


def test_every_spot_is_a_whole_wish_with_some_variety_among_them() -> None:
    wishes = city.load().wishes
    assert all(re.fullmatch(r"tallinn-\d{3}", wish["spot_id"]) for wish in wishes)
    assert {wish["time_zone"] for wish in wishes} == {"Europe/Tallinn"}
    assert ZoneInfo("Europe/Tallinn")
    assert {wish["tariff"]["currency"] for wish in wishes} == {"EUR"}
    assert len({wish["tariff"]["price_per_hour_minor"] for wish in wishes}) >= 3
    assert {wish["idle_position"] for wish in wishes} == {"LOWERED", "RAISED"}
