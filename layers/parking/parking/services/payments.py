"""Money in: paying from the wallet, and filling the wallet by card."""

from dataclasses import replace
from datetime import datetime

from parking.domain.errors import InvalidField, NotFound
from parking.domain.extending import confirm_extension
from parking.domain.ids import CreateRequest, ExtensionId, PaymentId, ReservationId, UserId
from parking.domain.ledger import REVENUE, STRIPE, WALLET, TransactionKind, Wallet, record
from parking.domain.payment import Method, Payment, PaymentStatus, Purpose
from parking.domain.reservation import Reservation, confirm
from parking.services import notices
from parking.services.bookings import reservation_of
from parking.services.commit import until_committed
from parking.services.ports import CardError, CardGateway, Intent, Store

SMALLEST_DEPOSIT_MINOR = 100
LARGEST_DEPOSIT_MINOR = 50_000


def payment_of(store: Store, user_id: UserId, payment_id: PaymentId) -> Payment:
    """The driver's payment. Raises NotFound, also for somebody else's."""
    payment = store.get(Payment, user_id, payment_id)
    if payment is None:
        raise NotFound("There is no such payment.", field="payment_id")
    return payment


def wallet_of(store: Store, user_id: UserId, currency: str) -> Wallet:
    """The driver's wallet; one that was never used is empty."""
    return store.get(Wallet, user_id) or Wallet(user_id=user_id, currency=currency)


def pay_from_wallet(
    store: Store,
    request: CreateRequest,
    *,
    reservation_id: ReservationId,
    extension_id: ExtensionId | None,
    now: datetime,
) -> Payment:
    """Pay a held reservation or extension: wallet, ledger, payment, reservation and notice in one commit.

    Raises NotFound, InsufficientFunds, AlreadyPaid, HoldExpired, WrongState, IdempotencyMismatch.
    """
    payment_id = PaymentId(request.new_id("pay"))

    def attempt() -> Payment:
        existing = store.get(Payment, request.user_id, payment_id)
        if existing:
            request.must_match(existing.fingerprint)
            return replace(existing, status=PaymentStatus.SUCCEEDED, refunded_minor=0)
        reservation = reservation_of(store, request.user_id, reservation_id)
        payment = _payment_for(request, payment_id, reservation, extension_id, now)
        if extension_id:
            paid = confirm_extension(reservation, extension_id, payment, now)
        else:
            paid = confirm(reservation, payment, now)
        transaction = record(
            TransactionKind.WALLET_PAYMENT,
            user_id=request.user_id,
            payment_id=payment_id,
            reservation_id=reservation_id,
            amount_minor=payment.amount_minor,
            debit=WALLET,
            credit=REVENUE,
            currency=payment.currency,
            now=now,
        )
        wallet = wallet_of(store, request.user_id, payment.currency).after(transaction)
        store.commit(paid, payment, transaction, wallet, notices.paid(paid, payment, now))
        return payment

    return until_committed(attempt)


