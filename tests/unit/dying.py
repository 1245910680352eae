"""What the stories of dying processes share: each is told once for every call at which the process can die."""

from collections.abc import Callable

import pytest

from parking.domain.payment import Payment
from tests.unit.till import Till

WHEN = pytest.mark.parametrize("when", ["before", "after"])
MOST_CALLS = 60


def at_each_call(when: str, story: Callable[[int], bool]) -> None:
    """Tell the story anew with the process dying at its first, second, … call, until it has no more calls.

    `story` says whether the process died.
    """
    deaths = 0
    while story(deaths + 1):
        deaths += 1
        assert deaths < MOST_CALLS
    assert deaths >= 3, f"nothing was tried: {deaths} deaths {when} a call"


def must_fit(till: Till) -> None:
    """Whatever was still to come has come, and the books say what Stripe says."""
    till.everything_arrives()
    till.books_must_fit()
    unsettled = [payment for payment in till.store.all_of(Payment) if payment.unsettled]
    assert not unsettled, unsettled
