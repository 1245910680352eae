"""The driver's prepaid money: crediting deposits, and withdrawing to the cards that they came from."""

from datetime import datetime, timedelta

from parking.domain.closing import must_be_open
from parking.domain.errors import DailyLimitReached, InvalidField, InvariantBroken, WithdrawalUnavailable
from parking.domain.ids import CreateRequest, PaymentId, RefundId, UserId, derived_id
from parking.domain.ledger import (
    REFUNDS,
    STRIPE,
    WALLET,
    Deposited,
    Transaction,
    TransactionKind,
    Wallet,
    moved,
    record,
)
from parking.domain.payment import LOOK_AFTER, Method, Payment, PaymentStatus, Purpose, Refund
from parking.services import notices
from parking.services.once import made_once
from parking.services.owned import wallet_of
from parking.services.ports import Aggregate, Conflict, Store
from parking.services.wording.en import ENGLISH

SMALLEST_DEPOSIT_MINOR = 100
LARGEST_DEPOSIT_MINOR = 50_000
DEPOSITS_PER_DAY_MINOR = 100_000
SMALLEST_WITHDRAWAL_MINOR = 100
WITHDRAWALS_PER_DAY_MINOR = 50_000
OPEN_AT_MOST = timedelta(days=1)  # a form is given up after an hour, what a bank processes within the day
PAGE = 100
MOST_SOURCES = 20  # deposits that one withdrawal can reach, so that all of it fits into one transaction


def check_deposit(store: Store, wallet: Wallet, amount_minor: int, now: datetime) -> None:
    """Raises AccountClosed, InvalidField, or DailyLimitReached by what this day's deposits have brought, or still may:
    any of the forms that are open can be filled in."""
    must_be_open(wallet)
    _check_amount(amount_minor, SMALLEST_DEPOSIT_MINOR, LARGEST_DEPOSIT_MINOR, wallet.currency)
    left = DEPOSITS_PER_DAY_MINOR - wallet.deposited_minor(now.date()) - _open_minor(store, wallet, now)
    if amount_minor > left:
        raise DailyLimitReached(
            "That is more than a day's deposits.", left_amount=max(left, 0), currency=wallet.currency
        )


def _open_minor(store: Store, wallet: Wallet, now: datetime) -> int:
    """What the driver has asked to deposit and not paid yet. No form is open for more than some hours."""
    total, cursor, since = 0, None, now - OPEN_AT_MOST
    while True:
        page = store.page(Payment, wallet.user_id, limit=PAGE, cursor=cursor)
        deposits = [one for one in page.items if one.purpose is Purpose.DEPOSIT and one.open]
        total += sum(one.amount_minor for one in deposits)
        cursor = page.cursor
        if cursor is None or page.items[-1].created_at < since:
            return total


def credited(store: Store, paid: Payment, now: datetime) -> list[Aggregate]:
    """What a deposit that the card has paid adds: the transaction, the wallet and the notice."""
    transaction = record(
        TransactionKind.DEPOSIT,
        user_id=paid.user_id,
        payment_id=paid.payment_id,
        reservation_id=None,
        entries=moved(paid.amount_minor, debit=STRIPE, credit=WALLET),
        currency=paid.currency,
        now=now,
        stripe_id=paid.intent_id,
    )
    wallet = wallet_of(store, paid.user_id, paid.currency).after(transaction)
    wallet = wallet.filled(Deposited(paid.payment_id, paid.amount_minor), now.date())
    return [transaction, wallet, notices.deposited(paid, wallet, now)]


def withdrawable_minor(wallet: Wallet, now: datetime) -> int:
    """How much can be withdrawn now: what is there, what cards can take back, and what the day's limit leaves."""
    from_cards = sum(one.left_minor for one in wallet.deposits[:MOST_SOURCES])
    return min(wallet.balance_minor, from_cards, WITHDRAWALS_PER_DAY_MINOR - wallet.withdrawn_minor(now.date()))


