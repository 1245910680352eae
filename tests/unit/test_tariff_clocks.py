"""Prices by the wall clock at the spot: time zones, and the nights on which the clock is put forward or back."""

import pytest

from parking.domain.pricing import quote_extension, quote_stay
from parking.domain.tariff import Weekday
from tests.unit.tariffs import a_tariff, band, lines, local, stay

TALLINN, NEW_YORK, KOLKATA, LORD_HOWE = "Europe/Tallinn", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"

NIGHT = "Night, 22:00-06:00"
DAY = "Standard price"
TARIFF = a_tariff(400, bands=(band("Night", "22:00-06:00", 100),))


@pytest.mark.parametrize(
    ("time_zone", "starts", "ends", "expected"),
    [
        # an ordinary night is eight hours long
        (TALLINN, "2026-03-27 21:00", "2026-03-28 07:00", [(DAY, "2 h", 800), (NIGHT, "8 h", 800)]),
        # 29 March: 03:00 becomes 04:00
        (TALLINN, "2026-03-28 21:00", "2026-03-29 07:00", [(DAY, "2 h", 800), (NIGHT, "7 h", 700)]),
        (TALLINN, "2026-03-29 02:45", "2026-03-29 04:15", [(NIGHT, "30 min", 50)]),
        # 25 October: 04:00 becomes 03:00
        (TALLINN, "2026-10-24 21:00", "2026-10-25 07:00", [(DAY, "2 h", 800), (NIGHT, "9 h", 900)]),
        (TALLINN, "2026-10-25 03:30", "2026-10-25 03:30 again", [(NIGHT, "1 h", 100)]),
        # 8 March: 02:00 becomes 03:00; 1 November: 02:00 becomes 01:00
        (NEW_YORK, "2026-03-07 21:00", "2026-03-08 07:00", [(DAY, "2 h", 800), (NIGHT, "7 h", 700)]),
        (NEW_YORK, "2026-10-31 21:00", "2026-11-01 07:00", [(DAY, "2 h", 800), (NIGHT, "9 h", 900)]),
        (NEW_YORK, "2026-11-01 01:15", "2026-11-01 01:45 again", [(NIGHT, "1 h 30 min", 150)]),
        # no summer time, and half an hour beside the full one
        (KOLKATA, "2026-03-28 21:00", "2026-03-29 07:00", [(DAY, "2 h", 800), (NIGHT, "8 h", 800)]),
        (KOLKATA, "2026-10-25 05:30", "2026-10-25 06:30", [(NIGHT, "30 min", 50), (DAY, "30 min", 200)]),
        # the clock moves by half an hour: 4 October 02:00 becomes 02:30, 5 April 02:00 becomes 01:30
        (LORD_HOWE, "2026-10-03 21:00", "2026-10-04 07:00", [(DAY, "2 h", 800), (NIGHT, "7 h 30 min", 750)]),
        (LORD_HOWE, "2026-04-04 21:00", "2026-04-05 07:00", [(DAY, "2 h", 800), (NIGHT, "8 h 30 min", 850)]),
        (LORD_HOWE, "2026-04-05 01:45", "2026-04-05 01:45 again", [(NIGHT, "30 min", 50)]),
    ],
)
def test_a_night_costs_the_time_that_really_passes(
    time_zone: str, starts: str, ends: str, expected: list[tuple[str, str, int]]
) -> None:
    sold = lines(TARIFF, stay(starts, ends, time_zone), time_zone)
    assert sorted(sold) == sorted((f"{name}, {length}", amount_minor) for name, length, amount_minor in expected)


@pytest.mark.parametrize(
    ("time_zone", "day", "sold"),
    [
        (TALLINN, "2026-03-28", ["Market, 03:00-04:00, 1 h"]),
        (TALLINN, "2026-03-29", []),  # the clock never shows 03:00 to 04:00
        (TALLINN, "2026-10-25", ["Market, 03:00-04:00, 2 h"]),  # it shows them twice
        (KOLKATA, "2026-10-25", ["Market, 03:00-04:00, 1 h"]),
    ],
)
def test_a_band_in_the_changed_hour_is_sold_as_often_as_the_clock_shows_it(
    time_zone: str, day: str, sold: list[str]
) -> None:
    tariff = a_tariff(bands=(band("Market", "03:00-04:00", 900),))
    texts = [text for text, _ in lines(tariff, stay(f"{day} 00:00", f"{day} 12:00", time_zone), time_zone)]
    assert [text for text in texts if text.startswith("Market")] == sold


@pytest.mark.parametrize(
    ("time_zone", "day", "hours"),
    [
        (TALLINN, "2026-03-29", 23),
        (TALLINN, "2026-10-25", 25),
        (NEW_YORK, "2026-03-08", 23),
        (KOLKATA, "2026-03-29", 24),
    ],
)
def test_the_cap_is_for_a_local_day_however_long_it_is(time_zone: str, day: str, hours: int) -> None:
    following = f"{day[:-2]}{int(day[-2:]) + 1:02}"
    whole_day = stay(f"{day} 00:00", f"{following} 00:00", time_zone)
    tariff = a_tariff(200, daily_cap_minor=1_500)
    assert quote_stay(a_tariff(200), whole_day, time_zone).amount_minor == hours * 200
    assert quote_stay(tariff, whole_day, time_zone).amount_minor == 1_500
    into_the_next = stay(f"{day} 00:00", f"{following} 01:00", time_zone)
    assert quote_stay(tariff, into_the_next, time_zone).amount_minor == 1_500 + 200


def test_the_days_of_the_cap_are_the_spots_own_and_not_utcs() -> None:
    # 23:00-01:00 UTC is one day in Tallinn (01:00-03:00) and one in Kolkata (04:30-06:30), two at UTC.
    sold = stay("2026-12-01 23:00", "2026-12-02 01:00", "UTC")
    tariff = a_tariff(500, daily_cap_minor=600)
    prices = [quote_stay(tariff, sold, zone).amount_minor for zone in ("UTC", TALLINN, KOLKATA, NEW_YORK)]
    assert prices == [1_000, 600, 600, 600]


def test_the_weekday_is_the_spots_own() -> None:
    # Sunday 20:00 in New York is Monday in Tallinn already.
    tariff = a_tariff(bands=(band("Sunday", "00:00-00:00", 0, Weekday.SUNDAY),))
    sold = stay("2026-12-06 20:00", "2026-12-06 21:00", NEW_YORK)
    assert [quote_stay(tariff, sold, zone).amount_minor for zone in (NEW_YORK, TALLINN)] == [0, 200]


def test_an_extension_over_the_long_night_costs_its_real_hours() -> None:
    first = stay("2026-10-25 02:00", "2026-10-25 03:00", TALLINN)
    longer = stay("2026-10-25 02:00", "2026-10-25 04:00", TALLINN)
    quote = quote_extension(TARIFF, first, longer, TALLINN)
    assert [(line.text, line.amount_minor) for line in quote.lines] == [(f"Extension, {NIGHT}, 2 h", 200)]


def test_the_second_showing_of_an_hour_is_an_hour_later() -> None:
    assert (local("2026-10-25 03:30 again", TALLINN) - local("2026-10-25 03:30", TALLINN)).total_seconds() == 3_600
