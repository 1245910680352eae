"""Stripe in memory."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from parking.domain.customer import PaymentMethod
from parking.domain.ids import UserId
from parking.domain.payment import Payment, Refund
from parking.services.ports import CardDispute, CardError, CardRefund, CardSetup, Intent, RefundRefused

_ENDED = ("succeeded", "canceled")
_RETURNED = ("failed", "canceled")
_UNUSABLE = "payment_method_unusable"
_EXPIRES_MONTH, _EXPIRES_YEAR = 12, 2030


class MemoryCards:
    """CardGateway, and what the driver, the bank and Stripe do besides: from `pay` on.

    Whoever has to end an intent that Stripe gave up waiting for calls `cancel_intent`. An intent that has ended stays
    as it is, whatever is done to it.
    """

    def __init__(self) -> None:
        self.declines: dict[str, str] = {}
        """The decline codes of the saved cards that do not pay, by payment_method_id."""
        self.asks_3d_secure: set[str] = set()
        """The saved cards that are not charged without the driver."""
        self.deleted_customers = set[str]()
        self.refunds_start = "succeeded"
        """The status of a new refund; `end_refund` moves one on."""
        self._intents: dict[str, Intent] = {}
        self._refunds: dict[str, CardRefund] = {}
        self._disputes: dict[str, CardDispute] = {}
        self._setups: dict[str, CardSetup] = {}
        self._saved: dict[str, tuple[str, str]] = {}  # brand and last four, by setup
        self._detached: set[str] = set()
        self._created_at: dict[str, datetime] = {}
        self._lock = threading.RLock()

    def create_customer(self, user_id: UserId) -> str:
        """The customer of the driver, always the same."""
        return f"cus_{user_id}"

    def create_setup(self, customer_id: str, user_id: UserId, idempotency_key: str) -> CardSetup:
        """A SetupIntent; the same key, the same one."""
        setup_id = f"seti_{idempotency_key}"
        setup = CardSetup(
            setup_id=setup_id,
            status="requires_payment_method",
            client_secret=f"{setup_id}_secret",
            customer_id=customer_id,
            user_id=user_id,
            payment_method=None,
        )
        with self._lock:
            return self._setups.setdefault(setup_id, setup)

    def setup(self, setup_id: str, now: datetime) -> CardSetup:
        """The SetupIntent as it is now; a card in it counts as added `now`."""
        with self._lock:
            setup, saved = _known(self._setups, setup_id), self._saved.get(setup_id)
        if saved is None:
            return setup
        brand, last4 = saved
        card = PaymentMethod(
            payment_method_id=f"pm_{setup_id}",
            brand=brand,
            last4=last4,
            expires_month=_EXPIRES_MONTH,
            expires_year=_EXPIRES_YEAR,
            added_at=now,
        )
        return replace(setup, status="succeeded", payment_method=card)

    def detach(self, payment_method_id: str) -> None:
        """Forget a saved card; one that is gone is fine."""
        with self._lock:
            self._detached.add(payment_method_id)

    def delete_customer(self, customer_id: str) -> None:
        """Forget a customer with all saved cards; one that is gone is fine."""
        with self._lock:
            self.deleted_customers.add(customer_id)
            self._detached |= {
                f"pm_{setup_id}" for setup_id, setup in self._setups.items() if setup.customer_id == customer_id
            }

    def create_intent(self, payment: Payment) -> Intent:
        """A PaymentIntent for the payment; the same payment always gets the same one."""
        intent_id = f"pi_{payment.payment_id}"
        unusable = payment.payment_method_id in self._detached
        intent = Intent(
            intent_id=intent_id,
            status="requires_confirmation" if payment.payment_method_id and not unusable else "requires_payment_method",
            amount_minor=payment.amount_minor,
            amount_received_minor=0,
            currency=payment.currency,
            client_secret=f"{intent_id}_secret",
            decline_code=None,
            user_id=payment.user_id,
            payment_id=payment.payment_id,
        )
        with self._lock:
            self._created_at.setdefault(intent_id, payment.created_at)
            made = self._intents.setdefault(intent_id, intent)
        return replace(made, decline_code=_UNUSABLE) if unusable and made.status == intent.status else made

    def confirm_intent(self, payment: Payment, intent_id: str, *, off_session: bool) -> Intent:
        """Charge the payment's saved card, as `declines` and `asks_3d_secure` say."""
        with self._lock:
            intent = self.intent(intent_id)
            card = payment.payment_method_id
            if intent.status != "requires_confirmation" or card is None:
                return intent
            if card in self._detached:
                return replace(intent, decline_code=_UNUSABLE)
            if card in self.asks_3d_secure:
                if not off_session:
                    return self.require_action(intent_id)
                return self.fail(intent_id, "authentication_required")
            if card in self.declines:
                return self.fail(intent_id, self.declines[card])
            return self.pay(intent_id)

    def cancel_intent(self, intent_id: str) -> Intent:
        """Cancel the PaymentIntent. One that has ended, or that the bank has already, is answered as it is."""
        with self._lock:
            intent = self.intent(intent_id)
            return intent if intent.status == "processing" else self._move(intent_id, "canceled")

    def intent(self, intent_id: str) -> Intent:
        """The PaymentIntent as it is now. Raises CardError if there is none."""
        with self._lock:
            return _known(self._intents, intent_id)

    def create_refund(self, holder: Payment, refund: Refund) -> CardRefund:
        """Give money back, once for each refund, and no more than is left. Raises RefundRefused."""
        stripe_id = f"re_{refund.refund_id}"
        with self._lock:
            if stripe_id in self._refunds:
                return self._refunds[stripe_id]
            self._check_refundable(refund)
            self._created_at[stripe_id] = refund.requested_at
            self._refunds[stripe_id] = CardRefund(
                stripe_id=stripe_id,
                status=self.refunds_start,
                amount_minor=refund.amount_minor,
                intent_id=refund.intent_id,
                user_id=holder.user_id,
                payment_id=holder.payment_id,
                refund_id=refund.refund_id,
            )
            return self._refunds[stripe_id]

    def refund(self, stripe_id: str) -> CardRefund:
        """The refund as it is now. Raises CardError if there is none."""
        with self._lock:
            return _known(self._refunds, stripe_id)

    def refunds_of(self, intent_id: str) -> list[CardRefund]:
        """All refunds of a PaymentIntent, the newest first."""
        with self._lock:
            return [one for one in reversed(self._refunds.values()) if one.intent_id == intent_id]

    def dispute(self, stripe_id: str) -> CardDispute:
        """The dispute as it is now. Raises CardError if there is none."""
        with self._lock:
            return _known(self._disputes, stripe_id)

    def intents_between(self, since: datetime, until: datetime) -> Iterator[Intent]:
        """Every PaymentIntent whose payment was made in [since, until)."""
        return self._between(self._intents, since, until)

    def refunds_between(self, since: datetime, until: datetime) -> Iterator[CardRefund]:
        """Every refund that was requested in [since, until)."""
        return self._between(self._refunds, since, until)

    def disputes_between(self, since: datetime, until: datetime) -> Iterator[CardDispute]:
        """Every dispute that was opened in [since, until)."""
        return self._between(self._disputes, since, until)

    def save_card(self, setup_id: str, brand: str = "visa", last4: str = "4242") -> str:
        """The driver's app completes the SetupIntent; gives the payment_method_id of the saved card."""
        with self._lock:
            _known(self._setups, setup_id)
            self._saved[setup_id] = (brand, last4)
            return f"pm_{setup_id}"

    def pay(self, intent_id: str) -> Intent:
        """The driver confirms with a good card, or the bank has paid what was processing."""
        with self._lock:
            return self._move(intent_id, "succeeded", received_minor=self.intent(intent_id).amount_minor)

    def fail(self, intent_id: str, decline_code: str) -> Intent:
        """The bank says no; Stripe waits for another card."""
        return self._move(intent_id, "requires_payment_method", decline_code=decline_code)

    def require_action(self, intent_id: str) -> Intent:
        """The bank wants 3-D Secure; the driver may do it later, or never."""
        return self._move(intent_id, "requires_action")

    def processing(self, intent_id: str) -> Intent:
        """The bank takes its time; `pay` or `fail` ends it."""
        return self._move(intent_id, "processing")

    def end_refund(self, stripe_id: str, status: str) -> CardRefund:
        """A pending refund succeeds, or any fails, days later too: then its money is with us again."""
        with self._lock:
            self._refunds[stripe_id] = replace(self.refund(stripe_id), status=status)
            return self._refunds[stripe_id]

    def open_dispute(self, intent_id: str, opened_at: datetime | None = None) -> CardDispute:
        """The driver's bank calls the whole charge back; None: as soon as it was made."""
        with self._lock:
            dispute = CardDispute(f"dp_{intent_id}", "needs_response", self.intent(intent_id).amount_minor, intent_id)
            self._created_at[dispute.stripe_id] = opened_at or self._created_at[intent_id]
            self._disputes[dispute.stripe_id] = dispute
            return dispute

    def close_dispute(self, stripe_id: str, *, won: bool) -> CardDispute:
        """The bank decides."""
        with self._lock:
            self._disputes[stripe_id] = replace(self.dispute(stripe_id), status="won" if won else "lost")
            return self._disputes[stripe_id]

    def _move(self, intent_id: str, status: str, *, decline_code: str | None = None, received_minor: int = 0) -> Intent:
        with self._lock:
            intent = self.intent(intent_id)
            if intent.status not in _ENDED:
                self._intents[intent_id] = replace(
                    intent, status=status, decline_code=decline_code, amount_received_minor=received_minor
                )
            return self._intents[intent_id]

    def _check_refundable(self, refund: Refund) -> None:
        """Refuse with Stripe's codes (https://docs.stripe.com/error-codes)."""
        disputes = [one for one in self._disputes.values() if one.intent_id == refund.intent_id]
        if any(one.status != "won" for one in disputes):
            raise RefundRefused("charge_disputed")
        returned = sum(one.amount_minor for one in self.refunds_of(refund.intent_id) if one.status not in _RETURNED)
        left_minor = self.intent(refund.intent_id).amount_received_minor - returned
        if left_minor == 0:
            raise RefundRefused("charge_already_refunded")
        if refund.amount_minor > left_minor:
            raise RefundRefused("amount_too_large")

    def _between[T](self, table: dict[str, T], since: datetime, until: datetime) -> Iterator[T]:
        first, end = int(since.timestamp()), int(until.timestamp())
        with self._lock:
            return iter([it for key, it in table.items() if first <= int(self._created_at[key].timestamp()) < end])


def _known[T](table: dict[str, T], stripe_id: str) -> T:
    if stripe_id not in table:
        raise CardError(f"there is no {stripe_id}")
    return table[stripe_id]
