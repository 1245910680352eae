"""Stripe's test cards (https://docs.stripe.com/testing).

Gap: plain localstripe declines every card for the same reason, pays with a card whose attaching is declined
(4000000000000002…) when it was never attached, and knows three of the ready payment methods.
Closed by: the tables below.
No longer needed when: confirming a PaymentIntent with pm_card_visa_chargeDeclinedInsufficientFunds answers 402 with
`decline_code` insufficient_funds.

Stripe has no test card whose payment waits for the bank; ours is pm_card_processing (PROCESSING).
"""

from dataclasses import dataclass
from typing import Any

from localstripe import resources

AUTHENTICATION_ALWAYS = "4000002760003184"
AUTHENTICATION_UNLESS_SET_UP = "4000002500003155"
INSUFFICIENT_FUNDS_AUTHENTICATED = "4000008260003178"  # asks for 3-D Secure, and is declined after it
DISPUTED = "4000000000000259"
REFUND_PENDING = "4000000000007726"
REFUND_FAILS = "4000000000005126"
PROCESSING = "4000000000888880"

READY_METHODS = {
    "pm_card_authenticationRequired": AUTHENTICATION_ALWAYS,
    "pm_card_authenticationRequiredOnSetup": AUTHENTICATION_UNLESS_SET_UP,
    "pm_card_threeDSecure2Required": "4000000000003220",
    "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds": INSUFFICIENT_FUNDS_AUTHENTICATED,
    "pm_card_visa_chargeDeclinedInsufficientFunds": "4000000000009995",
    "pm_card_visa_chargeDeclinedLostCard": "4000000000009987",
    "pm_card_visa_chargeDeclinedStolenCard": "4000000000009979",
    "pm_card_chargeDeclinedExpiredCard": "4000000000000069",
    "pm_card_chargeDeclinedIncorrectCvc": "4000000000000127",
    "pm_card_chargeDeclinedProcessingError": "4000000000000119",
    "pm_card_createDispute": DISPUTED,
    "pm_card_pendingRefund": REFUND_PENDING,
    "pm_card_refundFail": REFUND_FAILS,
    "pm_card_processing": PROCESSING,
}


@dataclass(frozen=True)
class Decline:
    """Why a card does not pay: https://docs.stripe.com/declines/codes."""

    code: str
    decline_code: str
    message: str


GENERIC_DECLINE = Decline("card_declined", "generic_decline", "Your card was declined.")
INSUFFICIENT_FUNDS = Decline("card_declined", "insufficient_funds", "Your card has insufficient funds.")
AUTHENTICATION_REQUIRED = Decline(
    "authentication_required",
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
)

DECLINES = {
    "4000000000000002": GENERIC_DECLINE,
    "4000000000000341": GENERIC_DECLINE,  # can be attached all the same
    "4000008400001629": GENERIC_DECLINE,  # after 3-D Secure
    INSUFFICIENT_FUNDS_AUTHENTICATED: INSUFFICIENT_FUNDS,
    "4000000000009995": INSUFFICIENT_FUNDS,
    "4000000000009987": Decline("card_declined", "lost_card", "Your card was declined."),
    "4000000000009979": Decline("card_declined", "stolen_card", "Your card was declined."),
    "4000000000000069": Decline("expired_card", "expired_card", "Your card has expired."),
    "4000000000000127": Decline("incorrect_cvc", "incorrect_cvc", "Your card's security code is incorrect."),
    "4000000000000119": Decline(
        "processing_error", "processing_error", "An error occurred while processing your card. Try again later."
    ),
    "4242424242424241": Decline("incorrect_number", "incorrect_number", "Your card number is incorrect."),
}


def number_of(method: Any) -> str | None:
    """The card number behind a payment method; None where it is no card."""
    return getattr(method, "_card_number", None)


def decline_of_charge(method: Any) -> Decline | None:
    """Why charging this payment method fails; None: it does not."""
    return DECLINES.get(number_of(method) or "")


def decline_of_attaching(method: Any) -> Decline | None:
    """Why saving this payment method fails; None: it does not."""
    return decline_of_charge(method) if method._attaching_is_declined() else None


def authenticates_off_session(method: Any) -> bool:
    """Whether the bank wants the driver, who is not there: set-up cards are exempt, but for those that always ask."""
    if not method._requires_authentication():
        return False
    exempt = number_of(method) in {AUTHENTICATION_UNLESS_SET_UP, INSUFFICIENT_FUNDS_AUTHENTICATED}
    return not (exempt and method._set_up_off_session)


def apply() -> None:
    method = resources.PaymentMethod
    declined_on_charge = method._charging_is_declined
    ready_method = method._try_get_canonical_test_article

    def charging_is_declined(self: Any) -> bool:
        return decline_of_charge(self) is not None or bool(declined_on_charge(self))

    def try_get_canonical_test_article(_kind: Any, method_id: str) -> Any:
        number = READY_METHODS.get(method_id)
        if number is None:
            return ready_method(method_id)
        return method(type="card", card={"number": number, "exp_month": "12", "exp_year": "2030", "cvc": "123"})

    method._set_up_off_session = False
    method._charging_is_declined = charging_is_declined
    method._try_get_canonical_test_article = classmethod(try_get_canonical_test_article)
