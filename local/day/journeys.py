"""One driver's journey in money: book, pay in one of many ways, then keep the stay, extend it or call it off."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from random import Random
from typing import Any

import httpx

from local.drivers import Driver, confirm_payment, finish_3d_secure, save_card
from local.errors import LocalError
from local.stack import Stack
from local.waiting import wait_until

STAY = timedelta(hours=1)
SLOT = 3 * STAY  # a stay, its extension and the turnover on both sides
WAIT_SECONDS_MAX = 60
DEPOSIT_MINOR = 2000
WITHDRAWAL_MINOR = 300

VISA = "pm_card_visa"
ASKS_3D_SECURE = "pm_card_threeDSecure2Required"
ALWAYS_ASKS_3D_SECURE = "pm_card_authenticationRequired"
WITHOUT_FUNDS = "pm_card_visa_chargeDeclinedInsufficientFunds"
DECLINED_WHEN_CHARGED = "pm_card_chargeCustomerFail"

PAYING = {"wallet": 4, "new card": 4, "saved card": 4, "3-D Secure": 2, "saved card with 3-D Secure": 1}
MISHAPS = {"none": 12, "card declined": 2, "saved card declined": 1, "3-D Secure failed": 1, "form left open": 1}
ENDINGS = {"kept": 5, "called off": 3, "extended": 3, "extended and called off": 1}
BESIDES = {"nothing": 6, "deposit": 2, "withdrawal": 2}

type Json = dict[str, Any]


@dataclass(frozen=True)
class Journey:
    """What somebody is going to do, drawn before it begins: the same seed is the same day."""

    slot: int
    mishap: str
    paying: str
    ending: str
    besides: str


def drawn(journeys: int, seed: int) -> list[Journey]:
    """As many journeys, in the proportions above."""
    random = Random(seed)  # noqa: S311 (a play, no secret)

    def one_of(weights: dict[str, int]) -> str:
        return random.choices(list(weights), list(weights.values()))[0]

    return [
        Journey(slot, one_of(MISHAPS), one_of(PAYING), one_of(ENDINGS), one_of(BESIDES)) for slot in range(journeys)
    ]


class Traveller:
    """A driver who makes journeys, with the phone on which Stripe's SDK asks for cards. Raises LocalError when the
    system does anything else than it should."""

    def __init__(self, stack: Stack, driver: Driver, spot_ids: list[str], day_began_at: datetime) -> None:
        self.driver = driver
        self._stack = stack
        self._spot_ids = spot_ids
        self._day_began_at = day_began_at

    def travels(self, journey: Journey) -> None:
        """From the booking to the ending."""
        stay = self._books(journey.slot)
        MISHAP_STEPS[journey.mishap](self, stay)
        PAYING_STEPS[journey.paying](self, stay, None)
        self._awaits(lambda: self._stay(stay)["status"] == "CONFIRMED", "the paid stay")
        if journey.ending.startswith("extended"):
            self._extends(stay, journey.paying)
        if journey.ending.endswith("called off"):
            self._asks("POST", f"/reservations/{stay['reservation_id']}/cancellation")
        BESIDES_STEPS[journey.besides](self)

    def unsettled(self) -> list[str]:
        """The payments that still wait for somebody."""
        payments = self._all("/payments")
        return [one["payment_id"] for one in payments if one["status"] in ("PENDING", "CANCELLING", "REFUND_PENDING")]

    def wallet_difference_minor(self) -> int:
        """By how much the wallet is not the sum of its entries."""
        entries: int = sum(one["amount"] for one in self._all("/wallet/transactions"))
        balance: int = self._asks("GET", "/wallet")["balance"]
        return balance - entries

    # -- booking and extending

    def _books(self, slot: int) -> Json:
        row, column = divmod(slot, len(self._spot_ids))
        starts_at = self._day_began_at + STAY + row * SLOT
        wish = {
            "spot_id": self._spot_ids[column],
            "starts_at": _utc(starts_at),
            "ends_at": _utc(starts_at + STAY),
        }
        return self._asks("POST", "/reservations", wish, status=HTTPStatus.CREATED)

    def _extends(self, stay: Json, paying: str) -> None:
        longer = datetime.fromisoformat(stay["ends_at"]) + STAY / 2
        path = f"/reservations/{stay['reservation_id']}"
        extension = self._asks("POST", f"{path}/extensions", {"ends_at": _utc(longer)}, status=HTTPStatus.CREATED)
        PAYING_STEPS[paying](self, stay, extension)
        self._awaits(lambda: self._stay(stay)["ends_at"] == _utc(longer), "the extended stay")

    def _stay(self, stay: Json) -> Json:
        return self._asks("GET", f"/reservations/{stay['reservation_id']}")

    # -- ways of paying

    def from_wallet(self, stay: Json, extension: Json | None) -> None:
        """Filled by a new card where it holds too little."""
        price = (extension or stay)["price"]["amount"]
        if self._asks("GET", "/wallet")["balance"] < price:
            self.deposits()
        self._asks("POST", "/payments", _wish(stay, extension, method="WALLET"), status=HTTPStatus.CREATED)

    def by_new_card(self, stay: Json, extension: Json | None, card: str = VISA) -> None:
        """Typed into the PaymentSheet."""
        form = self._asks("POST", "/payments", _wish(stay, extension), status=HTTPStatus.CREATED)
        self._types_in(form["client_secret"], card)

    def by_3d_secure(self, stay: Json, extension: Json | None) -> None:
        """A new card whose bank asks the driver."""
        self.by_new_card(stay, extension, ASKS_3D_SECURE)

    def by_saved_card(self, stay: Json, extension: Json | None, card: str = VISA) -> None:
        """Saved first, then charged."""
        wish = _wish(stay, extension, payment_method_id=self._saves(card))
        payment = self._asks("POST", "/payments", wish, status=HTTPStatus.CREATED)
        if payment["status"] == "REQUIRES_ACTION":
            self._passes_3d_secure(payment["client_secret"])

    def by_saved_card_with_3d_secure(self, stay: Json, extension: Json | None) -> None:
        """A saved card whose bank asks each time."""
        self.by_saved_card(stay, extension, ALWAYS_ASKS_3D_SECURE)

    # -- mishaps before the payment

    def is_declined(self, stay: Json) -> None:
        """The new card has no funds; the form stays open until another way of paying takes its place."""
        form = self._asks("POST", "/payments", _wish(stay, None), status=HTTPStatus.CREATED)
        declined = confirm_payment(self._stack.stripe_api_base, form["client_secret"], payment_method=WITHOUT_FUNDS)
        _expect(HTTPStatus.PAYMENT_REQUIRED, declined)

    def is_declined_with_saved_card(self, stay: Json) -> None:
        """402, and the hold stands."""
        wish = _wish(stay, None, payment_method_id=self._saves(DECLINED_WHEN_CHARGED))
        self._asks("POST", "/payments", wish, status=HTTPStatus.PAYMENT_REQUIRED)

    def fails_3d_secure(self, stay: Json) -> None:
        """The driver cannot prove who it is."""
        form = self._asks("POST", "/payments", _wish(stay, None), status=HTTPStatus.CREATED)
        base, secret = self._stack.stripe_api_base, form["client_secret"]
        _expect(HTTPStatus.OK, confirm_payment(base, secret, payment_method=ASKS_3D_SECURE))
        _expect(HTTPStatus.OK, finish_3d_secure(base, secret, success=False))

    def leaves_form_open(self, stay: Json) -> None:
        """The PaymentSheet is closed without a card."""
        self._asks("POST", "/payments", _wish(stay, None), status=HTTPStatus.CREATED)

    # -- the wallet

    def deposits(self) -> None:
        """By a new card; returns when the wallet has it."""
        deposit = self._asks("POST", "/wallet/deposits", {"amount": DEPOSIT_MINOR}, status=HTTPStatus.CREATED)
        self._types_in(deposit["client_secret"], VISA)
        path = f"/payments/{deposit['payment_id']}"
        self._awaits(lambda: self._asks("GET", path)["status"] == "SUCCEEDED", "the deposit")

    def withdraws(self) -> None:
        """Some of it, back to the card."""
        if self._asks("GET", "/wallet")["withdrawable_today"] < WITHDRAWAL_MINOR:
            self.deposits()
        self._asks("POST", "/wallet/withdrawals", {"amount": WITHDRAWAL_MINOR}, status=HTTPStatus.CREATED)

    # -- the phone

    def _saves(self, card: str) -> str:
        known = {one["payment_method_id"] for one in self._asks("GET", "/payment-methods")["items"]}
        setup = self._asks("POST", "/payment-methods/setup", status=HTTPStatus.CREATED)
        saved = _expect(
            HTTPStatus.OK, save_card(self._stack.stripe_api_base, setup["client_secret"], payment_method=card)
        )
        if saved["status"] == "requires_action":
            self._passes_3d_secure(setup["client_secret"])
        new: list[str] = []

        def listed() -> bool:
            items = self._asks("GET", "/payment-methods")["items"]
            new[:] = [one["payment_method_id"] for one in items if one["payment_method_id"] not in known]
            return bool(new)

        self._awaits(listed, "the saved card")
        return new[0]

    def _types_in(self, client_secret: str, card: str) -> None:
        paid = _expect(HTTPStatus.OK, confirm_payment(self._stack.stripe_api_base, client_secret, payment_method=card))
        if paid["status"] == "requires_action":
            self._passes_3d_secure(client_secret)

    def _passes_3d_secure(self, client_secret: str) -> None:
        _expect(HTTPStatus.OK, finish_3d_secure(self._stack.stripe_api_base, client_secret, success=True))

    # -- the API

    def _asks(self, method: str, path: str, body: Json | None = None, *, status: int = HTTPStatus.OK) -> Json:
        return _expect(status, self.driver.request(method, path, body))

    def _all(self, path: str) -> list[Json]:
        items: list[Json] = []
        cursor = ""
        while True:
            page = self._asks("GET", f"{path}?limit=100{cursor}")
            items += page["items"]
            if page["next_cursor"] is None:
                return items
            cursor = f"&cursor={page['next_cursor']}"

    def _awaits(self, condition: Callable[[], bool], what: str) -> None:
        wait_until(condition, what, timeout_seconds=WAIT_SECONDS_MAX, poll_seconds=0.1)


def _wish(stay: Json, extension: Json | None, **how: str) -> Json:
    wish = {"reservation_id": stay["reservation_id"], "method": "CARD"} | how
    return wish | {"extension_id": extension["extension_id"]} if extension else wish


def _expect(status: int, answer: httpx.Response) -> Json:
    if answer.status_code != status:
        request = f"{answer.request.method} {answer.request.url.path}"
        raise LocalError(f"{request} answered {answer.status_code}, not {int(status)}: {answer.text[:500]}")
    body: Json = answer.json()
    return body


def _utc(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


PAYING_STEPS: dict[str, Callable[[Traveller, Json, Json | None], None]] = {
    "wallet": Traveller.from_wallet,
    "new card": Traveller.by_new_card,
    "saved card": Traveller.by_saved_card,
    "3-D Secure": Traveller.by_3d_secure,
    "saved card with 3-D Secure": Traveller.by_saved_card_with_3d_secure,
}
MISHAP_STEPS: dict[str, Callable[[Traveller, Json], None]] = {
    "none": lambda _traveller, _stay: None,
    "card declined": Traveller.is_declined,
    "saved card declined": Traveller.is_declined_with_saved_card,
    "3-D Secure failed": Traveller.fails_3d_secure,
    "form left open": Traveller.leaves_form_open,
}
BESIDES_STEPS: dict[str, Callable[[Traveller], None]] = {
    "nothing": lambda _traveller: None,
    "deposit": Traveller.deposits,
    "withdrawal": Traveller.withdraws,
}
