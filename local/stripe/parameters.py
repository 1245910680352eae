"""Accept Stripe's parameters that localstripe does not know, and give them back in the object.

Gap: plain localstripe answers 400 to parameters that Stripe documents (description, automatic_payment_methods…).
Closed by: taking the listed ones out before the object is made and setting them as its attributes. A name that Stripe
does not know stays a 400, as it is there.
No longer needed when: plain localstripe accepts every name listed here.
"""

from typing import Any

from localstripe import resources

TAKEN: dict[str, tuple[str, ...]] = {
    "PaymentIntent": (
        "automatic_payment_methods",
        "confirmation_method",
        "description",
        "receipt_email",
        "setup_future_usage",
        "shipping",
        "statement_descriptor",
        "statement_descriptor_suffix",
        "transfer_group",
    ),
    "SetupIntent": ("automatic_payment_methods", "description"),
    "PaymentMethod": ("allow_redisplay",),
    "Refund": ("reason",),
    "Customer": ("shipping",),
}


def apply() -> None:
    for class_name, names in TAKEN.items():
        _take(getattr(resources, class_name), names)


def _take(kind: Any, names: tuple[str, ...]) -> None:
    make = kind.__init__

    def __init__(self: Any, **parameters: Any) -> None:  # noqa: N807 (it becomes the class's own)
        taken = {name: _typed(parameters.pop(name, None)) for name in names}
        make(self, **parameters)
        for name, value in taken.items():
            setattr(self, name, value)

    kind.__init__ = __init__


def _typed(value: Any) -> Any:
    """Undo the form encoding: flags arrive as text."""
    if isinstance(value, dict):
        return {name: _typed(inner) for name, inner in value.items()}
    return resources.try_convert_to_bool(value)
