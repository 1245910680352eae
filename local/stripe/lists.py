"""Lists as Stripe gives them: newest first, filtered by creation time, in pages that hold still.

Gap: plain localstripe lists PaymentIntents oldest first and without a filter, refunds of one second oldest first,
accepts any limit, and starts over when it does not know `starting_after`.
Closed by: listing in the reverse order of creation, with `created` (gt, gte, lt, lte) and the filters named here.
No longer needed when: payment_intents.list takes `created` on plain localstripe.
"""

from collections.abc import Callable
from http import HTTPStatus
from operator import ge, gt, le, lt
from typing import Any

from localstripe import resources

from local.stripe.errors import refusal

LIMIT_MAX = 100
COMPARISONS: dict[str, Callable[[int, int], bool]] = {"gt": gt, "gte": ge, "lt": lt, "lte": le}


def apply() -> None:
    newest_first(resources.PaymentIntent, filters=("customer",))
    newest_first(resources.Refund, filters=("charge", "payment_intent"))


def newest_first(kind: Any, *, filters: tuple[str, ...]) -> None:
    """Make this kind's list Stripe's, filtered by these of its fields."""

    def list_all(
        _kind: Any,
        /,
        url: str,
        limit: str | None = None,
        starting_after: str | None = None,
        created: Any = None,
        **wanted: str,
    ) -> Any:
        unknown = wanted.keys() - set(filters)
        if unknown:
            raise refusal(HTTPStatus.BAD_REQUEST, f"Received unknown parameters: {', '.join(sorted(unknown))}")
        page = resources.List(url, limit=limit, starting_after=starting_after)
        if page._limit > LIMIT_MAX:
            raise refusal(HTTPStatus.BAD_REQUEST, f"A page has at most {LIMIT_MAX} objects.", param="limit")
        is_within = _within(created)
        # The store keeps the order of creation, finer than `created`, which counts seconds.
        page._list = [
            found
            for key, found in reversed(resources.store.items())
            if key.startswith(f"{kind.object}:")
            and (found.id == starting_after or is_within(found.created))
            and all(getattr(found, name) == value for name, value in wanted.items())
        ]
        if starting_after is not None and all(found.id != starting_after for found in page._list):
            raise refusal(
                HTTPStatus.BAD_REQUEST,
                f"No such {kind.object}: '{starting_after}'",
                code="resource_missing",
                param="starting_after",
            )
        return page

    kind._api_list_all = classmethod(list_all)


def _within(created: Any) -> Callable[[int], bool]:
    """What `created` asks for: nothing, one second, or bounds."""
    bounds = {"gte": created, "lte": created} if isinstance(created, str) else created or {}
    try:
        checks = [(COMPARISONS[name], int(bound)) for name, bound in bounds.items()]
    except (KeyError, ValueError) as error:
        raise refusal(HTTPStatus.BAD_REQUEST, "created has bounds gt, gte, lt and lte.", param="created") from error
    return lambda at: all(compare(at, bound) for compare, bound in checks)
