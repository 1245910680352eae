"""Any aggregate that the domain allows."""

from dataclasses import fields
from datetime import UTC, datetime, time, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from parking.domain.audit import Action, AuditEntry, Word
from parking.domain.blocker import (
    Blocker,
    Command,
    CommandStatus,
    Connectivity,
    Occupancy,
    Override,
    Position,
    RejectReason,
    Report,
    Result,
)
from parking.domain.calendar import CalendarDay, Claim
from parking.domain.customer import Customer, PaymentMethod
from parking.domain.enrolment import Enrolment
from parking.domain.evidence import Evidence, Log
from parking.domain.favourites import Favourites
from parking.domain.health import Condition, Health, Symptom, Watch
from parking.domain.ids import (
    BlockerId,
    CommandId,
    DeviceId,
    ExtensionId,
    NotificationId,
    PaymentId,
    RefundId,
    ReservationId,
    SpotId,
    TransactionId,
    UserId,
)
from parking.domain.ledger import DayTotal, Debt, Deposited, Entry, Transaction, TransactionKind, Wallet
from parking.domain.notification import EndpointOwner, Notification, NotificationKind, Platform, PushDevice
from parking.domain.payment import (
    Dispute,
    DisputeStatus,
    Method,
    Payment,
    PaymentStatus,
    Purpose,
    Refund,
    RefundStatus,
)
from parking.domain.preferences import NotificationPreferences
from parking.domain.reservation import (
    EndReason,
    Extension,
    ExtensionStatus,
    Moved,
    Overstay,
    Reservation,
    ReservationStatus,
)
from parking.domain.spot import Location, ServiceState, Spot
from parking.domain.tariff import Band, OverstayTerms, PriceLine, Quote, Tariff, Weekday
from parking.domain.time import Interval
from parking.services.ports import Aggregate


def _whole[A](kind: type[A], /, **parts: SearchStrategy[Any]) -> SearchStrategy[A]:
    """Instances whose every field is drawn, so that a field which the domain gains cannot be forgotten here."""
    missing = {field.name for field in fields(kind)} - {"version"} - set(parts)  # type: ignore[arg-type]  # dataclasses
    assert not missing, f"{kind.__name__} has fields that no test draws: {missing}"
    return st.builds(kind, **parts)


instants = st.timedeltas(timedelta(0), timedelta(days=365_000)).map(
    lambda since: datetime(1970, 1, 1, tzinfo=UTC) + since
)
amounts_minor = st.integers(-(10**17), 10**17)  # more than a float holds
counts = st.integers(0, 10**9)
texts = st.text(max_size=30)
ids = st.text("abcdefghijklmnopqrstuvwxyz0123456789_-", min_size=1, max_size=40)
intervals = st.builds(
    lambda starts_at, minutes: Interval(starts_at, starts_at + timedelta(minutes=minutes)),
    instants,
    st.integers(1, 7 * 24 * 60),
)
locations = st.builds(
    lambda latitude, longitude: Location(round(latitude, 9), round(longitude, 9)),
    st.floats(-90, 90),
    st.floats(-180, 180),
)
quotes = st.builds(
    Quote,
    st.lists(st.builds(PriceLine, texts, amounts_minor), max_size=3).map(tuple),
    amounts_minor,
    st.just("EUR"),
    counts,
)
overstay_terms = _whole(OverstayTerms, price_per_hour_minor=amounts_minor, cap_minor=amounts_minor, step_minutes=counts)
clock_times = st.builds(time, st.integers(0, 23), st.integers(0, 59))
bands = _whole(
    Band,
    name=texts,
    weekdays=st.frozensets(st.sampled_from(Weekday), min_size=1),
    start_time=clock_times,
    end_time=clock_times,
    price_per_hour_minor=amounts_minor,
)
tariffs = _whole(
    Tariff,
    price_per_hour_minor=amounts_minor,
    currency=texts,
    step_minutes=counts,
    minimum_minutes=counts,
    bands=st.lists(bands, max_size=3).map(tuple),
    daily_cap_minor=st.none() | amounts_minor,
    overstay_price_per_hour_minor=st.none() | amounts_minor,
    overstay_cap_minor=st.none() | amounts_minor,
    tax_included=st.booleans(),
    version=counts,
)

