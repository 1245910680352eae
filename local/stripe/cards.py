"""Stripe's test cards (https://docs.stripe.com/testing).

Gap: in plain localstripe a card whose attaching is declined (4000000000000002…) pays when it was never attached, and
the ready payment methods that ask for 3-D Secure are missing.
Closed by: declining the charge too, and adding them.
No longer needed when: confirming a PaymentIntent with 4000000000000002 answers 402.
"""

from typing import Any

from localstripe import resources

READY_METHODS = {
    "pm_card_authenticationRequired": "4000002760003184",
    "pm_card_threeDSecure2Required": "4000000000003220",
}


def apply() -> None:
    method = resources.PaymentMethod
    declined_on_charge = method._charging_is_declined
    ready_method = method._try_get_canonical_test_article

    def charging_is_declined(self: Any) -> bool:
        return bool(declined_on_charge(self) or self._attaching_is_declined())

    def try_get_canonical_test_article(_kind: Any, method_id: str) -> Any:
        number = READY_METHODS.get(method_id)
        if number is None:
            return ready_method(method_id)
        return method(type="card", card={"number": number, "exp_month": "12", "exp_year": "2030", "cvc": "123"})

    method._charging_is_declined = charging_is_declined
    method._try_get_canonical_test_article = classmethod(try_get_canonical_test_article)
