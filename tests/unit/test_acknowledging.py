"""Stripe's event is acknowledged only when our side is committed: what the store refuses, Stripe sends again."""

from typing import Any

import pytest

from parking.domain.reservation import ReservationStatus
from parking.services.ports import StoreUnavailable
from tests.unit.till import Till, intent_of
from tests.unit.world import ANNA


def test_an_event_whose_fact_is_not_committed_is_not_acknowledged(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    held = till.reserve(ANNA)
    started = till.pay_by_card(held)
    till.cards.pay(intent_of(started.payment))

    def no_answer(*_: Any, **__: Any) -> None:
        raise StoreUnavailable("no answer")

    with monkeypatch.context() as patch:
        patch.setattr(till.store, "commit", no_answer)
        with pytest.raises(StoreUnavailable):
            till.webhook(started.payment, 3)
    till.webhook(started.payment, 4)
    assert till.stored(held).status is ReservationStatus.CONFIRMED
