"""Replay by Idempotency-Key, as Stripe documents it (https://docs.stripe.com/api/idempotent_requests).

Gap: plain localstripe ignores the header: a retry charges twice.
Closed by: a middleware around everything else. The same key with the same parameters gets the stored first answer,
status and 500s included; with other parameters 400 `idempotency_error`; while the first one still runs, 409. An answer
is stored only when the request began to execute: not after a failed validation, a refused login or a conflict.
No longer needed when: two identical POSTs with one key answer with the same object.
"""

import json
import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from local.stripe.idempotency_keys import KEY_CHARACTERS_MAX, Answer, IdempotencyKeys

NEVER_STORED = {HTTPStatus.UNAUTHORIZED, HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS}

type Handler = Callable[[web.Request], Awaitable[web.Response]]


class Replay:
    """The middleware; one instance holds the keys of one server."""

    def __init__(self) -> None:
        self._keys = IdempotencyKeys()

    async def __call__(self, request: web.Request, handler: Handler) -> web.Response:
        key = request.headers.get("Idempotency-Key")
        if request.method != "POST" or key is None or not request.path.startswith("/v1/"):
            return await handler(request)
        if not 0 < len(key) <= KEY_CHARACTERS_MAX:
            return _refuse(HTTPStatus.BAD_REQUEST, f"Idempotency keys have 1 to {KEY_CHARACTERS_MAX} characters.")

        account = request.headers.get("Authorization", "")
        parameters = sorted(parse_qsl(await request.text(), keep_blank_values=True))
        verdict = self._keys.claim(account, key, json.dumps([request.path_qs, parameters]))
        if isinstance(verdict, Answer):
            return _respond(verdict, {"Idempotent-Replayed": "true"})
        if verdict == "other_parameters":
            return _refuse(
                HTTPStatus.BAD_REQUEST,
                "Keys for idempotent requests can only be used with the same parameters they were first used with. "
                f"Try using a key other than '{key}' if you meant to execute a different request.",
            )
        if verdict == "in_flight":
            return _refuse(
                HTTPStatus.CONFLICT,
                f"There is currently another in-progress request using this Idempotent Key: {key}. Try again later.",
                code="idempotency_key_in_use",
            )
        return await self._execute(request, handler, account, key)

    async def _execute(self, request: web.Request, handler: Handler, account: str, key: str) -> web.Response:
        try:
            answer = await _answer(request, handler)
        except BaseException:  # the caller hung up: nothing can be said about how far the request came
            self._keys.release(account, key)
            raise
        if _began_to_execute(answer):
            self._keys.keep(account, key, answer)
        else:
            self._keys.release(account, key)
        return _respond(answer, {"Idempotency-Key": key})


async def _answer(request: web.Request, handler: Handler) -> Answer:
    try:
        response = await handler(request)
    except web.HTTPException:
        raise
    except Exception:
        logging.getLogger(__name__).exception("%s %s failed", request.method, request.path)
        error = {"type": "api_error", "message": "An unknown error occurred."}
        return Answer(HTTPStatus.INTERNAL_SERVER_ERROR, json.dumps({"error": error}).encode())
    return Answer(response.status, _bytes_of(response.body))


def _bytes_of(body: Any) -> bytes:
    if not isinstance(body, bytes | bytearray):
        raise TypeError(f"localstripe answers with bytes, not with {type(body).__name__}")
    return bytes(body)


def _began_to_execute(answer: Answer) -> bool:
    if answer.status in NEVER_STORED:
        return False
    if answer.status == HTTPStatus.BAD_REQUEST:
        # localstripe's validation errors carry no code; refusals that come from an object's state do.
        return "code" in json.loads(answer.body)["error"]
    return True


def _refuse(status: HTTPStatus, message: str, code: str | None = None) -> web.Response:
    error = {"type": "idempotency_error", "message": message} | ({"code": code} if code else {})
    return _respond(Answer(status, json.dumps({"error": error}).encode()), {})


def _respond(answer: Answer, headers: dict[str, str]) -> web.Response:
    return web.Response(status=answer.status, body=answer.body, content_type="application/json", headers=headers)
