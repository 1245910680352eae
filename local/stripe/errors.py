"""Give errors the `type` and `code` that Stripe documents (https://docs.stripe.com/api/errors).

Gap: every error of plain localstripe is an `invalid_request_error`, a declined card's too, and a missing object has no
code, so neither an app nor the SDK's error classes can be tested against it.
Closed by: setting both from the status, where localstripe says nothing better.
No longer needed when: a decline is a `card_error` and a 404 carries `resource_missing`.
"""

from http import HTTPStatus
from typing import Any

from localstripe.errors import UserError


def refusal(status: HTTPStatus, message: str, **details: Any) -> Exception:
    """The exception that localstripe answers as a Stripe error of this status; details are `code`, `param`…"""
    error: Exception = UserError(int(status), message, details)
    return error


def apply() -> None:
    answer = UserError.to_response

    def to_response(self: Any) -> Any:
        error = self.body["error"]
        if self.code == HTTPStatus.PAYMENT_REQUIRED:
            error["type"] = "card_error"
        elif self.code == HTTPStatus.NOT_FOUND:
            error.setdefault("code", "resource_missing")
        return answer(self)

    UserError.to_response = to_response
