"""The simulator's loopback HTTP control: look at a blocker, drive a car under it, cut its network."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from parking_blocker.faults import FAULTS, Chance, Scripted, Value, play, strike, takes
from parking_blocker.judge import verdict
from parking_blocker.simulated import SimulatedBlocker

BODY_BYTES_MAX = 1024 * 1024
ANSWER_SECONDS_MAX = 10.0


class ControlError(Exception):
    """A request that cannot be answered; carries the HTTP status."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


class Control:
    """Answers requests on the event loop's thread, where the blockers live."""

    def __init__(self, blockers: Mapping[str, SimulatedBlocker]) -> None:
        self._blockers = blockers
        self._script: asyncio.Task[None] | None = None
        self._chance: asyncio.Task[None] | None = None

    async def get(self, path: list[str]) -> dict[str, object]:
        """GET /health, /verdict and /blockers/{id}; raises ControlError."""
        match path:
            case ["health"]:
                connected = sum(simulated.blocker.connected for simulated in self._blockers.values())
                return {"blockers": len(self._blockers), "connected": connected}
            case ["verdict"]:
                return verdict([simulated.judge for simulated in self._blockers.values()])
            case ["blockers", blocker_id]:
                return self._find(blocker_id).document()
        raise ControlError(HTTPStatus.NOT_FOUND, "no such resource")

    async def put(self, path: list[str], body: bytes) -> dict[str, object]:
        """PUT /blockers/{id}/{fault} and /code, /script and /chance; raises ControlError."""
        document = _document(body)
        match path:
            case ["blockers", blocker_id, name] if name in FAULTS:
                simulated = self._find(blocker_id)
                await strike(simulated, name, _value(document, name, FAULTS[name].key))
                return simulated.document()
            case ["blockers", blocker_id, "code"]:
                simulated = self._find(blocker_id)
                simulated.type_code(_code(document))
                return simulated.document()
            case ["script"]:
                script = self._read_script(document)
                await self._end(self._script)
                self._script = self._begin(play(script, self._blockers))
                return {"lines": len(script)}
            case ["chance"]:
                chance = _chance(document)
                await self._end(self._chance)
                self._chance = self._begin(chance.run(self._blockers))
                return {"seed": chance.seed, "per_minute": dict(chance.per_minute)}
        raise ControlError(HTTPStatus.NOT_FOUND, "no such resource")

    def _find(self, blocker_id: object) -> SimulatedBlocker:
        simulated = self._blockers.get(blocker_id) if isinstance(blocker_id, str) else None
        if simulated is None:
            raise ControlError(HTTPStatus.NOT_FOUND, f"no blocker {blocker_id}")
        return simulated

    def _read_script(self, document: Mapping[str, object]) -> list[Scripted]:
        lines = document.get("lines")
        if not isinstance(lines, list) or not all(isinstance(line, dict) for line in lines):
            raise ControlError(HTTPStatus.BAD_REQUEST, "lines: not a list of objects")
        return [self._read_line(line) for line in lines]

    def _read_line(self, line: Mapping[str, object]) -> Scripted:
        name, blocker_id = line.get("fault"), str(line.get("blocker_id"))
        self._find(blocker_id)
        if not isinstance(name, str) or name not in FAULTS:
            raise ControlError(HTTPStatus.BAD_REQUEST, f"fault: there is no {name}")
        return Scripted(_number(line, "at_seconds"), blocker_id, name, _value(line, name, "value"))

    def _begin(self, story: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(story)
        task.add_done_callback(_raise_what_it_raised)
        return task

    async def _end(self, task: asyncio.Task[None] | None) -> None:
        """Returns when everything that the task mends at its end is mended."""
        if task:
            task.cancel()
            await asyncio.wait([task])


def make_server(control: Control, port: int, loop: asyncio.AbstractEventLoop) -> ThreadingHTTPServer:
    """An HTTP server on the loopback interface; its threads hand each request to the event loop."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(lambda: control.get(self._path()))

        def do_PUT(self) -> None:
            length = int(self.headers.get("Content-Length", "0"))
            body = self.rfile.read(min(length, BODY_BYTES_MAX))
            self._answer(lambda: control.put(self._path(), body))

        def log_message(self, *_: object) -> None:
            """Requests are not logged: the journal says what they did."""

        def _path(self) -> list[str]:
            return self.path.strip("/").split("/")

        def _answer(self, ask: Callable[[], Awaitable[dict[str, object]]]) -> None:
            async def answer() -> dict[str, object]:
                return await ask()

            status, document = HTTPStatus.OK, {}
            try:
                document = asyncio.run_coroutine_threadsafe(answer(), loop).result(ANSWER_SECONDS_MAX)
            except ControlError as error:
                status, document = error.status, {"detail": str(error)}
            except TimeoutError:
                status, document = HTTPStatus.GATEWAY_TIMEOUT, {"detail": "the blocker did not answer in time"}
            payload = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


def _raise_what_it_raised(task: asyncio.Task[None]) -> None:
    """A story that fails ends the simulator, through the loop's exception handler."""
    if not task.cancelled():
        task.result()


def _document(body: bytes) -> Mapping[str, object]:
    try:
        document = json.loads(body)
    except ValueError as error:
        raise ControlError(HTTPStatus.BAD_REQUEST, "the body is not JSON") from error
    if not isinstance(document, dict):
        raise ControlError(HTTPStatus.BAD_REQUEST, "the body is not an object")
    return document


def _value(document: Mapping[str, object], name: str, key: str) -> Value:
    value = document.get(key)
    if not isinstance(value, int | float) or not takes(FAULTS[name], value):
        raise ControlError(HTTPStatus.BAD_REQUEST, f"{key}: not of the kind that {name} takes")
    return value


def _code(document: Mapping[str, object]) -> str:
    code = document.get("code")
    if not isinstance(code, str):
        raise ControlError(HTTPStatus.BAD_REQUEST, "code: not a text")
    return code


def _number(document: Mapping[str, object], key: str) -> float:
    value = document.get(key)
    if not isinstance(value, int | float) or isinstance(value, bool) or value < 0:
        raise ControlError(HTTPStatus.BAD_REQUEST, f"{key}: not a number")
    return value


def _chance(document: Mapping[str, object]) -> Chance:
    per_minute = document.get("per_minute")
    if not isinstance(per_minute, dict) or not FAULTS.keys() >= per_minute.keys():
        raise ControlError(HTTPStatus.BAD_REQUEST, f"per_minute: not an object of {', '.join(FAULTS)}")
    return Chance(int(_number(document, "seed")), {name: _number(per_minute, name) for name in per_minute})
