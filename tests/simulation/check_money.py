"""Invariants 2, 3 and 10: the ledger, the wallets, the payments, and what Stripe says of them."""

from typing import TYPE_CHECKING

from parking.domain.customer import Customer
from parking.domain.ledger import GOODWILL, REFUNDS, REVENUE, STRIPE, WALLET, Transaction, TransactionKind, Wallet
from parking.domain.payment import DisputeStatus, Method, Payment, PaymentStatus, Purpose, RefundStatus
from parking.domain.reservation import Reservation
from tests.simulation import check_accounts
from tests.simulation.violation import Violation

if TYPE_CHECKING:
    from tests.simulation.invariants import Commit

P = PaymentStatus
K = TransactionKind
WAITING = (P.PENDING, P.REQUIRES_ACTION, P.CANCELLING)
CHARGED = (P.SUCCEEDED, P.REFUND_PENDING, P.PARTIALLY_REFUNDED, P.REFUNDED)
_TAKEN = (P.SUCCEEDED, P.REFUND_PENDING)
"""Where money takes a payment: that it was too late for may stand in the same commit."""
_STEPS = {
    None: (P.PENDING, P.SUCCEEDED),
    P.PENDING: (P.REQUIRES_ACTION, P.CANCELLING, P.FAILED, P.CANCELLED, *_TAKEN),
    P.REQUIRES_ACTION: (P.PENDING, P.CANCELLING, P.CANCELLED, P.FAILED, *_TAKEN),
    P.CANCELLING: (P.FAILED, P.CANCELLED, *_TAKEN),
    P.SUCCEEDED: (P.REFUND_PENDING, P.PARTIALLY_REFUNDED, P.REFUNDED, P.FAILED),
    P.REFUND_PENDING: (P.PARTIALLY_REFUNDED, P.REFUNDED),
    P.PARTIALLY_REFUNDED: (P.REFUND_PENDING, P.REFUNDED),
}
_ACCOUNTS = {
    K.DEPOSIT: (STRIPE, WALLET),
    K.WALLET_PAYMENT: (WALLET, REVENUE),
    K.CARD_PAYMENT: (STRIPE, REVENUE),
    K.WITHDRAWAL: (WALLET, REFUNDS),
    K.CARD_REFUND: (REFUNDS, STRIPE),
    K.CREDIT: (GOODWILL, WALLET),
}
"""What is debited, and what credited; the other kinds have more than one pair."""


def check_transaction(commit: "Commit", before: Transaction | None, after: Transaction) -> None:
    """Raises Violation."""
    if before is not None:
        raise Violation(2, f"{after.transaction_id} was edited")
    if sum(entry.amount_minor for entry in after.entries) != 0:
        raise Violation(2, f"{after.transaction_id} does not add up to zero")
    memory = commit.memory
    for entry in after.entries:
        memory.accounts[after.payment_id, entry.account] += entry.amount_minor
        if entry.account == WALLET:
            memory.balances[after.user_id] += entry.amount_minor
    if after.kind is K.WITHDRAWAL:
        memory.withdrawn[after.user_id, commit.now.date()] -= after.wallet_amount_minor
    pair = _ACCOUNTS.get(after.kind)
    if pair and [entry.account for entry in sorted(after.entries, key=lambda e: e.amount_minor)] != list(pair):
        raise Violation(2, f"{after.transaction_id} of {after.kind} moves money by {after.entries}")
    if (after.stripe_id is not None) is not any(entry.account == STRIPE for entry in after.entries):
        raise Violation(2, f"{after.transaction_id} of {after.kind} names {after.stripe_id} at Stripe")
    commit.covered(f"ledger {after.kind}")


def check_payment(commit: "Commit", before: Payment | None, after: Payment) -> None:
    """Raises Violation."""
    then = before.status if before else None
    if then is not after.status and after.status not in _STEPS.get(then, ()):
        raise Violation(7, f"{after.payment_id} went from {then} to {after.status}")
    if then is P.SUCCEEDED and after.status is P.FAILED and after.purpose is not Purpose.WITHDRAWAL:
        raise Violation(7, f"{after.payment_id} was paid, and now has failed")
    if before is None and after.fingerprint:
        commit.made(after.payment_id)
    if then is not after.status:
        commit.covered(f"payment {then or '–'} → {after.status}")
    outstanding = after.status in WAITING or any(one.status is RefundStatus.PENDING for one in after.refunds)
    if outstanding is not (after.due is not None):
        raise Violation(10, f"{after.payment_id} is {after.status}, and due {after.due}")
    if after.refunded_minor > after.amount_minor:
        raise Violation(3, f"{after.payment_id} gives back {after.refunded_minor} of {after.amount_minor}")
    _check_refunds(commit, before, after)
    card = after.method is Method.CARD and after.purpose is not Purpose.WITHDRAWAL
    if card and after.status in CHARGED and then not in CHARGED:
        intent = commit.world.cards.intent(after.intent_id or "")
        if intent.status != "succeeded" or intent.amount_received_minor != after.amount_minor:
            raise Violation(3, f"{after.payment_id} is {after.status}, and Stripe says {intent.status}")