def start_deposit(
    store: Store, cards: CardGateway, request: CreateRequest, *, amount_minor: int, currency: str, now: datetime
) -> tuple[Payment, Intent]:
    """Ask Stripe for the money. The wallet grows when the signed webhook says that it came.

    The payment is stored before the call, and the call is keyed by its id: a crash in between, and the request again,
    ends in one PaymentIntent. Raises InvalidField, IdempotencyMismatch, CardError.
    """
    if not SMALLEST_DEPOSIT_MINOR <= amount_minor <= LARGEST_DEPOSIT_MINOR:
        limits = (
            f"{notices.money(SMALLEST_DEPOSIT_MINOR, currency)} and {notices.money(LARGEST_DEPOSIT_MINOR, currency)}"
        )
        raise InvalidField("amount", f"must be between {limits}")
    payment_id = PaymentId(request.new_id("pay"))

    def opened() -> Payment:
        existing = store.get(Payment, request.user_id, payment_id)
        if existing:
            request.must_match(existing.fingerprint)
            return existing
        payment = Payment(
            user_id=request.user_id,
            payment_id=payment_id,
            purpose=Purpose.DEPOSIT,
            method=Method.CARD,
            amount_minor=amount_minor,
            currency=currency,
            status=PaymentStatus.PENDING,
            reservation_id=None,
            extension_id=None,
            fingerprint=request.fingerprint,
            created_at=now,
        )
        store.commit(payment)
        return payment

    payment = until_committed(opened)
    known = payment.intent_id
    intent = cards.intent(known) if known else cards.create_intent(payment, "Wallet deposit")

    def waiting() -> Payment:
        current = payment_of(store, request.user_id, payment_id)
        if current.status is not PaymentStatus.PENDING:  # the webhook was faster
            return replace(current, status=PaymentStatus.REQUIRES_ACTION)
        changed = replace(current.moved_to(PaymentStatus.REQUIRES_ACTION), intent_id=intent.intent_id)
        store.commit(changed)
        return changed

    return until_committed(waiting), intent


def settle_intent(store: Store, cards: CardGateway, intent_id: str, now: datetime) -> Payment | None:
    """Bring our payment up to what Stripe says of its PaymentIntent now; None if the intent is not ours.

    Events come twice, out of order and late: only the intent as Stripe shows it counts. Raises CardError.
    """
    intent = cards.intent(intent_id)
    if intent.user_id is None or intent.payment_id is None:
        return None
    owner, payment_id = UserId(intent.user_id), PaymentId(intent.payment_id)

    def attempt() -> Payment | None:
        payment = store.get(Payment, owner, payment_id)
        if payment is None or not payment.open:
            return payment
        match intent.status:
            case "succeeded":
                return _credit(store, payment, intent, now)
            case "canceled":
                cancelled = replace(payment.moved_to(PaymentStatus.CANCELLED), intent_id=intent.intent_id)
                store.commit(cancelled)
                return cancelled
            case _:
                return payment

    return until_committed(attempt)


def _credit(store: Store, payment: Payment, intent: Intent, now: datetime) -> Payment:
    if (intent.amount_received_minor, intent.currency) != (payment.amount_minor, payment.currency):
        raise CardError(f"{intent.intent_id} received another amount than {payment.payment_id} asks")
    succeeded = replace(payment.moved_to(PaymentStatus.SUCCEEDED), intent_id=intent.intent_id)
    transaction = record(
        TransactionKind.DEPOSIT,
        user_id=payment.user_id,
        payment_id=payment.payment_id,
        reservation_id=None,
        amount_minor=payment.amount_minor,
        debit=STRIPE,
        credit=WALLET,
        currency=payment.currency,
        now=now,
    )
    wallet = wallet_of(store, payment.user_id, payment.currency).after(transaction)
    store.commit(succeeded, transaction, wallet, notices.deposited(succeeded, wallet, now))
    return succeeded


def _payment_for(
    request: CreateRequest,
    payment_id: PaymentId,
    reservation: Reservation,
    extension_id: ExtensionId | None,
    now: datetime,
) -> Payment:
    """The wallet payment of what is to be paid. Raises NotFound for an extension that the reservation has not."""
    quote = reservation.quote
    if extension_id:
        extension = reservation.extension(extension_id)
        if extension is None:
            raise NotFound("The reservation has no such extension.", field="extension_id")
        quote = extension.quote
    return Payment(
        user_id=request.user_id,
        payment_id=payment_id,
        purpose=Purpose.EXTENSION if extension_id else Purpose.RESERVATION,
        method=Method.WALLET,
        amount_minor=quote.amount_minor,
        currency=quote.currency,
        status=PaymentStatus.SUCCEEDED,
        reservation_id=reservation.reservation_id,
        extension_id=extension_id,
        fingerprint=request.fingerprint,
        created_at=now,
    )
