"""A driver who has one of everything, for the tests that ask whether others can reach it."""

import uuid
from dataclasses import dataclass
from datetime import timedelta

from local.drivers import Driver
from tests.e2e.cards import saved_card, saved_cards
from tests.e2e.stays import everything, paid
from tests.e2e.world import Json, Spot, World, expect


@dataclass(frozen=True)
class Owned:
    """The driver, and the ids of the things by the names that the document's paths give them."""

    driver: Driver
    ids: dict[str, str]

    def seen(self) -> list[Json]:
        """All that the driver sees of it."""
        lists = ("/reservations", "/payments", "/notifications", "/wallet/transactions")
        listed = [one for path in lists for one in everything(self.driver, path)]
        return [*listed, *saved_cards(self.driver), self.driver.get("/wallet").json()]


def one_of_everything(world: World, driver: Driver, spot: Spot) -> Owned:
    """A confirmed reservation, its payment, a saved card, a notification, a phone and a favourite."""
    stay = paid(driver, spot, begins_in=timedelta(hours=2))
    device_id = uuid.uuid4().hex
    expect(200, driver.request("PUT", f"/push-devices/{device_id}", {"platform": "APNS", "token": "the-owner-s-token"}))
    expect(200, driver.request("PUT", f"/favourites/{spot.spot_id}"))
    return Owned(
        driver,
        {
            "reservation_id": stay["reservation_id"],
            "payment_id": stay["payments"][0]["payment_id"],
            "payment_method_id": saved_card(world, driver),
            "notification_id": everything(driver, "/notifications")[0]["notification_id"],
            "device_id": device_id,
            "spot_id": spot.spot_id,
        },
    )
