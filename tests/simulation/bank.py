"""The drivers' banks, and the people who sit before Stripe's dashboard."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from parking.domain.payment import Payment
from parking.services.refunds import KEYS_LIVE_FOR
from tests.simulation.draws import Weighted
from tests.simulation.stripe import ENDED, FOREIGN_INTENT

if TYPE_CHECKING:
    from tests.simulation.world import World


class Bank:
    """`act` does one thing that a bank may do now, and lets Stripe tell of it."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._does: Weighted[Callable[[], None]] = Weighted(
            [
                (self._decide_processing, 4),
                (self._refunds_change, 3),
                (self._end_a_refund, 5),
                (self._dispute, 4),
                (self._decide_dispute, 3),
                (self._change_cards, 4),
                (self._cancel_an_intent, 1),
                (self._a_night, 3),
            ]
        )

    def act(self) -> None:
        """One thing."""
        self._world.draws.weighted(self._does)()

    def come_to_an_end(self) -> None:
        """What was left open is decided: payments that were processing, refunds that were pending."""
        cards = self._world.cards
        cards.breaks_refunds = False
        cards.refunds_start = "succeeded"
        for intent in cards.intents:
            if intent.status == "processing":
                self._tell(f"payment_intent.{cards.pay(intent.intent_id).status}", intent.intent_id)
        for refund in cards.all_refunds:
            if refund.status == "pending":
                cards.end_refund(refund.stripe_id, "succeeded")
                self._tell("refund.updated", refund.stripe_id)

    def _tell(self, kind: str, object_id: str) -> None:
        self._world.say("Stripe: {} {}", kind, object_id)
        self._world.emit("webhook", (kind, object_id), self._world.now)

    def _decide_processing(self) -> None:
        cards = self._world.cards
        waiting = [one.intent_id for one in cards.intents if one.status == "processing"]
        if waiting:
            intent_id = self._world.draws.pick(waiting)
            paid = self._world.draws.chance(600)
            after = cards.pay(intent_id) if paid else cards.fail(intent_id, "generic_decline")
            self._tell(f"payment_intent.{'succeeded' if paid else 'payment_failed'}", after.intent_id)

    def _refunds_change(self) -> None:
        cards = self._world.cards
        cards.breaks_refunds = self._world.draws.chance(400)
        cards.refunds_start = self._world.draws.pick(("succeeded", "pending", "succeeded"))

    def _end_a_refund(self) -> None:
        cards = self._world.cards
        waiting = [one.stripe_id for one in cards.all_refunds if one.status in ("pending", "succeeded")]
        if waiting:
            stripe_id = self._world.draws.pick(waiting)
            failed = self._world.draws.chance(400)
            cards.end_refund(stripe_id, "failed" if failed else "succeeded")
            self._tell("refund.failed" if failed else "refund.updated", stripe_id)

    def _dispute(self) -> None:
        cards = self._world.cards
        disputed = {one.intent_id for one in cards.all_disputes}
        returned = {one.intent_id for one in cards.all_refunds if one.status != "failed"}
        paid = [
            one.intent_id
            for one in cards.intents
            if one.status == "succeeded" and one.intent_id not in disputed | returned | {FOREIGN_INTENT}
        ]
        if paid:
            self._tell("charge.dispute.created", cards.open_dispute(self._world.draws.pick(paid)).stripe_id)

    def _decide_dispute(self) -> None:
        cards = self._world.cards
        open_ones = [one.stripe_id for one in cards.all_disputes if one.status == "needs_response"]
        if open_ones:
            stripe_id = self._world.draws.pick(open_ones)
            cards.close_dispute(stripe_id, won=self._world.draws.chance(500))
            self._tell("charge.dispute.closed", stripe_id)

    def _change_cards(self) -> None:
        """A card has no money left, wants 3-D Secure from now on, or pays again."""
        cards, draws = self._world.cards, self._world.draws
        saved = sorted(self._world.saved_cards)
        if not saved:
            return
        card = draws.pick(saved)
        cards.declines.pop(card, None)
        cards.asks_3d_secure.discard(card)
        match draws.pick(("declines", "3-D Secure", "pays", "pays")):
            case "declines":
                cards.declines[card] = "insufficient_funds"
            case "3-D Secure":
                cards.asks_3d_secure.add(card)

    def _cancel_an_intent(self) -> None:
        """Now and then it happens in Stripe's dashboard, to an intent whose secret no phone has seen."""
        cards = self._world.cards
        open_ids = [one.intent_id for one in cards.intents if one.status not in (*ENDED, "processing")]
        if open_ids:
            intent_id = self._world.draws.pick(open_ids)
            cards.cancel_intent(intent_id)
            self._tell("payment_intent.canceled", intent_id)

    def _a_night(self) -> None:
        """A refund whose key has a stored 500 waits until Stripe forgets the key: a day, less what we know of it."""
        world = self._world
        stuck = [
            refund.refund_id
            for payment in world.store.all_of(Payment)
            for refund in payment.pending_refunds
            if refund.stripe_id is None and world.cards.says_500(refund.refund_id, world.now)
        ]
        if stuck and not world.busy:
            world.say("a night passes")
            world.advance(world.now + KEYS_LIVE_FOR)