spots = _whole(
    Spot,
    spot_id=ids.map(SpotId),
    name=texts,
    address=texts,
    location=locations,
    time_zone=texts,
    tariff=tariffs,
    blocker_id=ids.map(BlockerId),
    turnover_minutes=counts,
    idle_position=st.sampled_from(Position),
    service_state=st.sampled_from(ServiceState),
)
claims = _whole(
    Claim, user_id=ids.map(UserId), reservation_id=ids.map(ReservationId), stay=intervals, blocked_until=instants
)
calendar_days = _whole(
    CalendarDay, spot_id=ids.map(SpotId), day=st.dates(), claims=st.lists(claims, max_size=5).map(tuple)
)
extensions = _whole(
    Extension,
    extension_id=ids.map(ExtensionId),
    previous_ends_at=instants,
    ends_at=instants,
    quote=quotes,
    status=st.sampled_from(ExtensionStatus),
    hold_expires_at=instants,
    payment_id=st.none() | ids.map(PaymentId),
    card_payment_id=st.none() | ids.map(PaymentId),
    fingerprint=texts,
    created_at=instants,
)
overstays = _whole(
    Overstay,
    quote=quotes,
    payment_id=st.none() | ids.map(PaymentId),
    card_payment_id=st.none() | ids.map(PaymentId),
)
evidence = _whole(
    Evidence,
    command_id=ids.map(CommandId),
    position=st.sampled_from(Position),
    asked_at=instants,
    expires_at=instants,
    status=st.sampled_from(CommandStatus),
    ended_at=st.none() | instants,
    answer=st.none() | st.sampled_from(Result),
    reason=st.none() | st.sampled_from(RejectReason),
    answered_at=st.none() | instants,
)
logs = _whole(Log, entries=st.lists(evidence, max_size=3).map(tuple), left_out=counts)
moves = _whole(
    Moved,
    at=instants,
    booked_spot_id=ids.map(SpotId),
    booked_spot_name=texts,
    booked_time_zone=texts,
    left_blocker_id=ids.map(BlockerId),
)
reservations = _whole(
    Reservation,
    user_id=ids.map(UserId),
    reservation_id=ids.map(ReservationId),
    spot_id=ids.map(SpotId),
    spot_name=texts,
    time_zone=texts,
    blocker_id=ids.map(BlockerId),
    turnover_minutes=counts,
    vehicle_plate=st.none() | texts,
    starts_at=instants,
    ends_at=instants,
    booked_ends_at=instants,
    quote=quotes,
    overstay_terms=overstay_terms,
    tax_included=st.booleans(),
    status=st.sampled_from(ReservationStatus),
    reason=st.none() | st.sampled_from(EndReason),
    hold_expires_at=instants,
    payment_id=st.none() | ids.map(PaymentId),
    card_payment_id=st.none() | ids.map(PaymentId),
    extensions=st.lists(extensions, max_size=3).map(tuple),
    guard_due_at=st.none() | instants,
    guard_by=st.none() | instants,
    guard_failed_at=st.none() | instants,
    unserved_at=st.none() | instants,
    arrival_failed_at=st.none() | instants,
    told_end=st.none() | instants,
    tell_taken_at=st.none() | instants,
    told_taken=st.none() | instants,
    finish_due_at=st.none() | instants,
    arrival_requested_at=st.none() | instants,
    arrived_at=st.none() | instants,
    overstayed_since=st.none() | instants,
    told_occupied_at=st.none() | instants,
    displaced_at=st.none() | instants,
    moved=st.none() | moves,
    ended_at=st.none() | instants,
    overstay=st.none() | overstays,
    evidence=logs,
    fingerprint=texts,
    created_at=instants,
)
refunds = _whole(
    Refund,
    refund_id=ids.map(RefundId),
    source_id=ids.map(PaymentId),
    intent_id=ids,
    amount_minor=amounts_minor,
    status=st.sampled_from(RefundStatus),
    stripe_id=st.none() | ids,
    refused=st.none() | texts,
    requested_at=instants,
    arrived_at=st.none() | instants,
    diverted_at=st.none() | instants,
)
disputes = _whole(
    Dispute,
    stripe_id=ids,
    amount_minor=amounts_minor,
    from_wallet_minor=amounts_minor,
    status=st.sampled_from(DisputeStatus),
    opened_at=instants,
)
payments = _whole(
    Payment,
    user_id=ids.map(UserId),
    payment_id=ids.map(PaymentId),
    purpose=st.sampled_from(Purpose),
    method=st.sampled_from(Method),
    amount_minor=amounts_minor,
    currency=texts,
    status=st.sampled_from(PaymentStatus),
    reservation_id=st.none() | ids.map(ReservationId),
    extension_id=st.none() | ids.map(ExtensionId),
    customer_id=st.none() | ids,
    payment_method_id=st.none() | ids,
    off_session=st.booleans(),
    intent_id=st.none() | ids,
    failure_code=st.none() | ids,
    first_status=st.none() | st.sampled_from(PaymentStatus),
    refunded_minor=amounts_minor,
    refunds=st.lists(refunds, max_size=3).map(tuple),
    dispute=st.none() | disputes,
    settle_due_at=st.none() | instants,
    fingerprint=texts,
    created_at=instants,
)
day_totals = _whole(DayTotal, day=st.dates(), amount_minor=amounts_minor)
wallets = _whole(
    Wallet,
    user_id=ids.map(UserId),
    currency=texts,
    balance_minor=amounts_minor,
    deposits=st.lists(_whole(Deposited, payment_id=ids.map(PaymentId), left_minor=amounts_minor), max_size=3).map(
        tuple
    ),
    deposited=st.none() | day_totals,
    withdrawn=st.none() | day_totals,
    debts=st.lists(
        _whole(Debt, reservation_id=ids.map(ReservationId), amount_minor=amounts_minor, since=instants), max_size=3
    ).map(tuple),
    closed_at=st.none() | instants,
    erased_at=st.none() | instants,
    erase_due_at=st.none() | instants,
)
payment_methods = _whole(
    PaymentMethod,
    payment_method_id=ids,
    brand=texts,
    last4=texts,
    expires_month=counts,
    expires_year=counts,
    added_at=instants,
)
customers = _whole(
    Customer,
    user_id=ids.map(UserId),
    customer_id=ids,
    payment_methods=st.lists(payment_methods, max_size=10).map(tuple),
    default_id=st.none() | ids,
)
transactions = _whole(
    Transaction,
    user_id=ids.map(UserId),
    transaction_id=ids.map(TransactionId),
    kind=st.sampled_from(TransactionKind),
    entries=st.builds(lambda debit, credit, n: (Entry(debit, -n), Entry(credit, n)), texts, texts, amounts_minor),
    currency=texts,
    payment_id=ids.map(PaymentId),
    reservation_id=st.none() | ids.map(ReservationId),
    stripe_id=st.none() | ids,
    created_at=instants,
)
notifications = _whole(
    Notification,
    user_id=ids.map(UserId),
    notification_id=ids.map(NotificationId),
    kind=st.sampled_from(NotificationKind),
    data=st.dictionaries(texts, texts, max_size=4),
    created_at=instants,
    read_at=st.none() | instants,
)
push_devices = _whole(
    PushDevice,
    user_id=ids.map(UserId),
    device_id=ids.map(DeviceId),
    platform=st.sampled_from(Platform),
    token=texts,
    locale=st.none() | texts,
    endpoint=st.none() | texts,
)
endpoint_owners = _whole(EndpointOwner, endpoint=ids, user_id=ids.map(UserId), device_id=ids.map(DeviceId))
preferences = _whole(
    NotificationPreferences,
    user_id=ids.map(UserId),
    locale=st.none() | texts,
    muted=st.frozensets(st.sampled_from(NotificationKind)),
)
reports = _whole(
    Report,
    position=st.sampled_from(Position),
    occupancy=st.sampled_from(Occupancy),
    command_id=st.none() | ids.map(CommandId),
    result=st.none() | st.sampled_from(Result),
    reason=st.none() | st.sampled_from(RejectReason),
    battery_percent=st.none() | counts,
    tamper=st.booleans(),
    manual_override=st.booleans(),
    firmware=st.none() | texts,
    at=st.none() | instants,
    opened_for=st.none() | ids.map(ReservationId),
    opened_at=st.none() | instants,
    received_at=instants,
)
commands = _whole(
    Command,
    command_id=ids.map(CommandId),
    position=st.sampled_from(Position),
    user_id=st.none() | ids.map(UserId),
    reservation_id=st.none() | ids.map(ReservationId),
    created_at=instants,
    expires_at=instants,
    status=st.sampled_from(CommandStatus),
    ended_at=st.none() | instants,
    answer=st.none() | st.sampled_from(Result),
    reason=st.none() | st.sampled_from(RejectReason),
    answered_at=st.none() | instants,
)
overrides = _whole(
    Override, position=st.sampled_from(Position), operator=texts, reason=texts, since=instants, until=instants
)
symptoms = _whole(Symptom, condition=st.sampled_from(Condition), since=instants)
watches = _whole(
    Watch,
    health=st.sampled_from(Health),
    conditions=st.frozensets(st.sampled_from(Condition)),
    told_at=st.none() | instants,
    symptoms=st.lists(symptoms, max_size=3).map(tuple),
    due_at=st.none() | instants,
)
favourites = _whole(Favourites, user_id=ids.map(UserId), spot_ids=st.lists(ids.map(SpotId), max_size=5).map(tuple))
audit_entries = _whole(
    AuditEntry,
    blocker_id=ids.map(BlockerId),
    entry_id=ids,
    action=st.sampled_from(Action),
    word=_whole(Word, operator=texts, reason=texts, request_id=ids, at=instants),
    change=texts,
)
enrolments = _whole(
    Enrolment,
    blocker_id=ids.map(BlockerId),
    code_digest=st.none() | ids,
    code_expires_at=st.none() | instants,
    admitted_certificate_id=st.none() | ids,
    next_certificate_id=st.none() | ids,
    connected_with=st.none() | ids,
    connected_at=st.none() | instants,
)
blockers = _whole(
    Blocker,
    blocker_id=ids.map(BlockerId),
    spot_id=ids.map(SpotId),
    certificate_id=st.none() | texts,
    connectivity=st.sampled_from(Connectivity),
    presence_at=st.none() | instants,
    presence_version=st.integers(-1, 10**9),
    shadow_version=counts,
    report=st.none() | reports,
    command=st.none() | commands,
    history=st.lists(commands, max_size=10).map(tuple),
    commands_sent=counts,
    override=st.none() | overrides,
    watch=watches,
)
AGGREGATES: dict[str, SearchStrategy[Aggregate]] = {
    "spot": spots,
    "calendar day": calendar_days,
    "reservation": reservations,
    "payment": payments,
    "wallet": wallets,
    "customer": customers,
    "transaction": transactions,
    "notification": notifications,
    "push device": push_devices,
    "endpoint owner": endpoint_owners,
    "preferences": preferences,
    "blocker": blockers,
    "favourites": favourites,
    "audit entry": audit_entries,
    "enrolment": enrolments,
}
