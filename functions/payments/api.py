"""Paying, the wallet and its ledger."""

from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response

from parking import settings, wiring
from parking.domain.ids import ExtensionId, PaymentId, ReservationId
from parking.domain.ledger import Transaction
from parking.domain.payment import Method, Payment
from parking.http import Cursor, Door, IdempotencyKey, IdPath, Limit, answer, documented, entry
from parking.services import card_payments, payment_methods, payments, wallets
from parking.services.owned import payment_of, wallet_of
from payments.schemas import (
    DepositIn,
    PayIn,
    PaymentMethodsOut,
    PaymentOut,
    PaymentsOut,
    SetupOut,
    StartedPaymentOut,
    TransactionOut,
    TransactionsOut,
    WalletOut,
    WithdrawIn,
)

door = Door()
app = door.app
handler = entry(door)


@app.post(
    "/payments",
    summary="Pay a reservation, an extension or an overstay",
    tags=["payments"],
    responses=documented(
        HTTPStatus.CREATED,
        StartedPaymentOut,
        HTTPStatus.PAYMENT_REQUIRED,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    ),
)
def pay(wish: PayIn, key: IdempotencyKey) -> Response[Any]:
    """From the wallet at once, or by a card: then SUCCEEDED, PENDING (Stripe decides later) or REQUIRES_ACTION.

    402 card_declined leaves the hold as it is: pay again with another method and a new Idempotency-Key.
    """
    reservation_id = ReservationId(wish.reservation_id)
    extension_id = ExtensionId(wish.extension_id) if wish.extension_id else None
    if wish.method is Method.WALLET:
        paid = payments.pay_from_wallet(
            wiring.store(), door.wish(key), reservation_id=reservation_id, extension_id=extension_id, now=door.now
        )
        return answer(StartedPaymentOut.paid(paid), HTTPStatus.CREATED)
    started = card_payments.pay_by_card(
        wiring.store(),
        wiring.cards(),
        door.wish(key),
        reservation_id=reservation_id,
        extension_id=extension_id,
        payment_method_id=wish.payment_method_id,
        now=door.now,
    )
    return answer(StartedPaymentOut.answered(started), HTTPStatus.CREATED)


@app.get("/payments", summary="My payments", tags=["payments"], responses=documented(HTTPStatus.OK, PaymentsOut))
def list_payments(limit: Limit = 20, cursor: Cursor = None) -> PaymentsOut:
    """Newest first."""
    page = wiring.store().page(Payment, door.user_id, limit=limit, cursor=cursor)
    return PaymentsOut(items=[PaymentOut.of(one) for one in page.items], next_cursor=page.cursor)


@app.get(
    "/payments/<payment_id>",
    summary="One payment",
    tags=["payments"],
    responses=documented(HTTPStatus.OK, PaymentOut, HTTPStatus.NOT_FOUND),
)
def get_payment(payment_id: IdPath) -> PaymentOut:
    """The payment as it stands now."""
    return PaymentOut.of(payment_of(wiring.store(), door.user_id, PaymentId(payment_id)))


@app.get("/wallet", summary="My wallet", tags=["wallet"], responses=documented(HTTPStatus.OK, WalletOut))
def get_wallet() -> WalletOut:
    """The balance, what of it can be withdrawn today, and what is owed."""
    return WalletOut.of(wallet_of(wiring.store(), door.user_id, settings.currency()), door.now)


@app.get(
    "/wallet/transactions",
    summary="My ledger",
    tags=["wallet"],
    responses=documented(HTTPStatus.OK, TransactionsOut),
)
def list_transactions(limit: Limit = 20, cursor: Cursor = None) -> TransactionsOut:
    """Newest first. What only a card had part in is listed too; its `amount`, the change of the wallet, is 0."""
    page = wiring.store().page(Transaction, door.user_id, limit=limit, cursor=cursor)
    return TransactionsOut(items=[TransactionOut.of(one) for one in page.items], next_cursor=page.cursor)


@app.post(
    "/wallet/deposits",
    summary="Fill the wallet by card",
    tags=["wallet"],
    responses=documented(
        HTTPStatus.CREATED,
        StartedPaymentOut,
        HTTPStatus.PAYMENT_REQUIRED,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    ),
)
def deposit(wish: DepositIn, key: IdempotencyKey) -> Response[Any]:
    """By a saved card, or with the client secret for Stripe's mobile SDK; the wallet grows when the card has paid."""
    started = card_payments.deposit_by_card(
        wiring.store(),
        wiring.cards(),
        door.wish(key),
        amount_minor=wish.amount,
        currency=settings.currency(),
        payment_method_id=wish.payment_method_id,
        now=door.now,
    )
    return answer(StartedPaymentOut.answered(started), HTTPStatus.CREATED)


@app.post(
    "/wallet/withdrawals",
    summary="Take money out of the wallet",
    tags=["wallet"],
    responses=documented(
        HTTPStatus.CREATED,
        PaymentOut,
        HTTPStatus.PAYMENT_REQUIRED,
        HTTPStatus.CONFLICT,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    ),
)
def withdraw(wish: WithdrawIn, key: IdempotencyKey) -> Response[Any]:
    """Back to the cards that the deposits came from, the oldest first; PENDING until the cards have it."""
    taken = wallets.withdraw(
        wiring.store(), door.wish(key), amount_minor=wish.amount, currency=settings.currency(), now=door.now
    )
    return answer(PaymentOut.of(taken), HTTPStatus.CREATED)


@app.post(
    "/payment-methods/setup",
    summary="Save a card",
    tags=["payment methods"],
    responses=documented(HTTPStatus.CREATED, SetupOut, HTTPStatus.CONFLICT),
)
def set_up_payment_method(key: IdempotencyKey) -> Response[Any]:
    """Gives the client secret for Stripe's mobile SDK; the card is listed once Stripe says that it is saved."""
    started = payment_methods.start_setup(wiring.store(), wiring.cards(), door.wish(key))
    return answer(SetupOut.of(started), HTTPStatus.CREATED)


@app.get(
    "/payment-methods",
    summary="My saved cards",
    tags=["payment methods"],
    responses=documented(HTTPStatus.OK, PaymentMethodsOut),
)
def list_payment_methods() -> PaymentMethodsOut:
    """All of them: at most ten."""
    return PaymentMethodsOut.of(payment_methods.customer_of(wiring.store(), door.user_id))


@app.delete(
    "/payment-methods/<payment_method_id>",
    summary="Remove a saved card",
    tags=["payment methods"],
    responses=documented(HTTPStatus.NO_CONTENT, None, HTTPStatus.NOT_FOUND),
)
def remove_payment_method(payment_method_id: IdPath) -> Response[Any]:
    """The newest of the others becomes the default, if this was."""
    payment_methods.remove_card(wiring.store(), wiring.cards(), door.user_id, payment_method_id)
    return Response(HTTPStatus.NO_CONTENT.value, body="")


@app.put(
    "/payment-methods/<payment_method_id>/default",
    summary="Prefer a saved card",
    tags=["payment methods"],
    responses=documented(HTTPStatus.OK, PaymentMethodsOut, HTTPStatus.NOT_FOUND),
)
def prefer_payment_method(payment_method_id: IdPath) -> PaymentMethodsOut:
    """The default card is charged when the driver is not there to choose: for an overstay."""
    return PaymentMethodsOut.of(payment_methods.prefer_card(wiring.store(), door.user_id, payment_method_id))