def withdraw(store: Store, request: CreateRequest, *, amount_minor: int, currency: str, now: datetime) -> Payment:
    """Take money out of the wallet, back to the cards that the deposits came from, the oldest first.

    The wallet is lowered at once; Stripe is asked from the payments stream. Raises InvalidField, InsufficientFunds,
    DailyLimitReached, WithdrawalUnavailable, IdempotencyMismatch.
    """
    _check_amount(amount_minor, SMALLEST_WITHDRAWAL_MINOR, WITHDRAWALS_PER_DAY_MINOR, currency)

    def make(payment_id: PaymentId) -> Payment:
        wallet = wallet_of(store, request.user_id, currency)
        transaction = _withdrawal(request.user_id, payment_id, amount_minor, currency, now)
        lowered = wallet.after(transaction)
        left = WITHDRAWALS_PER_DAY_MINOR - wallet.withdrawn_minor(now.date())
        if amount_minor > left:
            raise DailyLimitReached("That is more than a day's withdrawals.", left_amount=left, currency=currency)
        keys = [(wallet.user_id, one.payment_id) for one in wallet.deposits[:MOST_SOURCES]]
        deposits = {one.payment_id: one for one in (store.get_many(Payment, keys) if keys else [])}
        taken = _taken(wallet, deposits, amount_minor)
        missing = amount_minor - sum(taken.values())
        if missing and store.get(Wallet, wallet.user_id) != wallet:
            raise Conflict("another withdrawal came between the wallet and its deposits")
        if missing:
            raise WithdrawalUnavailable(
                "The cards that filled the wallet cannot take that much back.",
                available_amount=amount_minor - missing,
                currency=currency,
            )
        payment = Payment(
            user_id=request.user_id,
            payment_id=payment_id,
            purpose=Purpose.WITHDRAWAL,
            method=Method.CARD,
            amount_minor=amount_minor,
            currency=currency,
            status=PaymentStatus.PENDING,
            reservation_id=None,
            extension_id=None,
            refunds=tuple(_refund(payment_id, deposits[one], minor, now) for one, minor in taken.items()),
            settle_due_at=now + LOOK_AFTER,
            fingerprint=request.fingerprint,
            created_at=now,
        )
        given = [deposits[one].refunded(minor) for one, minor in taken.items()]
        store.commit(payment, transaction, lowered.gave_back(taken, now.date()), *given)
        return payment

    return made_once(store, request, make).first_answer(PaymentStatus.PENDING)


def _check_amount(amount_minor: int, smallest_minor: int, largest_minor: int, currency: str) -> None:
    if not smallest_minor <= amount_minor <= largest_minor:
        limits = f"{ENGLISH.money(smallest_minor, currency)} and {ENGLISH.money(largest_minor, currency)}"
        raise InvalidField("amount", f"must be between {limits}")


def _taken(wallet: Wallet, deposits: dict[PaymentId, Payment], amount_minor: int) -> dict[PaymentId, int]:
    """How much comes from each deposit; less than the amount where the cards cannot take all of it back."""
    taken = dict[PaymentId, int]()
    missing = amount_minor
    for one in wallet.deposits:
        deposit = deposits.get(one.payment_id)
        take = min(one.left_minor, deposit.refundable_minor, missing) if deposit else 0
        if take:
            taken[one.payment_id] = take
            missing -= take
    return taken


def _refund(payment_id: PaymentId, deposit: Payment, amount_minor: int, now: datetime) -> Refund:
    if deposit.intent_id is None:
        raise InvariantBroken(f"{deposit.payment_id} was paid without an intent")
    return Refund(
        refund_id=RefundId(derived_id("rfd", payment_id, deposit.payment_id)),
        source_id=deposit.payment_id,
        intent_id=deposit.intent_id,
        amount_minor=amount_minor,
        requested_at=now,
    )


def _withdrawal(user_id: UserId, payment_id: PaymentId, amount_minor: int, currency: str, now: datetime) -> Transaction:
    return record(
        TransactionKind.WITHDRAWAL,
        user_id=user_id,
        payment_id=payment_id,
        reservation_id=None,
        entries=moved(amount_minor, debit=WALLET, credit=REFUNDS),
        currency=currency,
        now=now,
    )
