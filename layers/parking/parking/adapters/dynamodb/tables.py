"""The names of the tables, as the template gave them to the function."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """One table per aggregate (design, section 5)."""

    spots: str
    calendars: str
    reservations: str
    payments: str
    wallets: str
    transactions: str
    payment_methods: str
    notifications: str
    push_devices: str
    endpoint_owners: str
    notification_preferences: str
    blockers: str
    favourites: str
    audit: str
    enrolments: str
