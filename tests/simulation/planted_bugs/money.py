"""Planted where money moves, and where an account ends."""

from tests.simulation.planting import Planted

_PAYING = "parking.domain.paying"
_ENDING = "parking.domain.ending"
_BOOKINGS = "parking.services.bookings"
_PAYMENTS = "parking.services.payments"
_CARDS = "parking.services.card_payments"
_REFUNDS = "parking.services.refunds"
_WALLETS = "parking.services.wallets"
_SETTLING = "parking.services.settling"
_OVERSTAYS = "parking.services.overstays"
_SCHEDULES = "parking.services.schedules"
_CLOSING = "parking.domain.closing"
_ACCOUNTS = "parking.services.accounts"

MONEY = (
    Planted("a started step is free", "parking.domain.pricing:_metered",
            "-(-stay.duration // step)", "stay.duration // step"),
    Planted("the wallet may go below zero", "parking.domain.ledger:Wallet.after", "if balance < 0:", "if False:"),
    Planted("the wallet is not debited", f"{_PAYMENTS}:pay_from_wallet",
            "transaction, wallet, *others", "transaction, *others"),
    Planted("a payment that nobody is told of", f"{_PAYMENTS}:pay_from_wallet",
            ", notices.paid(after, payment, now)", ""),
    Planted("a refund that never reaches the wallet", f"{_REFUNDS}:refund_stay",
            "(*saves, *touched), total_minor", "(*saves,), total_minor"),
    Planted("the refund's payments stay as they were", f"{_REFUNDS}:refund_stay",
            "saves += [payment.refunded(amount), transaction]", "saves += [transaction]"),
    Planted("the notice promises a refund that is not", f"{_BOOKINGS}:commit_cancellation",
            "if refunds_in_full(after) else GivenBack()", "if True else GivenBack()"),
    Planted("a deposit is credited with each webhook", f"{_CARDS}:_as_stripe_says",
            "if payment.charged or not (waits or", "if not (waits or"),
    Planted("a deposit is credited before the bank has said yes", f"{_CARDS}:_as_stripe_says",
            'if intent.status == "succeeded":', 'if intent.status in ("succeeded", "processing"):'),
    Planted("a cancelled intent leaves its payment open", f"{_CARDS}:_as_stripe_says",
            'if intent.status == "canceled":', 'if intent.status == "cancelled":'),
    Planted("the card is charged before the payment is stored", f"{_CARDS}:_opened_and_answered",
            "store.commit(*new())\n        return payment_of(store, request.user_id, payment_id)",
            "made = new()\n        charge(store, cards, made[0], now)\n        store.commit(*made)\n"
            "        return payment_of(store, request.user_id, payment_id)"),
    Planted("an open card payment is left behind by another one", f"{_PAYMENTS}:pay_from_wallet",
            "*others, ", ""),
    Planted("a hold lapses, and its card payment goes on", f"{_SCHEDULES}:expire_holds", "*unpaid, ", ""),
    Planted("a cancellation forgets the card that is still asked", f"{_BOOKINGS}:commit_cancellation", "*unpaid, ", ""),
    Planted("late money confirms a stay that has long begun", f"{_PAYING}:confirm_late",
            "reservation.hold_expires_at + LATE_MONEY", "reservation.ends_at"),
    Planted("late money takes the interval without asking the calendar", f"{_PAYMENTS}:fulfilled",
            "if after.claim and after.claim != before.claim:", "if False:"),
    Planted("money that came too late is kept", f"{_CARDS}:_money_came",
            "return owed, [transaction, *rest, notices.late_money(owed, now)], []",
            "return paid, [transaction, notices.late_money(owed, now)], []"),
    Planted("a declined card leaves its payment open", f"{_CARDS}:_as_stripe_says",
            "if payment.open and intent.decline_code and payment.payment_method_id:", "if False:"),
    Planted("a declined card is cancelled without Stripe", f"{_SETTLING}:_cancel",
            "settle(store, cards.cancel_intent(intent_id), now)\n        return", "pass"),
    Planted("another answer to the same key", f"{_CARDS}:_first_status",
            "return payment.status if payment.open else PaymentStatus.FAILED", "return PaymentStatus.SUCCEEDED"),
    Planted("a refund to a card is booked before Stripe has made it", f"{_REFUNDS}:settle_refund",
            'case "succeeded" if refund', 'case "succeeded" | "pending" if refund'),
    Planted("a refund that the bank sends back is forgotten", f"{_REFUNDS}:settle_refund",
            'case "failed" | "canceled" if refund', 'case "never" if refund'),
    Planted("a refund that fails later is forgotten", f"{_REFUNDS}:settle_refund",
            'case "failed" | "canceled" if refund.status is not RefundStatus.TO_WALLET:',
            'case "failed" | "canceled" if refund.status is RefundStatus.PENDING:'),
    Planted("a refused refund to a card is counted as given back", f"{_REFUNDS}:_refused_by_the_card",
            "RefundStatus.TO_WALLET", "RefundStatus.SUCCEEDED"),
    Planted("refunds are not due", "parking.domain.payment:Payment.unsettled",
            " or bool(self.pending_refunds)", ""),
    Planted("the refund's key changes with each try", f"{_REFUNDS}:carry_out_refund",
            "shown = cards.create_refund(holder, refund)",
            'shown = cards.create_refund(holder, replace(refund, refund_id=f"{refund.refund_id}-{now:%H%M%S%f}"))'),
    Planted("a withdrawal leaves the deposits as they were", f"{_WALLETS}:withdraw",
            "lowered.gave_back(taken, now.date()), *given)", "lowered.gave_back(taken, now.date()))"),
    Planted("a withdrawal is not remembered for the day", "parking.domain.ledger:Wallet.gave_back",
            "withdrawn=total", "withdrawn=self.withdrawn"),
    Planted("a withdrawal leaves the wallet's balance", f"{_WALLETS}:withdraw",
            "lowered = wallet.after(transaction)", "lowered = wallet if wallet.after(transaction) else wallet"),
    Planted("an overstay is not charged", f"{_OVERSTAYS}:charged_for_overstay",
            "if quote is None or quote.amount_minor == 0:", "if True:"),
    Planted("a debt that is paid stays", f"{_PAYMENTS}:fulfilled",
            "[wallet.without_debt(after.reservation_id)] if wallet and wallet.debts else []", "[]"),
    Planted("who owes may reserve", f"{_BOOKINGS}:_may_reserve", "if wallet and wallet.debts:", "if False:"),
    Planted("a dispute that is lost is booked once more", "parking.services.disputes:settle_dispute",
            "_decided(store, payment, known, status, now) if known else ", ""),
    Planted("a dispute that was won gives nothing back", "parking.services.disputes:_decided",
            "if status is not DisputeStatus.WON:", "if True:"),
    Planted("a removed card stays the default", "parking.domain.customer:Customer.without",
            "if self.default_id != payment_method_id:", "if True:"),
    Planted("the id leaves out the key", "parking.domain.ids:CreateRequest.new_id", ", self.key)", ")"),
    Planted("the id leaves out the driver", "parking.domain.ids:CreateRequest.new_id", "self.user_id, ", ""),
    Planted("the same key with another body passes", "parking.domain.ids:CreateRequest.must_match",
            "if stored_fingerprint != self.fingerprint:", "if False:"),
    Planted("a commit without the version check", "parking.adapters.memory.store:MemoryStore.commit",
            "(stored.version if stored else 0) != item.version", "False"),
    Planted("whose spot is occupied pays all the same", f"{_ENDING}:refunds_in_full",
            "reservation.reason in OUR_FAULT or", "reservation.reason in OUR_FAULT[::2] or"),
    Planted("an apology for each cancellation", f"{_REFUNDS}:refund_stay",
            "if reservation.reason is EndReason.SPOT_OCCUPIED:", "if True:"),
    Planted("the credit is told and not given", f"{_REFUNDS}:refund_stay", "saves += [credit]", "pass"),
    Planted("the credit has no limit", "parking.domain.displacing:credit_minor", "CREDIT_MINOR_MAX, ", "",
            "tests/unit/test_displaced.py::test_the_credit_is_a_tenth_within_limits_and_never_more_than_was_paid"),
)  # fmt: skip

ACCOUNTS = (
    Planted("an account is closed with money left", f"{_CLOSING}:close",
            "if wallet.balance_minor or wallet.debts or reservations", "if wallet.debts or reservations"),
    Planted("an account is closed while a refund is on its way", f"{_ACCOUNTS}:_open_things",
            "if one.unsettled", "if one.open"),
    Planted("an account is closed over a stay", f"{_ACCOUNTS}:_open_things", "if one.status in _OPEN", "if False"),
    Planted("a closed account takes deposits", f"{_WALLETS}:check_deposit", "must_be_open(wallet)", "pass"),
    Planted("what a phone writes after the erasure stays for good", f"{_CLOSING}:erased",
            "None if now >= last_at else last_at", "None"),
    Planted("the log-in outlives the account", f"{_ACCOUNTS}:_erase", "logins.delete(user_id)", "pass"),
    Planted("the account is written off before the cards are gone", f"{_ACCOUNTS}:_erase",
            "cards.delete_customer(customer.customer_id)",
            "store.commit(erased(wallet, now)); cards.delete_customer(customer.customer_id)",
            "tests/unit/test_accounts.py::test_a_crash_at_any_step_leaves_everything_to_be_done_again"),
)  # fmt: skip
