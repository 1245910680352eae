"""Bands by weekday and hour, the daily cap, and the lines that say them."""

from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from parking.domain.pricing import quote_extension, quote_stay
from parking.domain.tariff import Band, Tariff, Weekday
from tests.unit.tariffs import BERLIN, a_tariff, band, lines, local, stay

MON, FRI, SAT, SUN = Weekday.MONDAY, Weekday.FRIDAY, Weekday.SATURDAY, Weekday.SUNDAY

DAY = band("Day", "08:00-20:00", 320)
NIGHT = band("Night", "20:00-08:00", 80)
CITY = a_tariff(bands=(DAY, NIGHT), daily_cap_minor=2_000)

# 2026-12-01 is a Tuesday.


@pytest.mark.parametrize(
    ("starts", "ends", "expected"),
    [
        ("2026-12-01 17:30", "2026-12-01 20:00", [("Day, 08:00-20:00, 2 h 30 min", 800)]),
        (
            "2026-12-01 17:30",
            "2026-12-01 20:45",
            [("Day, 08:00-20:00, 2 h 30 min", 800), ("Night, 20:00-08:00, 45 min", 60)],
        ),
        (
            "2026-12-01 22:00",
            "2026-12-02 09:00",
            [("Night, 20:00-08:00, 10 h", 800), ("Day, 08:00-20:00, 1 h", 320)],
        ),
        (
            "2026-12-01 12:00",
            "2026-12-02 12:00",  # Tuesday: 8 h by day and 4 h by night are 28.80; Wednesday: 6.40 and 12.80
            [
                ("Day, 08:00-20:00, 12 h", 3_840),
                ("Night, 20:00-08:00, 12 h", 960),
                ("Daily cap, Tue 1 Dec", -880),
            ],
        ),
    ],
)
def test_a_stay_says_what_each_band_and_the_cap_make_of_it(
    starts: str, ends: str, expected: list[tuple[str, int]]
) -> None:
    assert lines(CITY, stay(starts, ends)) == expected


def test_hours_outside_of_every_band_are_at_the_base_price() -> None:
    tariff = a_tariff(bands=(DAY,))
    assert lines(tariff, stay("2026-12-01 19:00", "2026-12-01 21:00")) == [
        ("Day, 08:00-20:00, 1 h", 320),
        ("Standard price, 1 h", 200),
    ]


def test_a_step_belongs_whole_to_the_band_in_which_it_starts() -> None:
    sold = stay("2026-12-01 19:50", "2026-12-01 20:20")
    assert lines(CITY, sold) == [("Day, 08:00-20:00, 15 min", 80), ("Night, 20:00-08:00, 15 min", 20)]


@pytest.mark.parametrize(
    ("clock", "expected"),
    [
        ("2026-12-03 23:00", None),  # Thursday
        ("2026-12-04 19:59", None),
        ("2026-12-04 20:00", "Party"),  # Friday
        ("2026-12-05 00:00", "Party"),
        ("2026-12-05 05:59", "Party"),
        ("2026-12-05 06:00", None),
        ("2026-12-06 00:00", "Sunday"),
        ("2026-12-06 23:59", "Sunday"),
        ("2026-12-07 00:00", None),
    ],
)
def test_an_overnight_band_belongs_to_the_weekday_on_which_it_begins(clock: str, expected: str | None) -> None:
    tariff = a_tariff(bands=(band("Party", "20:00-06:00", 500, FRI), band("Sunday", "00:00-00:00", 0, SUN)))
    found = tariff.band_at(local(clock, BERLIN).astimezone(ZoneInfo(BERLIN)))
    assert (found.name if found else None) == expected


def test_the_night_of_sunday_lasts_until_monday_morning() -> None:
    night = band("Night", "22:00-06:00", 0, SUN)
    assert night.covers(MON, night.start_time.replace(hour=5))
    assert not night.covers(SUN, night.start_time.replace(hour=5))


def test_the_first_band_that_fits_has_the_price() -> None:
    first, second = band("Market", "08:00-12:00", 700, SAT), band("Day", "08:00-20:00", 300)
    sold = stay("2026-12-05 11:00", "2026-12-05 13:00")
    assert lines(a_tariff(bands=(first, second)), sold) == [
        ("Market, 08:00-12:00, 1 h", 700),
        ("Day, 08:00-20:00, 1 h", 300),
    ]


