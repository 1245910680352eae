"""Invariants 2 and 3: the ledger, the wallets, and what each payment was for."""

from typing import TYPE_CHECKING

from parking.domain.ledger import Transaction, TransactionKind, Wallet
from parking.domain.payment import Method, Payment, PaymentStatus
from tests.simulation.violation import Violation

if TYPE_CHECKING:
    from tests.simulation.invariants import Commit

P = PaymentStatus
_STEPS = {
    None: (P.PENDING, P.SUCCEEDED),
    P.PENDING: (P.REQUIRES_ACTION, P.SUCCEEDED, P.FAILED, P.CANCELLED),
    P.REQUIRES_ACTION: (P.SUCCEEDED, P.FAILED, P.CANCELLED),
    P.SUCCEEDED: (P.REFUNDED,),
}


def check_transaction(commit: "Commit", before: Transaction | None, after: Transaction) -> None:
    """Raises Violation."""
    if before is not None:
        raise Violation(2, f"{after.transaction_id} was edited")
    if sum(entry.amount_minor for entry in after.entries) != 0:
        raise Violation(2, f"{after.transaction_id} does not add up to zero")
    memory = commit.memory
    amount_minor = sum(entry.amount_minor for entry in after.entries if entry.account == "wallet")
    memory.balances[after.user_id] += amount_minor
    signs = {TransactionKind.WALLET_PAYMENT: -1, TransactionKind.DEPOSIT: 1, TransactionKind.REFUND: 1}
    if amount_minor * signs[after.kind] <= 0:
        raise Violation(2, f"{after.transaction_id} of {after.kind} adds {amount_minor} to the wallet")
    if after.kind is TransactionKind.REFUND:
        memory.refunded[after.payment_id] += amount_minor
    else:
        memory.charged[after.payment_id] += abs(amount_minor)


def check_payment(commit: "Commit", before: Payment | None, after: Payment) -> None:
    """Raises Violation."""
    then = before.status if before else None
    if after.status not in _STEPS.get(then, ()):
        raise Violation(7, f"{after.payment_id} went from {then} to {after.status}")
    if before is None:
        commit.made(after.payment_id)
    commit.covered(f"payment {then or '–'} → {after.status}")
    if after.method is Method.CARD and after.status is P.SUCCEEDED:
        intent = commit.world.cards.intent(after.intent_id or "")
        if intent.status != "succeeded" or intent.amount_received_minor != after.amount_minor:
            raise Violation(3, f"{after.payment_id} is credited, and Stripe says {intent.status}")


def check_wallet(commit: "Commit", _: Wallet | None, after: Wallet) -> None:
    """Raises Violation."""
    if after.balance_minor < 0:
        raise Violation(2, f"the wallet of {after.user_id} holds {after.balance_minor}")
    if after.balance_minor != commit.memory.balances[after.user_id]:
        raise Violation(
            2, f"the wallet of {after.user_id} holds {after.balance_minor}, "
            f"its entries say {commit.memory.balances[after.user_id]}"
        )  # fmt: skip


def check_books(commit: "Commit") -> None:
    """What the commit's payments and transactions must say of each other. Raises Violation."""
    touched = {(after.user_id, after.payment_id): None for after in commit.new(Payment)}
    touched |= {(after.user_id, after.payment_id): None for after in commit.new(Transaction)}
    for user_id, payment_id in touched:
        payment = commit.world.store.get(Payment, user_id, payment_id)
        charged, refunded = commit.memory.charged[payment_id], commit.memory.refunded[payment_id]
        if payment is None:
            raise Violation(3, f"money moved for {payment_id}, which is not there")
        paid = payment.status in (P.SUCCEEDED, P.REFUNDED)
        if charged != (payment.amount_minor if paid else 0):
            raise Violation(3, f"{payment_id} is {payment.status} of {payment.amount_minor}, charged were {charged}")
        if refunded != payment.refunded_minor or refunded > charged:
            raise Violation(3, f"{payment_id} says {payment.refunded_minor} refunded, the ledger {refunded}")
        wallet = commit.world.store.get(Wallet, user_id)
        if (wallet.balance_minor if wallet else 0) != commit.memory.balances[user_id]:
            raise Violation(2, f"the wallet of {user_id} does not show the last transaction")
