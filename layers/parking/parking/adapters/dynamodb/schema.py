"""Which table, model and keys belong to which aggregate."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from pynamodb.connection.base import MetaTable
from pynamodb.constants import (
    ATTR_DEFINITIONS,
    ATTR_NAME,
    ATTR_TYPE,
    GLOBAL_SECONDARY_INDEXES,
    INDEX_NAME,
    KEY_SCHEMA,
    KEY_TYPE,
    STRING,
    TABLE_NAME,
)
from pynamodb.types import HASH, RANGE

from parking.adapters.dynamodb import (
    audit,
    blockers,
    calendars,
    customers,
    due,
    enrolments,
    favourites,
    money,
    notifications,
    payments,
    preferences,
    reservations,
    spots,
)
from parking.adapters.dynamodb.attributes import VersionedModel
from parking.adapters.dynamodb.stored_item import StoredItem
from parking.adapters.dynamodb.tables import Tables
from parking.domain.audit import AuditEntry
from parking.domain.blocker import Blocker
from parking.domain.calendar import CalendarDay
from parking.domain.customer import Customer
from parking.domain.enrolment import Enrolment
from parking.domain.favourites import Favourites
from parking.domain.ledger import Transaction, Wallet
from parking.domain.notification import EndpointOwner, Notification, PushDevice
from parking.domain.payment import Payment
from parking.domain.preferences import NotificationPreferences
from parking.domain.reservation import Reservation
from parking.domain.spot import Spot
from parking.services.ports import Aggregate

BY_CREATED = "by_created"


@dataclass(frozen=True, slots=True)
class Shape[A: Aggregate]:
    """How one kind of aggregate is stored. Keys of tables and indexes are all strings."""

    model: type[VersionedModel]
    item_of: Callable[[A], VersionedModel]
    aggregate_of: Callable[[Any], A]
    key_names: tuple[str, ...]
    """The hash key and, where there is one, the range key."""
    indexes: dict[str, str]
    """The hash key of each index."""

    def item(self, aggregate: A) -> dict[str, Any]:
        """The aggregate's item with its next version, in DynamoDB's JSON."""
        model = self.item_of(aggregate)
        model.version = aggregate.version + 1
        return model.serialize()

    def aggregate(self, item: dict[str, Any]) -> A:
        """The aggregate of such an item."""
        return self.aggregate_of(StoredItem(self.model, item))

    def meta_table(self, table_name: str) -> MetaTable:
        """What PynamoDB's connection has to know of the table."""
        return MetaTable(
            {
                TABLE_NAME: table_name,
                KEY_SCHEMA: [
                    {ATTR_NAME: name, KEY_TYPE: role} for name, role in zip(self.key_names, (HASH, RANGE), strict=False)
                ],
                ATTR_DEFINITIONS: [
                    {ATTR_NAME: name, ATTR_TYPE: STRING} for name in (*self.key_names, *self.indexes.values())
                ],
                GLOBAL_SECONDARY_INDEXES: [
                    {INDEX_NAME: name, KEY_SCHEMA: [{ATTR_NAME: hash_key, KEY_TYPE: HASH}]}
                    for name, hash_key in self.indexes.items()
                ],
            }
        )


_SHAPES: dict[type[Any], Shape[Any]] = {
    Spot: Shape(spots.SpotModel, spots.item_of, spots.spot_of, ("spot_id",), {spots.BY_CELL: "region"}),
    CalendarDay: Shape(calendars.CalendarDayModel, calendars.item_of, calendars.day_of, ("spot_id", "day"), {}),
    Reservation: Shape(
        reservations.ReservationModel,
        reservations.item_of,
        reservations.reservation_of,
        ("user_id", "reservation_id"),
        {due.DUE: "due_shard", BY_CREATED: "user_id"},
    ),
    Payment: Shape(
        payments.PaymentModel,
        payments.item_of,
        payments.payment_of,
        ("user_id", "payment_id"),
        {due.DUE: "due_shard", BY_CREATED: "user_id"},
    ),
    Wallet: Shape(money.WalletModel, money.wallet_item_of, money.wallet_of, ("user_id",), {due.DUE: "due_shard"}),
    Transaction: Shape(
        money.TransactionModel,
        money.transaction_item_of,
        money.transaction_of,
        ("user_id", "transaction_id"),
        {money.BY_STRIPE_DAY: "stripe_day"},
    ),
    Customer: Shape(customers.CustomerModel, customers.item_of, customers.customer_of, ("user_id",), {}),
    Notification: Shape(
        notifications.NotificationModel,
        notifications.notification_item_of,
        notifications.notification_of,
        ("user_id", "notification_id"),
        {},
    ),
    PushDevice: Shape(
        notifications.PushDeviceModel,
        notifications.push_device_item_of,
        notifications.push_device_of,
        ("user_id", "device_id"),
        {},
    ),
    EndpointOwner: Shape(
        notifications.EndpointOwnerModel,
        notifications.endpoint_owner_item_of,
        notifications.endpoint_owner_of,
        ("endpoint",),
        {},
    ),
    NotificationPreferences: Shape(
        preferences.NotificationPreferencesModel, preferences.item_of, preferences.preferences_of, ("user_id",), {}
    ),
    Blocker: Shape(
        blockers.BlockerModel,
        blockers.item_of,
        blockers.blocker_of,
        ("blocker_id",),
        {due.DUE: "due_shard", blockers.BY_HEALTH: "health_shard"},
    ),
    Favourites: Shape(favourites.FavouritesModel, favourites.item_of, favourites.favourites_of, ("user_id",), {}),
    AuditEntry: Shape(audit.AuditModel, audit.item_of, audit.entry_of, ("blocker_id", "entry_id"), {}),
    Enrolment: Shape(enrolments.EnrolmentModel, enrolments.item_of, enrolments.enrolment_of, ("blocker_id",), {}),
}


def shape_of[A: Aggregate](kind: type[A]) -> Shape[A]:
    """How this kind is stored."""
    return cast(Shape[A], _SHAPES[kind])


def table_names(tables: Tables) -> dict[type[Any], str]:
    """The table of each kind."""
    return {
        Spot: tables.spots,
        CalendarDay: tables.calendars,
        Reservation: tables.reservations,
        Payment: tables.payments,
        Wallet: tables.wallets,
        Transaction: tables.transactions,
        Customer: tables.payment_methods,
        Notification: tables.notifications,
        PushDevice: tables.push_devices,
        EndpointOwner: tables.endpoint_owners,
        NotificationPreferences: tables.notification_preferences,
        Blocker: tables.blockers,
        Favourites: tables.favourites,
        AuditEntry: tables.audit,
        Enrolment: tables.enrolments,
    }
