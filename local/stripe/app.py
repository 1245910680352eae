"""Put the application together: the patches, then localstripe's server with the patched routes."""

from importlib import reload

from aiohttp import web
from localstripe import server

from local.stripe import (
    cards,
    charging,
    confirmation,
    disputes,
    errors,
    faults,
    idempotency,
    lists,
    memory_store,
    parameters,
    payment_intents,
    payment_methods,
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
    payment_methods,
    payment_intents,
    charging,
    confirmation,
    setup_intents,
    refunds,
    disputes,
    lists,
)


async def health(_request: web.Request) -> web.Response:
    return web.json_response({"status": "ready"})


def create_app() -> web.Application:
    for patch in PATCHES:
        patch.apply()
    # The server read the routes when it was imported, before the patches replaced some: read them again.
    app: web.Application = reload(server).app
    injected = faults.Faults()
    app.middlewares[:] = [
        web.middleware(injected.losing()),
        web.middleware(idempotency.Replay()),
        web.middleware(injected.failing()),
        server.error_middleware,
        web.middleware(publishable_key.authenticate),
    ]
    app.router.add_get("/_config/health", health)
    app.router.add_post("/_config/faults", injected.add)
    app.router.add_delete("/_config/faults", injected.clear)
    return app