@pytest.mark.parametrize(
    ("one", "other", "overlap"),
    [
        (band("a", "08:00-20:00", 1), band("b", "20:00-08:00", 1), False),
        (band("a", "08:00-20:00", 1), band("b", "19:59-08:00", 1), True),
        (band("a", "08:00-20:00", 1, MON), band("b", "09:00-10:00", 1, FRI), False),
        (band("a", "09:00-10:00", 1, MON), band("b", "08:00-20:00", 1, MON), True),
        (band("a", "20:00-06:00", 1, FRI), band("b", "05:00-07:00", 1, SAT), True),
        (band("a", "20:00-06:00", 1, FRI), band("b", "06:00-07:00", 1, SAT), False),
        (band("a", "20:00-06:00", 1, SUN), band("b", "00:00-00:00", 1, MON), True),
        (band("a", "00:00-00:00", 1, SAT), band("b", "00:00-00:00", 1, SUN), False),
        (band("a", "06:00-06:00", 1, SAT), band("b", "00:00-00:00", 1, SUN), True),
    ],
)
def test_bands_overlap_if_they_share_a_minute_of_the_week(one: Band, other: Band, overlap: bool) -> None:
    assert one.overlaps(other) is other.overlaps(one) is overlap


def test_the_cap_holds_for_each_local_day_by_itself() -> None:
    tariff = a_tariff(1_000, daily_cap_minor=3_000)
    assert lines(tariff, stay("2026-12-01 20:00", "2026-12-03 02:00")) == [
        ("Parking, 30 h", 30_000),
        ("Daily cap, Tue 1 Dec", -1_000),
        ("Daily cap, Wed 2 Dec", -21_000),
    ]


def test_a_whole_day_band_needs_no_hours_in_its_line() -> None:
    tariff = a_tariff(bands=(band("Sunday", "00:00-00:00", 0, SUN),))
    assert lines(tariff, stay("2026-12-06 10:00", "2026-12-06 12:00")) == [("Sunday, 2 h", 0)]


def test_an_extension_says_what_it_adds_and_what_the_cap_takes_off() -> None:
    first, longer = stay("2026-12-01 14:00", "2026-12-01 19:30"), stay("2026-12-01 14:00", "2026-12-01 21:00")
    quote = quote_extension(CITY, first, longer, BERLIN)
    assert [(line.text, line.amount_minor) for line in quote.lines] == [
        ("Extension, Day, 08:00-20:00, 30 min", 160),
        ("Extension, Night, 20:00-08:00, 1 h", 80),
    ]
    evening = stay("2026-12-01 13:00", "2026-12-01 19:00"), stay("2026-12-01 13:00", "2026-12-01 20:00")
    quote = quote_extension(CITY, *evening, BERLIN)
    assert [(line.text, line.amount_minor) for line in quote.lines] == [
        ("Extension, Day, 08:00-20:00, 1 h", 320),
        ("Extension, Daily cap, Tue 1 Dec", -240),
    ]


def test_a_day_that_is_capped_is_extended_for_nothing() -> None:
    first, longer = stay("2026-12-01 09:00", "2026-12-01 18:00"), stay("2026-12-01 09:00", "2026-12-01 19:00")
    assert quote_extension(CITY, first, longer, BERLIN).amount_minor == 0


def test_thirds_of_a_cent_are_rounded_once_and_the_lines_still_add_up() -> None:
    # Three times 20 minutes at 1.00 an hour: 33 1/3 three times is 1.00, not 0.99.
    bands = tuple(band(name, hours, 100) for name, hours in (("A", "08:00-08:20"), ("B", "08:20-08:40")))
    tariff: Tariff = a_tariff(100, step_minutes=20, bands=bands)
    sold = lines(tariff, stay("2026-12-01 08:00", "2026-12-01 09:00"))
    assert [amount for _, amount in sold] == [33, 34, 33]
    assert quote_stay(tariff, stay("2026-12-01 08:00", "2026-12-01 09:00"), BERLIN).amount_minor == 100


def test_an_extension_after_a_capped_day_is_rounded_as_the_longer_stay_is() -> None:
    # Five steps of 33 1/3 are 1.66 2/3, of which the cap leaves 1.00; the next day's two are 66 2/3.
    tariff = a_tariff(100, step_minutes=20, daily_cap_minor=100)
    booked = stay("2026-12-01 22:20", "2026-12-02 00:00")
    quote = quote_extension(tariff, booked, stay("2026-12-01 22:20", "2026-12-02 00:40"), BERLIN)
    assert [(line.text, line.amount_minor) for line in quote.lines] == [("Extension, 40 min", 67)]


def test_each_further_quarter_of_a_long_stay_costs_no_less() -> None:
    ends = [f"2026-12-01 {hour:02}:{minute:02}" for hour in range(10, 24) for minute in (0, 15, 30, 45)]
    prices = [quote_stay(CITY, stay("2026-12-01 09:00", end), BERLIN).amount_minor for end in ends]
    assert all(shorter <= longer for shorter, longer in pairwise(prices))
    assert prices[-1] == CITY.daily_cap_minor
