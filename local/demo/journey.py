"""What one act of the story hands to the next."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from local.demo.cast import Machine, Person
from local.demo.narrator import Narrator
from local.demo.words import clock
from local.stack import Stack


@dataclass(frozen=True, kw_only=True)
class Journey:
    """Two drivers, one spot, and Anna's stay at it. Amounts in minor units; `spot` is as the search found it.

    `paid_minor` is what Anna has paid in all, `wallet_minor` what her wallet holds.
    """

    stack: Stack
    tell: Narrator
    anna: Person
    boris: Person
    spot: dict[str, Any]
    machine: Machine
    reservation_id: str
    began_at: datetime
    ends_at: datetime
    paid_minor: int
    wallet_minor: int

    @property
    def stay(self) -> str:
        """The path of Anna's reservation."""
        return f"/reservations/{self.reservation_id}"

    def local(self, instant: str) -> str:
        """The time of day at the spot."""
        return clock(instant, self.spot["time_zone"])

    def status(self) -> str:
        """The status of Anna's reservation as her app shows it now."""
        status: str = self.anna.reservation(self.reservation_id)["status"]
        return status

    def until(self, ends_at: datetime, paid_minor: int) -> "Journey":
        """The journey with a later end, and more paid for it."""
        return replace(self, ends_at=ends_at, paid_minor=paid_minor)
