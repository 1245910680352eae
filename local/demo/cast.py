"""Who plays: drivers with the app, the machine in the street, and the schedule."""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

import httpx

from local.demo.narrator import Narrator, Unexpected
from local.demo.words import at, compact, short, utc
from local.drivers import Account, Driver, confirm_payment, finish_3d_secure, save_card
from local.stack import Stack

SHADOW = "barrier"


@dataclass(frozen=True)
class TestCard:
    """One of Stripe's (https://docs.stripe.com/testing): as a person reads it, and as its API names it."""

    number: str
    name: str


VISA = TestCard("4242 4242 4242 4242", "pm_card_visa")
ASKS_3D_SECURE = TestCard("4000 0000 0000 3220", "pm_card_threeDSecure2Required")


class Person:
    """A driver and the app on the phone. What is asked aloud is told; what is only looked at is not."""

    def __init__(self, name: str, driver: Driver, tell: Narrator) -> None:
        self.name = name
        self._driver = driver
        self._tell = tell

    @classmethod
    def signs_up(cls, name: str, stack: Stack, tell: Narrator) -> "Person":
        """A new account in Cognito, and the first log-in."""
        account = Account(f"{name.lower()}@example.com", f"Parking-2026-{name}")
        tell.asks(f"Cognito SignUp {account.email} · ConfirmSignUp · InitiateAuth USER_PASSWORD_AUTH")
        driver = stack.new_driver(account)
        tell.answers(f"an access token ({driver.access_token[:12]}…), which every request below carries")
        return cls(name, driver, tell)

    def asks(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        status: int = HTTPStatus.OK,
        expected: Mapping[str, object] | None = None,
        shown: Sequence[str] = (),
    ) -> Any:
        """One request, told and checked: the status, and the fields of the answer by dotted path. Raises Unexpected."""
        self._tell.asks(f"{method} {short(path)} {compact(body)}".rstrip())
        answer = self._driver.request(method, path, body)
        request = f"{self.name}: {method} {path}"
        if answer.status_code != status:
            raise Unexpected(request, expected=f"status {int(status)}", came=f"{answer.status_code} {answer.text}")
        document = answer.json()
        telling = dict(expected or {})
        try:
            said = {name: at(document, name) for name in (*telling, *shown)}
        except KeyError as missing:
            raise Unexpected(request, expected=f"an answer with {missing}", came=document) from missing
        self._tell.answers(short(" · ".join([str(int(status)), *(f"{name} {value}" for name, value in said.items())])))
        for name, value in telling.items():
            if said[name] != value:
                raise Unexpected(f"{request}: {name}", expected=value, came=said[name])
        return document

    def looks(self, path: str) -> Any:
        """What the app shows, without a word. Raises Unexpected if it shows nothing."""
        answer = self._driver.get(path)
        if answer.status_code != HTTPStatus.OK:
            raise Unexpected(f"{self.name}: GET {path}", expected="status 200", came=answer.text)
        return answer.json()

    def balance_minor(self) -> int:
        """What the wallet holds."""
        balance: int = self.looks("/wallet")["balance"]
        return balance

    def reservation(self, reservation_id: str) -> dict[str, Any]:
        """The stay as the app shows it now."""
        reservation: dict[str, Any] = self.looks(f"/reservations/{reservation_id}")
        return reservation

    def inbox(self) -> list[dict[str, Any]]:
        """What the driver was told, newest first."""
        items: list[dict[str, Any]] = self.looks("/notifications?limit=100")["items"]
        return items

    def ledger(self) -> list[dict[str, Any]]:
        """The wallet's transactions, newest first."""
        items: list[dict[str, Any]] = self.looks("/wallet/transactions?limit=100")["items"]
        return items

    def pays_by_card(self, stack: Stack, client_secret: str, card: TestCard, *, expected: str = "succeeded") -> None:
        """Confirm the PaymentIntent as Stripe's mobile SDK does on the phone. Raises Unexpected."""
        self._tell.asks(f"the phone, to Stripe: confirm the PaymentIntent with card {card.number}")
        self._hears(confirm_payment(stack.stripe_api_base, client_secret, payment_method=card.name), expected)

    def saves_card(self, stack: Stack, client_secret: str, card: TestCard) -> None:
        """Confirm the SetupIntent as Stripe's mobile SDK does on the phone. Raises Unexpected."""
        self._tell.asks(f"the phone, to Stripe: save card {card.number}")
        self._hears(save_card(stack.stripe_api_base, client_secret, payment_method=card.name), "succeeded")

    def passes_3d_secure(self, stack: Stack, client_secret: str) -> None:
        """What the bank's page asks. Raises Unexpected."""
        self._tell.asks("the phone, on the bank's page: 3-D Secure passed")
        self._hears(finish_3d_secure(stack.stripe_api_base, client_secret, success=True), "succeeded")

    def _hears(self, answer: httpx.Response, status: str) -> None:
        if answer.status_code != HTTPStatus.OK or answer.json()["status"] != status:
            raise Unexpected("Stripe's answer", expected=f"status {status}", came=f"{answer.status_code} {answer.text}")
        self._tell.answers(f"{answer.status_code} · status {status}")


class Machine:
    """A spot's blocker, seen from both sides: what the cloud heard from it, and what it did."""

    def __init__(self, stack: Stack, blocker_id: str) -> None:
        self.blocker_id = blocker_id
        self.shadow = f"{blocker_id}'s shadow, reported"
        self._simulated = f"{stack.simulator_url}/blockers/{blocker_id}"
        self._shadows = stack.client("iot-data")

    def reported(self) -> str:
        """Position, occupancy and the result of the last command in the `reported` section of its shadow."""
        answer = self._shadows.get_thing_shadow(thingName=self.blocker_id, shadowName=SHADOW)
        reported = json.loads(answer["payload"].read())["state"]["reported"]
        # While a command is under way the shadow holds no result.
        return " ".join(reported[name] for name in ("position", "occupancy", "result") if name in reported)

    def journal(self) -> list[dict[str, str]]:
        """What the machine itself wrote down, oldest first."""
        entries: list[dict[str, str]] = httpx.get(self._simulated).raise_for_status().json()["journal"]
        return entries

    def motor_runs(self) -> list[str]:
        """Every time that the motor began to run, by the machine's own journal."""
        return [one["detail"] for one in self.journal() if one["what"] == "motor" and one["detail"] != "stopped"]

    def drives_car(self, *, onto_it: bool) -> None:
        """A car drives onto the spot, or away from it."""
        httpx.put(f"{self._simulated}/car", json={"present": onto_it}).raise_for_status()


def tick(stack: Stack, tell: Narrator, function: str, now: datetime) -> None:
    """EventBridge's scheduled event for a function, with the wanted time: this is how the story travels in time.

    Raises Unexpected if the function fails, or moves another number of reservations than one.
    """
    event = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "000000000000",
        "time": utc(now),
        "region": stack.region,
        "resources": [],
        "detail": {},
    }
    tell.asks(f"EventBridge, to {function}: {compact({'time': event['time']})}")
    name = stack.outputs[f"{function}FunctionName"]
    answer = stack.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event))
    result = json.loads(answer["Payload"].read())
    if result != {"moved": 1, "left": 0}:
        raise Unexpected(function, expected={"moved": 1, "left": 0}, came=result)
    tell.answers(compact(result))