def _check_refunds(commit: "Commit", before: Payment | None, after: Payment) -> None:
    """A refund has reached its card when Stripe says so, and a withdrawal is taken off the deposits that it names."""
    then = {one.refund_id: one.status for one in before.refunds} if before else {}
    for one in after.refunds:
        arrived = one.status is RefundStatus.SUCCEEDED and then.get(one.refund_id) is not RefundStatus.SUCCEEDED
        if arrived and commit.world.cards.refund(one.stripe_id or "").status == "pending":
            raise Violation(3, f"{one.refund_id} is booked, and Stripe has not made it yet")
    if before is None and after.purpose is Purpose.WITHDRAWAL:
        sources = {payment.payment_id: payment for payment in commit.new(Payment)}
        if sum(one.amount_minor for one in after.refunds) != after.amount_minor:
            raise Violation(3, f"{after.payment_id} takes {after.refunds} for {after.amount_minor}")
        for one in after.refunds:
            if one.source_id not in sources or sources[one.source_id].refunded_minor < one.amount_minor:
                raise Violation(3, f"{after.payment_id} takes nothing off {one.source_id}")


def check_wallet(commit: "Commit", before: Wallet | None, after: Wallet) -> None:
    """Raises Violation."""
    check_accounts.check(commit, before, after)
    if after.balance_minor < 0:
        raise Violation(2, f"the wallet of {after.user_id} holds {after.balance_minor}")
    if after.balance_minor != commit.memory.balances[after.user_id]:
        raise Violation(
            2, f"the wallet of {after.user_id} holds {after.balance_minor}, "
            f"its entries say {commit.memory.balances[after.user_id]}"
        )  # fmt: skip
    day = commit.now.date()
    if after.withdrawn_minor(day) != commit.memory.withdrawn[after.user_id, day]:
        raise Violation(3, f"the wallet of {after.user_id} forgets what was withdrawn on {day}")
    for debt in after.debts:
        owed = commit.world.store.get(Reservation, after.user_id, debt.reservation_id)
        overstay = owed.overstay if owed else None
        if overstay is None or overstay.payment_id or overstay.quote.amount_minor != debt.amount_minor:
            raise Violation(3, f"{debt} is owed for {overstay}")


def check_customer(_: "Commit", before: Customer | None, after: Customer) -> None:
    """Raises Violation."""
    ids = [one.payment_method_id for one in after.payment_methods]
    if len(set(ids)) != len(ids) or (after.default_id in ids) is not bool(ids):
        raise Violation(3, f"{after.user_id} has the cards {ids}, and prefers {after.default_id}")
    if before and before.customer_id != after.customer_id:
        raise Violation(3, f"{after.user_id} is another customer now")


def check_books(commit: "Commit") -> None:
    """What the commit's payments and transactions must say of each other. Raises Violation."""
    touched = {(after.user_id, after.payment_id): None for after in commit.new(Payment)}
    touched |= {(after.user_id, after.payment_id): None for after in commit.new(Transaction)}
    for user_id, payment_id in touched:
        payment = commit.world.store.get(Payment, user_id, payment_id)
        if payment is None:
            raise Violation(3, f"money moved for {payment_id}, which is not there")
        booked = {account: commit.memory.accounts[payment_id, account] for account in (STRIPE, REVENUE, REFUNDS)}
        expected = {STRIPE: _at_stripe(payment), REVENUE: _revenue(payment), REFUNDS: _owed(payment)}
        if booked != expected:
            raise Violation(3, f"the ledger says {booked} of {payment}, it should {expected}")
        wallet = commit.world.store.get(Wallet, user_id)
        if (wallet.balance_minor if wallet else 0) != commit.memory.balances[user_id]:
            raise Violation(2, f"the wallet of {user_id} does not show the last transaction")


def _at_stripe(payment: Payment) -> int:
    """What the payment's records have credited to Stripe: less what it has taken, more what it gave back."""
    came = payment.method is Method.CARD and payment.purpose is not Purpose.WITHDRAWAL and payment.status in CHARGED
    minor = -payment.amount_minor if came else 0
    minor += sum(one.amount_minor for one in payment.refunds if one.status is RefundStatus.SUCCEEDED)
    lost = payment.dispute is not None and payment.dispute.status is not DisputeStatus.WON
    return minor + (payment.dispute.amount_minor if payment.dispute and lost else 0)


def _revenue(payment: Payment) -> int:
    earns = payment.purpose in (Purpose.RESERVATION, Purpose.EXTENSION, Purpose.OVERSTAY)
    return payment.amount_minor - payment.refunded_minor if earns and payment.status in CHARGED else 0


def _owed(payment: Payment) -> int:
    return sum(one.amount_minor for one in payment.refunds if one.status is RefundStatus.PENDING)
