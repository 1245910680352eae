"""What a stay owes for the time after its end: the wallet first, then the default card, else an open debt."""

from dataclasses import replace
from datetime import datetime

from parking.domain.customer import Customer
from parking.domain.ending import overstay_of
from parking.domain.ids import PaymentId, derived_id
from parking.domain.ledger import Debt
from parking.domain.payment import LOOK_AFTER, SMALLEST_CHARGE_MINOR, Method, Payment, PaymentStatus, Purpose
from parking.domain.reservation import Overstay, Reservation
from parking.services import notices
from parking.services.owned import wallet_of
from parking.services.payments import wallet_payment
from parking.services.ports import Aggregate, Store


def charged_for_overstay(store: Store, ended: Reservation, now: datetime) -> tuple[Reservation, list[Aggregate]]:
    """The ended stay, and what charges its overstay: all of it belongs into the commit of the end.

    A card is charged from the payments stream, because Stripe is not asked inside a commit.
    """
    quote = overstay_of(ended)
    if quote is None or quote.amount_minor == 0:
        return ended, []
    wallet = wallet_of(store, ended.user_id, quote.currency)
    customer = store.get(Customer, ended.user_id)
    by_wallet = wallet.balance_minor >= quote.amount_minor
    card = customer.default if customer and quote.amount_minor >= SMALLEST_CHARGE_MINOR else None
    payment = Payment(
        user_id=ended.user_id,
        payment_id=PaymentId(derived_id("pay", ended.reservation_id, Purpose.OVERSTAY)),
        purpose=Purpose.OVERSTAY,
        method=Method.WALLET if by_wallet else Method.CARD,
        amount_minor=quote.amount_minor,
        currency=quote.currency,
        status=PaymentStatus.SUCCEEDED if by_wallet else PaymentStatus.PENDING,
        reservation_id=ended.reservation_id,
        extension_id=None,
        fingerprint="",
        created_at=now,
    )
    if by_wallet:
        transaction = wallet_payment(payment, now)
        paid = replace(ended, overstay=Overstay(quote=quote, payment_id=payment.payment_id))
        return paid, [payment, transaction, wallet.after(transaction), notices.overstayed(paid, quote, now)]
    if customer and card:
        waiting = replace(
            payment,
            customer_id=customer.customer_id,
            payment_method_id=card.payment_method_id,
            off_session=True,
            settle_due_at=now + LOOK_AFTER,
        )
        tried = replace(ended, overstay=Overstay(quote=quote, card_payment_id=payment.payment_id))
        return tried, [waiting, notices.overstayed(tried, quote, now)]
    debt = Debt(ended.reservation_id, quote.amount_minor, now)
    owing = replace(ended, overstay=Overstay(quote=quote))
    return owing, [wallet.owing(debt), notices.debt(owing, debt, now)]
