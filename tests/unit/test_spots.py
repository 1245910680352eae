"""A spot's price and its free time; and putting one on the map."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from parking.adapters.memory.iot import MemoryThings
from parking.domain.blocker import Blocker
from parking.domain.errors import InvalidField, NotFound
from parking.domain.ids import SpotId
from parking.domain.pricing import quote_stay
from parking.domain.spot import ServiceState
from parking.domain.time import Interval
from parking.services.spots import availability, provision, quote, spot_of
from tests.builders import TARIFF, a_spot
from tests.unit.world import ANNA, World, at

DAY = at(0).date()


# Price and free time


def test_a_quote_says_the_price_and_whether_the_time_is_free(world: World) -> None:
    stay = Interval(at(60), at(180))
    assert quote(world.store, world.spot.spot_id, stay, at(0)) == (quote_stay(TARIFF, stay, world.spot.time_zone), True)
    world.reserve(ANNA, 60, 180)
    assert quote(world.store, world.spot.spot_id, stay, at(0)) == (
        quote_stay(TARIFF, stay, world.spot.time_zone),
        False,
    )


def test_a_spot_out_of_service_has_a_price_but_no_free_time() -> None:
    world = World(service_state=ServiceState.OUT_OF_SERVICE)
    assert quote(world.store, world.spot.spot_id, Interval(at(60), at(180)), at(0))[1] is False
    assert availability(world.store, world.spot, DAY, at(0)) == []


def test_what_nobody_could_book_has_no_quote(world: World) -> None:
    with pytest.raises(InvalidField):
        quote(world.store, world.spot.spot_id, Interval(at(-10), at(60)), at(0))
    with pytest.raises(NotFound):
        quote(world.store, SpotId("nowhere"), Interval(at(60), at(180)), at(0))


def test_the_free_time_of_a_day_leaves_out_the_past_and_what_is_taken(world: World) -> None:
    world.reserve(ANNA, 60, 180)
    end_of_day = at(14 * 60)  # 24:00 in Berlin
    free = availability(world.store, world.spot, DAY, at(0))
    assert free == [Interval(at(0), at(50)), Interval(at(190), end_of_day)]


def test_a_stay_after_midnight_keeps_the_turnover_before_it_free(world: World) -> None:
    world.reserve(ANNA, 14 * 60 + 5, 15 * 60)
    assert availability(world.store, world.spot, DAY, at(0)) == [Interval(at(0), at(14 * 60 - 5))]


def test_a_stay_from_yesterday_is_seen_today(world: World) -> None:
    world.reserve(ANNA, 60, 1440 + 60)
    tomorrow = availability(world.store, world.spot, DAY + timedelta(days=1), at(0))
    assert tomorrow == [Interval(at(1440 + 70), at(1440 + 14 * 60))]


@pytest.mark.parametrize(("days", "known"), [(-2, False), (0, True), (90, True), (92, False)])
def test_free_time_is_said_of_the_days_that_can_be_booked(world: World, days: int, known: bool) -> None:
    day = DAY + timedelta(days=days)
    if known:
        assert availability(world.store, world.spot, day, at(0)) != []
    else:
        with pytest.raises(InvalidField):
            availability(world.store, world.spot, day, at(0))


def test_a_day_that_is_over_at_the_spot_has_no_free_time(world: World) -> None:
    assert availability(world.store, world.spot, DAY - timedelta(days=1), at(0)) == []


@pytest.mark.parametrize(("day", "hours"), [(date(2027, 3, 28), 23), (date(2027, 3, 29), 24)])
def test_a_day_of_23_hours_has_23_free_hours(day: date, hours: int) -> None:
    world = World(time_zone="Europe/Tallinn")
    (free,) = availability(world.store, world.spot, day, at(60 * 24 * 85))
    assert free.duration == timedelta(hours=hours)


# Putting a spot on the map


def test_a_new_spot_gets_a_blocker_and_a_certificate(world: World) -> None:
    things, wish = MemoryThings(), a_spot()
    made = provision(world.store, things, wish, new_certificate=False)
    assert made.certificate is not None
    assert things.active == {wish.blocker_id: [made.certificate.certificate_id]}
    stored = world.store.get(Blocker, wish.blocker_id)
    assert stored is not None
    assert (stored.spot_id, stored.certificate_id) == (wish.spot_id, made.certificate.certificate_id)
    assert spot_of(world.store, wish.spot_id) == replace(wish, version=1)


def test_provisioning_the_same_again_changes_nothing(world: World) -> None:
    things, wish = MemoryThings(), a_spot()
    first = provision(world.store, things, wish, new_certificate=False)
    second = provision(world.store, things, wish, new_certificate=False)
    assert second.certificate is None
    assert second.spot.version == second.blocker.version == 1
    assert first.certificate is not None
    assert things.active == {wish.blocker_id: [first.certificate.certificate_id]}


def test_a_changed_tariff_gets_the_next_version_and_another_change_does_not(world: World) -> None:
    things, wish = MemoryThings(), a_spot()
    provision(world.store, things, wish, new_certificate=False)
    renamed = provision(world.store, things, replace(wish, name="Neuer Markt"), new_certificate=False).spot
    assert (renamed.name, renamed.tariff.version) == ("Neuer Markt", 1)
    dearer = replace(wish, tariff=replace(TARIFF, price_per_hour_minor=300))
    for _ in range(2):
        provision(world.store, things, dearer, new_certificate=False)
    stored = spot_of(world.store, wish.spot_id)
    assert (stored.tariff.version, stored.tariff.price_per_hour_minor) == (2, 300)
    assert stored.name == wish.name


def test_what_was_sold_keeps_its_price(world: World) -> None:
    held = world.reserve(ANNA)
    dearer = replace(world.spot, tariff=replace(TARIFF, price_per_hour_minor=300))
    provision(world.store, MemoryThings(), dearer, new_certificate=False)
    assert world.stored(held).quote.amount_minor == 480
    world.fund(ANNA, 480)
    assert world.pay(held).amount_minor == 480


def test_a_new_certificate_cuts_the_old_one_off_and_keeps_what_the_blocker_knows(world: World) -> None:
    things = MemoryThings()
    world.device_reports(1)
    before = world.blocker
    made = provision(world.store, things, world.spot, new_certificate=True)
    assert made.certificate is not None
    assert things.active[world.spot.blocker_id] == [made.certificate.certificate_id]
    assert world.blocker == replace(before, certificate_id=made.certificate.certificate_id, version=before.version + 1)


def test_a_report_during_provisioning_is_not_lost(world: World) -> None:
    world.store.meanwhile(lambda: world.device_reports(1))
    provision(world.store, MemoryThings(), world.spot, new_certificate=True)
    assert world.blocker.report is not None
    assert world.blocker.certificate_id == "certificate-1"
