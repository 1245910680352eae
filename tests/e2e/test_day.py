"""A small day (`make day` is a large one): afterwards the ledger, the wallets and Stripe say the same."""

from collections import Counter

from local.day.journeys import BESIDES, ENDINGS, MISHAPS, PAYING, drawn
from local.day.play import play_day
from tests.e2e.world import World

JOURNEYS = 30
SEED = 1


def test_after_a_day_of_many_journeys_the_books_agree(world: World) -> None:
    done = Counter[str]()
    day = play_day(world.stack, JOURNEYS, seed=SEED, on_done=lambda more: done.update(journeys=more))
    assert done["journeys"] == JOURNEYS
    assert day.report["first_differences"] == []
    assert day.difference_minor == 0
    assert day.report["charges"] >= JOURNEYS / 2
    assert day.report["refunds"] > 0
    assert day.report["stripe_amount"] == day.report["ledger_amount"] > 0


def test_the_small_day_has_every_way_of_paying_and_every_mishap() -> None:
    day = drawn(JOURNEYS, SEED)
    assert {one.paying for one in day} == set(PAYING)
    assert {one.mishap for one in day} == set(MISHAPS)
    assert {one.ending for one in day} == set(ENDINGS)
    assert {one.besides for one in day} == set(BESIDES)
