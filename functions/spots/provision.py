"""Operators put a spot, its blocker and the blocker's certificate on the map: `sam remote invoke ProvisionSpot`."""

from datetime import time
from itertools import combinations
from typing import Annotated, Any
from zoneinfo import available_timezones

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from invocation import invoked_at
from pydantic import AfterValidator, Field, field_validator, model_validator

from parking import wiring
from parking.domain.blocker import Position
from parking.domain.ids import BlockerId, SpotId
from parking.domain.spot import Location, ServiceState, Spot
from parking.domain.tariff import Band, Tariff, Weekday
from parking.forms import In
from parking.operators import new_code, operator_input
from parking.services import spots

logger = Logger()

_MINUTES_PER_HOUR = 60


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("is not an IANA time zone")
    return name


LocalTime = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
"""The wall clock at the spot: 08:00. Midnight is 00:00 as a start and as an end."""


class BandIn(In):
    """Hours of the week with a price of their own, 0 for free. An end at or before the start is on the next day."""

    name: Annotated[str, Field(min_length=1, max_length=40)]
    weekdays: Annotated[frozenset[Weekday], Field(min_length=1)] = frozenset(Weekday)
    start_time: LocalTime
    end_time: LocalTime
    price_per_hour_minor: Annotated[int, Field(ge=0, le=1_000_000)]

    def band(self) -> Band:
        """The band in the domain's words."""
        return Band(
            self.name,
            self.weekdays,
            time.fromisoformat(self.start_time),
            time.fromisoformat(self.end_time),
            self.price_per_hour_minor,
        )


class TariffIn(In):
    """Prices in minor units; a step must cost at least one, and in a band that is not free too."""

    price_per_hour_minor: Annotated[int, Field(gt=0, le=1_000_000)]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    step_minutes: Annotated[int, Field(ge=1, le=1440)] = 15
    minimum_minutes: Annotated[int, Field(ge=1, le=10_080)] = 15
    bands: Annotated[tuple[BandIn, ...], Field(max_length=12)] = ()
    daily_cap_minor: Annotated[int | None, Field(gt=0, le=10_000_000)] = None
    overstay_price_per_hour_minor: Annotated[int | None, Field(ge=0, le=1_000_000)] = None
    overstay_cap_minor: Annotated[int | None, Field(ge=0, le=10_000_000)] = None
    tax_included: bool = True

    @field_validator("bands")
    @classmethod
    def _lie_beside_each_other(cls, bands: tuple[BandIn, ...]) -> tuple[BandIn, ...]:
        for one, other in combinations(bands, 2):
            if one.name == other.name:
                raise ValueError(f"two bands are called {one.name}")
            if one.band().overlaps(other.band()):
                raise ValueError(f"{one.name} and {other.name} overlap")
        return bands

    @model_validator(mode="after")
    def _sells_something(self) -> "TariffIn":
        hours_minor = [self.price_per_hour_minor, *(band.price_per_hour_minor for band in self.bands)]
        steps = [hour_minor * self.step_minutes for hour_minor in hours_minor]  # in sixtieths of a minor unit
        if any(0 < step < _MINUTES_PER_HOUR for step in steps):
            raise ValueError("a step must cost at least one minor unit")
        if self.daily_cap_minor is not None and self.daily_cap_minor * _MINUTES_PER_HOUR < max(steps):
            raise ValueError("daily_cap_minor is less than one step costs")
        return self

    def tariff(self) -> Tariff:
        """The tariff in the domain's words."""
        plain = self.model_dump(exclude={"bands"})
        return Tariff(**plain, bands=tuple(band.band() for band in self.bands))


class ProvisionIn(In):
    """A spot as it should be. Giving it again with other values changes it; the id is yours to choose."""

    spot_id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{1,62}$")]
    name: Annotated[str, Field(min_length=1, max_length=100)]
    address: Annotated[str, Field(min_length=1, max_length=200)]
    latitude: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
    longitude: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
    time_zone: Annotated[str, AfterValidator(_known_zone)]
    tariff: TariffIn
    turnover_minutes: Annotated[int, Field(ge=0, le=120)] = 10
    idle_position: Position = Position.LOWERED
    service_state: ServiceState = ServiceState.IN_SERVICE  # of a new spot; later, BlockerCommand changes it
    new_certificate: bool = False
    registration_code: bool = False  # for a new blocker: its device fetches its certificate itself
    check_only: bool = False

    @model_validator(mode="after")
    def _makes_sense(self) -> "ProvisionIn":
        if self.idle_position not in (Position.LOWERED, Position.RAISED):
            raise ValueError("idle_position is LOWERED or RAISED")
        if self.new_certificate and self.registration_code:
            raise ValueError("new_certificate and registration_code exclude each other")
        return self

    def spot(self) -> Spot:
        """The spot in the domain's words. Each spot has the blocker of its name."""
        return Spot(
            spot_id=SpotId(self.spot_id),
            name=self.name,
            address=self.address,
            location=Location(self.latitude, self.longitude),
            time_zone=self.time_zone,
            tariff=self.tariff.tariff(),
            blocker_id=BlockerId(f"blocker-{self.spot_id}"),
            turnover_minutes=self.turnover_minutes,
            idle_position=self.idle_position,
            service_state=self.service_state,
        )


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """The spot, its blocker, and what a blocker got that is new: certificate, key and secret, or a code; shown once.

    With `check_only`, whether the spot is new, would change, or is as it should be, and nothing is written.
    """
    wish = operator_input(ProvisionIn, event)
    if wish.check_only:
        return {"spot_id": wish.spot_id, "would": spots.foresee(wiring.store(), wish.spot())}
    done = spots.provision(
        wiring.store(),
        wiring.things(),
        wish.spot(),
        new_certificate=wish.new_certificate,
        instead=spots.CodeInstead(new_code(), invoked_at()) if wish.registration_code else None,
    )
    logger.info("spot provisioned", spot_id=wish.spot_id, new_certificate=done.certificate is not None)
    return {
        "spot_id": done.spot.spot_id,
        "blocker_id": done.blocker.blocker_id,
        "certificate_id": done.blocker.certificate_id,
        "certificate_pem": done.certificate.certificate_pem if done.certificate else None,
        "private_key": done.certificate.private_key if done.certificate else None,
        "offline_secret": wiring.entry_codes().secret_of(done.blocker.blocker_id) if done.certificate else None,
        "registration_code": done.code,
    }
