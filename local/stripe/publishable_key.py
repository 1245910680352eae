"""Let the mobile SDK in: publishable key plus the intent's client secret.

Gap: plain localstripe accepts a publishable key only in the `key` field and on few routes; Stripe's mobile SDKs send it
as the bearer token and confirm and read their own PaymentIntent or SetupIntent with it.
Closed by: an authentication middleware that knows these calls; for an intent the client secret has to match. Everything
else is left to localstripe's own.
No longer needed when: POST /v1/payment_intents/{id}/confirm with a publishable bearer key answers 200.
"""

import re
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from aiohttp import web
from localstripe import resources, server

from local.stripe.errors import refusal

OPEN_TO_APPS = (
    ("POST", re.compile(r"^/v1/payment_methods$")),
    ("POST", re.compile(r"^/v1/(?:payment|setup)_intents/(?P<intent_id>\w+)/(?:confirm|_authenticate)$")),
    ("GET", re.compile(r"^/v1/(?:payment|setup)_intents/(?P<intent_id>\w+)$")),
)


async def authenticate(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    fields = await _fields(request)
    bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if bearer.startswith("pk_") or fields.get("key", "").startswith("pk_"):
        for method, pattern in OPEN_TO_APPS:
            match = pattern.match(request.path)
            if match and method == request.method:
                intent_id = match.groupdict().get("intent_id")
                if intent_id is not None:
                    _check_client_secret(intent_id, fields.get("client_secret"))
                return await handler(request)
    response: web.StreamResponse = await server.auth_middleware(request, handler)
    return response


async def _fields(request: web.Request) -> dict[str, str]:
    source = request.query if request.method == "GET" else await request.post()
    return {name: value for name, value in source.items() if isinstance(value, str)}


def _check_client_secret(intent_id: str, client_secret: str | None) -> None:
    kind = (
        resources.PaymentIntent if intent_id.startswith(resources.PaymentIntent._id_prefix) else resources.SetupIntent
    )
    if kind._api_retrieve(intent_id).client_secret != client_secret:
        raise refusal(
            HTTPStatus.BAD_REQUEST,
            "The client_secret provided does not match the client_secret associated with this intent.",
            param="client_secret",
        )
