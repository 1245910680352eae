"""Stripe emulators for tests: ours and plain localstripe, each with a receiver of webhooks beside it."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import stripe

from local.ports import Ports
from local.processes import Processes
from local.tools import emulator_python

WEBHOOK_SECRET = "whsec_test"

# Plain localstripe listens on every interface and writes to a fixed file under /tmp; here it may do neither.
PLAIN = """
import sys
from aiohttp import web
from localstripe import resources
resources.Store.dump_to_disk = lambda store: None
from localstripe.server import app
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
"""


class Receiver:
    """An HTTP server that keeps the webhooks it got and answers as told."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.deliveries: list[tuple[bytes, str]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.deliveries.append((body, self.headers["Stripe-Signature"]))
                self.send_response(receiver.answers.pop(0) if receiver.answers else 200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Stay quiet: the webhooks are read from `deliveries`."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/stripe/webhook"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def events(self) -> list[stripe.Event]:
        """What arrived so far, each with its signature checked by Stripe's own SDK."""
        return [stripe.Webhook.construct_event(*delivery, WEBHOOK_SECRET) for delivery in self.deliveries]

    def types(self, about: str) -> list[str]:
        """The types of the events that arrived about the object with this id."""
        return [event.type for event in self.events() if event.data.object["id"] == about]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@dataclass(frozen=True)
class Emulator:
    base: str
    sdk: stripe.StripeClient
    receiver: Receiver

    def create(self, **parameters: str) -> httpx.Response:
        return self.as_server("/v1/payment_intents", amount="5000", currency="eur", **parameters)

    def intent(self, **parameters: str) -> dict[str, Any]:
        """A new PaymentIntent, made with the parameters that plain localstripe understands as well."""
        answer: dict[str, Any] = self.create(**parameters).raise_for_status().json()
        return answer

    def deposit(self, payment_method: str = "pm_card_visa", amount: int = 5000) -> stripe.PaymentIntent:
        """A payment that the backend makes and confirms with this payment method; raises its decline."""
        return self.sdk.v1.payment_intents.create(
            {"amount": amount, "currency": "eur", "payment_method": payment_method, "confirm": True}
        )

    def as_server(self, path: str, **parameters: str) -> httpx.Response:
        """A call of the backend: the secret key as bearer."""
        return httpx.post(f"{self.base}{path}", data=parameters, headers={"Authorization": "Bearer sk_test_1"})

    def as_app(self, path: str, **parameters: str) -> httpx.Response:
        """A call of the mobile SDK: the publishable key as bearer."""
        return httpx.post(f"{self.base}{path}", data=parameters, headers={"Authorization": "Bearer pk_test_1"})


def eventually(condition: Callable[[], bool], within_seconds: float = 5) -> bool:
    deadline = time.monotonic() + within_seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@contextmanager
def serving(logs: Path, *, plain: bool) -> Iterator[Emulator]:
    port = Ports.free().stripe
    base = f"http://127.0.0.1:{port}"
    module = ["-c", PLAIN, str(port)] if plain else ["-m", "local.stripe", "--port", str(port)]
    receiver = Receiver()
    with Processes(logs) as processes:
        processes.start("stripe", [emulator_python(), *module], {})
        processes.wait_until(lambda: _registered(base, receiver), "localstripe", timeout_seconds=20)
        # No retries: a test sees each answer as it is.
        sdk = stripe.StripeClient("sk_test_1", base_addresses={"api": base}, max_network_retries=0)
        yield Emulator(base, sdk, receiver)
    receiver.close()


def _registered(base: str, receiver: Receiver) -> bool:
    webhook = {"url": receiver.url, "secret": WEBHOOK_SECRET}
    try:
        return httpx.post(f"{base}/_config/webhooks/test", json=webhook).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False
