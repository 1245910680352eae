"""The simulator's loopback HTTP control: look at a blocker, drive a car under it, cut its network."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from parking_blocker.actuator import SimulatedActuator
from parking_blocker.blocker import Blocker

BODY_BYTES_MAX = 1024
ANSWER_SECONDS_MAX = 10.0


@dataclass(frozen=True, slots=True)
class SimulatedBlocker:
    """A blocker and the hardware that it believes in."""

    blocker: Blocker
    actuator: SimulatedActuator

    def document(self) -> dict[str, object]:
        """Position, occupancy, command and journal, ready for JSON."""
        machine = self.blocker.machine
        outcome = machine.outcome
        return {
            "blocker_id": self.blocker.identity.blocker_id,
            "connected": self.blocker.connected,
            "position": machine.position,
            "occupancy": machine.readings.occupancy,
            "command_id": outcome.command_id if outcome else None,
            "result": outcome.result if outcome else None,
            "reason": outcome.reason if outcome else None,
            "journal": [entry.document() for entry in self.blocker.journal],
        }


class ControlError(Exception):
    """A request that cannot be answered; carries the HTTP status."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


class Control:
    """Answers requests on the event loop's thread, where the blockers live."""

    def __init__(self, blockers: Mapping[str, SimulatedBlocker]) -> None:
        self._blockers = blockers

    async def get(self, path: list[str]) -> dict[str, object]:
        """GET /health and GET /blockers/{id}; raises ControlError."""
        match path:
            case ["health"]:
                connected = sum(simulated.blocker.connected for simulated in self._blockers.values())
                return {"blockers": len(self._blockers), "connected": connected}
            case ["blockers", blocker_id]:
                return self._find(blocker_id).document()
        raise ControlError(HTTPStatus.NOT_FOUND, "no such resource")

    async def put(self, path: list[str], body: bytes) -> dict[str, object]:
        """PUT /blockers/{id}/car and /blockers/{id}/network; raises ControlError."""
        match path:
            case ["blockers", blocker_id, "car"]:
                simulated = self._find(blocker_id)
                simulated.actuator.set_car(_flag(body, "present"))
            case ["blockers", blocker_id, "network"]:
                simulated = self._find(blocker_id)
                if _flag(body, "online"):
                    simulated.blocker.connect()
                else:
                    await simulated.blocker.disconnect(announced=False)
            case _:
                raise ControlError(HTTPStatus.NOT_FOUND, "no such resource")
        return simulated.document()

    def _find(self, blocker_id: str) -> SimulatedBlocker:
        simulated = self._blockers.get(blocker_id)
        if simulated is None:
            raise ControlError(HTTPStatus.NOT_FOUND, f"no blocker {blocker_id}")
        return simulated


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


def _flag(body: bytes, key: str) -> bool:
    try:
        document = json.loads(body)
    except ValueError as error:
        raise ControlError(HTTPStatus.BAD_REQUEST, "the body is not JSON") from error
    value = document.get(key) if isinstance(document, dict) else None
    if not isinstance(value, bool):
        raise ControlError(HTTPStatus.BAD_REQUEST, f"{key}: not true or false")
    return value
