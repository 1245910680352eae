"""Put the application together: the patches, then localstripe's server with the patched routes."""

from importlib import reload

from aiohttp import web
from localstripe import server

from local.stripe import (
    cards,
    confirmation,
    errors,
    idempotency,
    memory_store,
    parameters,
    payment_intents,
    publishable_key,
    refunds,
    setup_intents,
    webhooks,
)

PATCHES = (
    memory_store,
    errors,
    webhooks,
    parameters,
    cards,
    payment_intents,
    confirmation,
    setup_intents,
    refunds,
)


async def health(_request: web.Request) -> web.Response:
    return web.json_response({"status": "ready"})


def create_app() -> web.Application:
    for patch in PATCHES:
        patch.apply()
    # The server read the routes when it was imported, before the patches replaced some: read them again.
    app: web.Application = reload(server).app
    app.middlewares[:] = [
        web.middleware(idempotency.Replay()),
        server.error_middleware,
        web.middleware(publishable_key.authenticate),
    ]
    app.router.add_get("/_config/health", health)
    return app
