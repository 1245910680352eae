"""Paying, the wallet and its ledger."""

from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response

from parking import settings, wiring
from parking.domain.ids import ExtensionId, PaymentId, ReservationId
from parking.domain.ledger import Transaction
from parking.domain.payment import Payment
from parking.http import Cursor, Door, IdempotencyKey, IdPath, Limit, answer, documented, entry
from parking.services import payments
from payments.schemas import (
    DepositIn,
    DepositOut,
    PayIn,
    PaymentOut,
    PaymentsOut,
    TransactionOut,
    TransactionsOut,
    WalletOut,
)

door = Door()
app = door.app
handler = entry(door)


@app.post(
    "/payments",
    summary="Pay a reservation or an extension",
    tags=["payments"],
    responses=documented(
        HTTPStatus.CREATED,
        PaymentOut,
        HTTPStatus.PAYMENT_REQUIRED,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    ),
)
def pay(wish: PayIn, key: IdempotencyKey) -> Response[Any]:
    """From the wallet, at once: the reservation is confirmed, or nothing has happened."""
    payment = payments.pay_from_wallet(
        wiring.store(),
        door.wish(key),
        reservation_id=ReservationId(wish.reservation_id),
        extension_id=ExtensionId(wish.extension_id) if wish.extension_id else None,
        now=door.now,
    )
    return answer(PaymentOut.of(payment), HTTPStatus.CREATED)


@app.get("/payments", summary="My payments", tags=["payments"], responses=documented(HTTPStatus.OK, PaymentsOut))
def list_(limit: Limit = 20, cursor: Cursor = None) -> PaymentsOut:
    """Newest first."""
    page = wiring.store().page(Payment, door.user_id, limit=limit, cursor=cursor)
    return PaymentsOut(items=[PaymentOut.of(one) for one in page.items], next_cursor=page.cursor)


@app.get(
    "/payments/<payment_id>",
    summary="One payment",
    tags=["payments"],
    responses=documented(HTTPStatus.OK, PaymentOut, HTTPStatus.NOT_FOUND),
)
def get(payment_id: IdPath) -> PaymentOut:
    """The payment as it stands now."""
    return PaymentOut.of(payments.payment_of(wiring.store(), door.user_id, PaymentId(payment_id)))


@app.get("/wallet", summary="My wallet", tags=["wallet"], responses=documented(HTTPStatus.OK, WalletOut))
def wallet() -> WalletOut:
    """The balance."""
    return WalletOut.of(payments.wallet_of(wiring.store(), door.user_id, settings.currency()))


@app.get(
    "/wallet/transactions",
    summary="The wallet's ledger",
    tags=["wallet"],
    responses=documented(HTTPStatus.OK, TransactionsOut),
)
def transactions(limit: Limit = 20, cursor: Cursor = None) -> TransactionsOut:
    """Newest first."""
    page = wiring.store().page(Transaction, door.user_id, limit=limit, cursor=cursor)
    return TransactionsOut(items=[TransactionOut.of(one) for one in page.items], next_cursor=page.cursor)


@app.post(
    "/wallet/deposits",
    summary="Fill the wallet by card",
    tags=["wallet"],
    responses=documented(HTTPStatus.CREATED, DepositOut, HTTPStatus.UNPROCESSABLE_ENTITY),
)
def deposit(wish: DepositIn, key: IdempotencyKey) -> Response[Any]:
    """Gives the client secret for Stripe's mobile SDK; the wallet grows when Stripe says that the card has paid."""
    payment, intent = payments.start_deposit(
        wiring.store(),
        wiring.cards(),
        door.wish(key),
        amount_minor=wish.amount,
        currency=settings.currency(),
        now=door.now,
    )
    return answer(DepositOut.waiting(payment, intent.client_secret), HTTPStatus.CREATED)
