"""Fail on demand, to try what a caller does with it.

Gap: plain localstripe never fails.
Closed by: POST /_config/faults, in JSON: the next `times` requests of `method` whose whole path matches the regular
expression `path_pattern` are answered with `status`, `what` "before" without having acted or "after" having acted; or,
`what` "lost", they act and the connection closes without an answer. DELETE /_config/faults ends all of them.
A failing answer is kept under its Idempotency-Key and replayed, 500s included, as Stripe does; a lost one is kept as
it was, so that asking again with the same key gets it.
No longer needed when: plain localstripe serves /_config/faults.
"""

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from aiohttp import web

from local.stripe.errors import refusal

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
type Handling = Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]


@dataclass
class Fault:
    method: str
    path: re.Pattern[str]
    what: str
    status: int
    times: int


class Faults:
    """The faults of one server that are still to come."""

    def __init__(self) -> None:
        self._coming: list[Fault] = []

    async def add(self, request: web.Request) -> web.Response:
        try:
            self._coming.append(_parse(await request.json()))
        except (KeyError, TypeError, ValueError, re.error) as error:
            raise refusal(HTTPStatus.BAD_REQUEST, f"This is no fault: {error!r}") from error
        return web.Response()

    async def clear(self, _request: web.Request) -> web.Response:
        self._coming.clear()
        return web.Response()

    def losing(self) -> Handling:
        """The middleware outside of the idempotency keys."""

        async def lose(request: web.Request, handler: Handler) -> web.StreamResponse:
            lost = self._take(request, {"lost"})
            response = await handler(request)
            if lost is not None and request.transport is not None:
                request.transport.close()
            return response

        return lose

    def failing(self) -> Handling:
        """The middleware inside of the idempotency keys."""

        async def fail(request: web.Request, handler: Handler) -> web.StreamResponse:
            fault = self._take(request, {"before", "after"})
            if fault is None:
                return await handler(request)
            if fault.what == "after":
                await handler(request)
            error = {"error": {"type": "api_error", "message": "An unknown error occurred."}}
            return web.Response(status=fault.status, body=json.dumps(error).encode(), content_type="application/json")

        return fail

    def _take(self, request: web.Request, kinds: set[str]) -> Fault | None:
        for fault in self._coming:
            if fault.what in kinds and fault.method == request.method and fault.path.fullmatch(request.path):
                fault.times -= 1
                if fault.times == 0:
                    self._coming.remove(fault)
                return fault
        return None


def _parse(wanted: dict[str, Any]) -> Fault:
    if wanted["what"] not in {"before", "after", "lost"}:
        raise ValueError(wanted["what"])
    return Fault(
        method=str(wanted["method"]),
        path=re.compile(wanted["path_pattern"]),
        what=wanted["what"],
        status=int(wanted.get("status", HTTPStatus.INTERNAL_SERVER_ERROR)),
        times=int(wanted["times"]),
    )
