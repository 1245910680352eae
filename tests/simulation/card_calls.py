"""What drivers ask of the API about cards and the wallet, and the answers that the plain rules expect."""

from datetime import datetime
from typing import TYPE_CHECKING

from parking.domain.customer import MOST_PAYMENT_METHODS, Customer
from parking.domain.ids import CreateRequest, ExtensionId, ReservationId, UserId
from parking.domain.ledger import Wallet
from parking.domain.payment import DisputeStatus, Payment, PaymentStatus, Purpose
from parking.domain.reservation import Reservation
from parking.services import card_payments, payment_methods, wallets
from payments.schemas import PaymentMethodsOut, PaymentOut, SetupOut, StartedPaymentOut
from tests.simulation import doors
from tests.simulation.api_calls import ANYTHING, OK, WITHDRAWALS_MINOR, ApiCall, asked_minor, is_closed, refused_payment

if TYPE_CHECKING:
    from tests.simulation.world import World

DEPOSITS_MINOR = range(100, 50_001)
DEPOSITS_PER_DAY_MINOR = 100_000
WITHDRAWALS_PER_DAY_MINOR = 50_000
SOURCES_MAX = 20
SMALLEST_CHARGE_MINOR = 50


def pay_by_card(
    user_id: UserId,
    key: str,
    reservation_id: ReservationId,
    extension_id: ExtensionId | None,
    payment_method_id: str | None,
) -> ApiCall:
    """POST /payments with the method CARD."""
    name = "pay by card"

    def run(ports: doors.Ports, request: CreateRequest, now: datetime) -> StartedPaymentOut:
        started = card_payments.pay_by_card(
            ports.store,
            ports.cards,
            request,
            reservation_id=reservation_id,
            extension_id=extension_id,
            payment_method_id=payment_method_id,
            now=now,
        )
        return StartedPaymentOut.answered(started)

    def expect(world: "World", now: datetime) -> str:
        reservation = world.store.get(Reservation, user_id, reservation_id)
        if reservation is None:
            return "not_found"
        extension = next((e for e in reservation.extensions if e.extension_id == extension_id), None)
        if extension_id and extension is None:
            return "not_found"
        no = refused_payment(reservation, extension, now)
        if no != OK:
            return no
        if asked_minor(reservation, extension) < SMALLEST_CHARGE_MINOR:
            return "amount_too_small_for_card"
        return _card_says(world, user_id, payment_method_id)

    return ApiCall(
        name,
        user_id,
        key,
        (reservation_id, extension_id, payment_method_id),
        run,
        expect,
        lambda world, _: _again(world, user_id, name, key),
    )


def deposit(user_id: UserId, key: str, amount_minor: int, payment_method_id: str | None = None) -> ApiCall:
    """POST /wallet/deposits."""
    name = "deposit"

    def run(ports: doors.Ports, request: CreateRequest, now: datetime) -> StartedPaymentOut:
        started = card_payments.deposit_by_card(
            ports.store,
            ports.cards,
            request,
            amount_minor=amount_minor,
            currency="EUR",
            payment_method_id=payment_method_id,
            now=now,
        )
        return StartedPaymentOut.answered(started)

    def expect(world: "World", now: datetime) -> str:
        if is_closed(world, user_id):
            return "account_closed"
        if amount_minor not in DEPOSITS_MINOR:
            return "invalid_request"
        wallet = world.store.get(Wallet, user_id)
        today = wallet.deposited_minor(now.date()) if wallet else 0
        own = [one for one in world.store.all_of(Payment) if one.user_id == user_id]
        today += sum(one.amount_minor for one in own if one.purpose is Purpose.DEPOSIT and one.open)
        if today + amount_minor > DEPOSITS_PER_DAY_MINOR:
            return "daily_limit_reached"
        return _card_says(world, user_id, payment_method_id)

    return ApiCall(
        name,
        user_id,
        key,
        (amount_minor, payment_method_id),
        run,
        expect,
        lambda world, _: _again(world, user_id, name, key),
    )


