"""The words of notices: complete in every language, right by CLDR, and true at the spot."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

import pytest
from babel import Locale
from babel.dates import format_date
from babel.numbers import format_currency

from parking.domain.notification import NotificationKind
from parking.services.wording.catalogue import LANGUAGES, language_for
from parking.services.wording.en import ENGLISH
from parking.services.wording.language import Language, Words
from parking.services.wording.ru import RUSSIAN
from tests.builders import a_notification

TALLINN, LISBON, KOLKATA, APIA = "Europe/Tallinn", "Europe/Lisbon", "Asia/Kolkata", "Pacific/Apia"
EVERY_LANGUAGE = pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES)
PLACEHOLDER = re.compile(r"{[^{}]*}")
COUNTS = [*range(1_300), 1_000_000, 1_000_001]


def placeholders(words: Words) -> set[str]:
    return set(PLACEHOLDER.findall(words.title)) | set(PLACEHOLDER.findall(words.text))


# Every language says the same


@EVERY_LANGUAGE
def test_a_language_has_words_for_every_kind_and_for_nothing_else(language: Language) -> None:
    assert set(language.notices) == set(NotificationKind)


@EVERY_LANGUAGE
@pytest.mark.parametrize("kind", NotificationKind)
def test_a_language_says_the_same_facts_in_the_same_way_as_english(language: Language, kind: NotificationKind) -> None:
    assert placeholders(language.notices[kind]) == placeholders(ENGLISH.notices[kind])


@EVERY_LANGUAGE
@pytest.mark.parametrize("kind", NotificationKind)
def test_a_title_is_short_enough_for_a_lock_screen(language: Language, kind: NotificationKind) -> None:
    assert 0 < len(language.notices[kind].title) <= 40
    assert "{" not in language.notices[kind].title


@pytest.mark.parametrize("wrong", ["{amount:cash}", "{nobody}"])
def test_a_placeholder_that_means_nothing_is_an_error(wrong: str) -> None:
    notice = a_notification()
    words = {**ENGLISH.notices, notice.kind: Words("Title", wrong)}
    with pytest.raises((KeyError, ValueError)):
        Language(**{name: getattr(ENGLISH, name) for name in ENGLISH.__slots__} | {"notices": words}).words(notice)


def test_a_name_with_braces_in_it_is_said_as_it_is() -> None:
    data = a_notification().data | {"spot_name": "{amount:money} {0} {"}
    assert "{amount:money} {0} {" in ENGLISH.words(a_notification(data=data)).text


# What CLDR says


@EVERY_LANGUAGE
def test_plurals_are_those_of_cldr(language: Language) -> None:
    cldr = Locale.parse(language.tag).plural_form
    assert [n for n in COUNTS if language.plural(n) != cldr(n)] == []
    used = {language.plural(n) for n in COUNTS}
    assert (set(language.hours), set(language.minutes)) == (used, used)


@EVERY_LANGUAGE
def test_months_are_those_of_cldr(language: Language) -> None:
    firsts = [date(2026, month, 1) for month in range(1, 13)]
    assert list(language.months) == [format_date(day, "d MMMM", locale=language.tag).split()[-1] for day in firsts]


@EVERY_LANGUAGE
@pytest.mark.parametrize("amount_minor", [0, 5, 450, 99_999, 100_000, 123_456_789])
def test_amounts_are_those_of_cldr(language: Language, amount_minor: int) -> None:
    expected = format_currency(amount_minor / 100, "EUR", format="#,##0.00 ¤¤", locale=language.tag)
    assert language.money(amount_minor, "EUR") == expected


# Examples


@pytest.mark.parametrize(
    ("minutes", "english", "russian"),
    [
        (0, "0 minutes", "0 минут"),
        (1, "1 minute", "1 минута"),
        (2, "2 minutes", "2 минуты"),
        (4, "4 minutes", "4 минуты"),
        (5, "5 minutes", "5 минут"),
        (11, "11 minutes", "11 минут"),
        (14, "14 minutes", "14 минут"),
        (21, "21 minutes", "21 минута"),
        (22, "22 minutes", "22 минуты"),
        (59, "59 minutes", "59 минут"),
        (60, "1 hour", "1 час"),
        (61, "1 hour 1 minute", "1 час 1 минута"),
        (150, "2 hours 30 minutes", "2 часа 30 минут"),
        (5 * 60, "5 hours", "5 часов"),
        (21 * 60 + 3, "21 hours 3 minutes", "21 час 3 минуты"),
        (111 * 60, "111 hours", "111 часов"),
    ],
)
def test_a_length_of_time_is_counted_as_people_count(minutes: int, english: str, russian: str) -> None:
    assert (ENGLISH.duration(minutes), RUSSIAN.duration(minutes)) == (english, russian)


@pytest.mark.parametrize(
    ("instant", "time_zone", "clock"),
    [
        ("2026-03-29T00:59:00+00:00", TALLINN, "02:59"),  # a minute before the clock goes forward
        ("2026-03-29T01:00:00+00:00", TALLINN, "04:00"),
        ("2026-10-25T00:30:00+00:00", TALLINN, "03:30"),  # an hour that the night has twice
        ("2026-10-25T01:30:00+00:00", TALLINN, "03:30"),
        ("2026-03-29T00:59:00+00:00", LISBON, "00:59"),
        ("2026-03-29T01:00:00+00:00", LISBON, "02:00"),
        ("2026-12-01T09:00:00+00:00", KOLKATA, "14:30"),
        ("2026-12-01T09:00:00+00:00", APIA, "22:00"),
    ],
)
def test_texts_show_the_wall_clock_at_the_spot(instant: str, time_zone: str, clock: str) -> None:
    at = datetime.fromisoformat(instant)
    assert ENGLISH.clock(at, time_zone, now=at) == RUSSIAN.clock(at, time_zone, now=at) == clock


def test_a_time_of_another_local_day_is_said_with_its_day() -> None:
    now = datetime(2026, 3, 1, 21, 59, tzinfo=UTC)  # a minute to midnight in Tallinn
    minute_later = now + timedelta(minutes=1)
    assert ENGLISH.clock(now, TALLINN, now) == "23:59"
    assert ENGLISH.clock(minute_later, TALLINN, now) == "00:00 on 2 March"
    assert RUSSIAN.clock(minute_later, TALLINN, now) == "00:00 2 марта"


def test_what_a_notice_said_stays_as_it_was_written_whenever_it_is_read() -> None:
    notice = a_notification(created_at=datetime(2026, 12, 1, 9, 0, tzinfo=UTC))
    assert ENGLISH.words(notice).text == "4.80 EUR for Marktplatz 7 until 13:00."
    assert RUSSIAN.words(notice).text == "4,80 EUR за место «Marktplatz 7» до 13:00."
    earlier = a_notification(created_at=datetime(2026, 11, 30, 9, 0, tzinfo=UTC))
    assert RUSSIAN.words(earlier).text == "4,80 EUR за место «Marktplatz 7» до 13:00 1 декабря."


# Whose language


@pytest.mark.parametrize(
    ("wishes", "expected"),
    [
        (["ru"], RUSSIAN),
        (["ru-RU"], RUSSIAN),
        (["RU_ru"], RUSSIAN),
        (["ru-Cyrl-KZ"], RUSSIAN),
        (["en-GB", "ru"], ENGLISH),
        (["et", "ru-EE", "en"], RUSSIAN),
        ([None, "ru"], RUSSIAN),
        (["*", "ru"], RUSSIAN),
        (["rus"], ENGLISH),
        (["et"], ENGLISH),
        (["", "-", "_"], ENGLISH),
        ([None], ENGLISH),
        ([], ENGLISH),
    ],
)
def test_the_first_language_that_we_speak_is_taken(wishes: Iterable[str | None], expected: Language) -> None:
    assert language_for(wishes) is expected
