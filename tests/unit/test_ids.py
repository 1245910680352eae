"""Ids are derived from what they name, so that doing a thing twice names one thing."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parking.domain.errors import IdempotencyMismatch
from parking.domain.ids import CreateRequest, UserId, derived_id, timed_id

REQUEST = CreateRequest(UserId("anna"), "POST /reservations", "key-1", "fingerprint")
parts = st.lists(st.text(max_size=5), max_size=4).map(tuple)
instants = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001 - hypothesis wants the bounds naive


@given(parts, parts)
def test_ids_are_equal_exactly_if_their_parts_are(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    assert (derived_id("res", *one) == derived_id("res", *other)) is (one == other)


@given(parts)
def test_an_id_says_what_it_is_and_fits_a_path_and_a_topic(given_parts: tuple[str, ...]) -> None:
    assert re.fullmatch(r"res_[a-z2-7]{24}", derived_id("res", *given_parts))


@given(instants, instants, parts, parts)
def test_timed_ids_sort_by_their_time(
    one: datetime, other: datetime, its_parts: tuple[str, ...], others_parts: tuple[str, ...]
) -> None:
    earlier, later = sorted((one, other))
    if later - earlier >= timedelta(milliseconds=1):
        assert timed_id("ntf", earlier, *its_parts) < timed_id("ntf", later, *others_parts)


def test_timed_ids_of_one_thing_are_one() -> None:
    at = datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert timed_id("ntf", at, "a") == timed_id("ntf", at, "a") != timed_id("ntf", at, "b")


@pytest.mark.parametrize(
    "other",
    [
        replace(REQUEST, user_id=UserId("boris")),
        replace(REQUEST, route="POST /payments"),
        replace(REQUEST, key="key-2"),
    ],
)
def test_another_driver_route_or_key_creates_another_thing(other: CreateRequest) -> None:
    assert other.new_id("res") != REQUEST.new_id("res")


def test_the_same_request_creates_the_same_thing_whatever_its_body() -> None:
    assert replace(REQUEST, fingerprint="other").new_id("res") == REQUEST.new_id("res")


def test_a_key_that_was_used_with_another_body_is_refused() -> None:
    REQUEST.must_match("fingerprint")
    with pytest.raises(IdempotencyMismatch):
        REQUEST.must_match("other")
