"""A running system: what others need to know to use it, and how tests and the demo act on it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from local import cloud
from local.drivers import Account, Accounts, Driver, confirm_payment
from local.errors import LocalError
from local.waiting import wait_until

DEPOSIT_SECONDS_MAX = 30


@dataclass(frozen=True)
class Stack:
    """Addresses and names of a running system. `outputs` are those of template.yaml."""

    api_url: str
    aws_endpoint_url: str
    region: str
    stack_name: str
    user_pool_id: str
    user_pool_client_id: str
    stripe_api_base: str
    mqtt_host: str
    mqtt_port: int
    lat: float
    lon: float
    simulator_url: str
    sns_record_url: str
    users: tuple[Account, ...]
    outputs: dict[str, str]
    folder: Path

    def document(self) -> dict[str, Any]:
        """What stack.json tells app developers."""
        return {
            "api_url": self.api_url,
            "aws_endpoint_url": self.aws_endpoint_url,
            "region": self.region,
            "stack_name": self.stack_name,
            "user_pool_id": self.user_pool_id,
            "user_pool_client_id": self.user_pool_client_id,
            "stripe_api_base": self.stripe_api_base,
            "mqtt_host": self.mqtt_host,
            "mqtt_port": self.mqtt_port,
            "lat": self.lat,
            "lon": self.lon,
            "simulator_url": self.simulator_url,
            "sns_record_url": self.sns_record_url,
            "users": [{"email": user.email, "password": user.password} for user in self.users],
        }

    def client(self, service: Any) -> Any:
        """A boto3 client as the account's root: for what operators and tests do."""
        return cloud.client(service, self.aws_endpoint_url)

    @property
    def accounts(self) -> Accounts:
        return Accounts(aws_endpoint_url=self.aws_endpoint_url, region=self.region, client_id=self.user_pool_client_id)

    def driver(self, account: Account) -> Driver:
        """Log in and act as this driver."""
        return Driver(self.api_url, self.accounts.log_in(account))

    def new_driver(self, account: Account) -> Driver:
        """Sign up, log in and act as a new driver."""
        self.accounts.sign_up(account)
        return self.driver(account)

    def deposit(self, driver: Driver, amount_minor: int) -> None:
        """Put money into a driver's wallet by card, as the app does; LocalError when it is refused or never comes."""
        before = _balance_minor(driver)
        asked = driver.post("/wallet/deposits", {"amount": amount_minor})
        if asked.status_code != httpx.codes.CREATED:
            raise LocalError(f"POST /wallet/deposits answered {asked.status_code}: {asked.text}")
        confirm_payment(self.stripe_api_base, asked.json()["client_secret"]).raise_for_status()
        wait_until(
            lambda: _balance_minor(driver) >= before + amount_minor,
            "the deposit to reach the wallet",
            timeout_seconds=DEPOSIT_SECONDS_MAX,
        )


def _balance_minor(driver: Driver) -> int:
    answer = driver.get("/wallet")
    if answer.status_code != httpx.codes.OK:
        raise LocalError(f"GET /wallet answered {answer.status_code}: {answer.text}")
    balance: int = answer.json()["balance"]
    return balance