def withdraw(user_id: UserId, key: str, amount_minor: int) -> ApiCall:
    """POST /wallet/withdrawals."""

    def run(ports: doors.Ports, request: CreateRequest, now: datetime) -> PaymentOut:
        taken = wallets.withdraw(ports.store, request, amount_minor=amount_minor, currency="EUR", now=now)
        return PaymentOut.of(taken)

    def expect(world: "World", now: datetime) -> str:
        if amount_minor not in WITHDRAWALS_MINOR:
            return "invalid_request"
        wallet = world.store.get(Wallet, user_id)
        if wallet is None or wallet.balance_minor < amount_minor:
            return "insufficient_funds"
        if wallet.withdrawn_minor(now.date()) + amount_minor > WITHDRAWALS_PER_DAY_MINOR:
            return "daily_limit_reached"
        available_minor = 0
        for source in wallet.deposits[:SOURCES_MAX]:
            deposit = world.store.get(Payment, user_id, source.payment_id)
            available_minor += min(source.left_minor, _left_minor(deposit)) if deposit else 0
        return OK if available_minor >= amount_minor else "withdrawal_unavailable"

    return ApiCall("withdraw", user_id, key, (amount_minor,), run, expect)


def _left_minor(deposit: Payment) -> int:
    """What a deposit's card can take back: nothing while a bank has called the charge back."""
    disputed = deposit.dispute is not None and deposit.dispute.status is not DisputeStatus.WON
    return 0 if disputed else deposit.amount_minor - deposit.refunded_minor


def save_card(user_id: UserId, key: str) -> ApiCall:
    """POST /payment-methods/setup."""

    def run(ports: doors.Ports, request: CreateRequest, _: datetime) -> SetupOut:
        return SetupOut.of(payment_methods.start_setup(ports.store, ports.cards, request))

    def expect(world: "World", _: datetime) -> str:
        if is_closed(world, user_id):
            return "account_closed"
        customer = world.store.get(Customer, user_id)
        full = customer is not None and len(customer.payment_methods) >= MOST_PAYMENT_METHODS
        return "too_many_payment_methods" if full else OK

    return ApiCall("save card", user_id, key, (), run, expect)


def remove_card(user_id: UserId, payment_method_id: str) -> ApiCall:
    """DELETE /payment-methods/{id}."""

    def run(ports: doors.Ports, _: CreateRequest, __: datetime) -> None:
        payment_methods.remove_card(ports.store, ports.cards, user_id, payment_method_id)

    def expect(world: "World", _: datetime) -> str:
        return OK if _has(world, user_id, payment_method_id) else "not_found"

    return ApiCall("remove card", user_id, "", (payment_method_id,), run, expect)


def prefer_card(user_id: UserId, payment_method_id: str) -> ApiCall:
    """PUT /payment-methods/{id}/default."""

    def run(ports: doors.Ports, _: CreateRequest, __: datetime) -> PaymentMethodsOut:
        return PaymentMethodsOut.of(payment_methods.prefer_card(ports.store, user_id, payment_method_id))

    def expect(world: "World", _: datetime) -> str:
        return OK if _has(world, user_id, payment_method_id) else "not_found"

    return ApiCall("prefer card", user_id, "", (payment_method_id,), run, expect)


def _has(world: "World", user_id: UserId, payment_method_id: str) -> bool:
    customer = world.store.get(Customer, user_id)
    return customer is not None and any(one.payment_method_id == payment_method_id for one in customer.payment_methods)


def _card_says(world: "World", user_id: UserId, payment_method_id: str | None) -> str:
    """What comes of asking for the money: a new card is asked for later, a saved one says so at once."""
    if payment_method_id is None:
        return OK
    if not _has(world, user_id, payment_method_id):
        return "not_found"
    return _charged(world, payment_method_id)


def _charged(world: "World", payment_method_id: str) -> str:
    cards = world.cards
    if payment_method_id in cards._detached:
        return "card_declined"
    if payment_method_id in cards.asks_3d_secure:
        return OK
    return "card_declined" if payment_method_id in cards.declines else OK


def _again(world: "World", user_id: UserId, name: str, key: str) -> str:
    """The first answer again; where nobody was answered yet, Stripe and the hold decide anew."""
    payment = world.store.get(Payment, user_id, CreateRequest(user_id, name, key, "").new_id("pay"))
    if payment is None or payment.first_status is None:
        return ANYTHING
    if payment.first_status is not PaymentStatus.FAILED:
        return OK
    return "card_declined" if payment.failure_code else "wrong_state"
