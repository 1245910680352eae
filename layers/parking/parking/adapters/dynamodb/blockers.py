"""Items of the Blockers table."""

import zlib

from pynamodb.attributes import BooleanAttribute, ListAttribute, UnicodeAttribute, UnicodeSetAttribute

from parking.adapters.dynamodb.attributes import (
    EnumAttribute,
    InstantAttribute,
    IntegerAttribute,
    MomentAttribute,
    TypedMap,
    VersionedModel,
)
from parking.adapters.dynamodb.due import DUE_SHARDS, due_shard
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
from parking.domain.health import Condition, Health, Symptom, Watch
from parking.domain.ids import BlockerId, CommandId, ReservationId, SpotId, UserId

BY_HEALTH = "by_health"


def health_shards(health: Health) -> list[str]:
    """Every hash key of the index under which blockers of this health stand: a fleet may fall silent at once."""
    return [f"{health}#{shard}" for shard in range(DUE_SHARDS)]


def _sharded(health: Health, blocker_id: BlockerId) -> str:
    return health_shards(health)[zlib.crc32(blocker_id.encode()) % DUE_SHARDS]


class ReportMap(TypedMap):
    """The last report."""

    position = EnumAttribute(Position, attr_name="p")
    occupancy = EnumAttribute(Occupancy, attr_name="o")
    command_id = UnicodeAttribute(attr_name="c", null=True)
    result = EnumAttribute(Result, attr_name="a", null=True)
    reason = EnumAttribute(RejectReason, attr_name="w", null=True)
    battery_percent = IntegerAttribute(attr_name="b", null=True)
    tamper = BooleanAttribute(attr_name="tp")
    manual_override = BooleanAttribute(attr_name="m")
    firmware = UnicodeAttribute(attr_name="f", null=True)
    at = MomentAttribute(attr_name="t", null=True)
    opened_for = UnicodeAttribute(attr_name="of", null=True)
    opened_at = MomentAttribute(attr_name="ot", null=True)
    received_at = MomentAttribute(attr_name="r")


class CommandMap(TypedMap):
    """A command. Ten past ones stand in an item that every heartbeat rewrites, so the names in it are short.

    c: command_id, p: position, u: user_id, r: reservation_id, t: created_at, x: expires_at, s: status, e: ended_at,
    a: answer, w: why (reason), h: when it was heard (answered_at).
    """

    command_id = UnicodeAttribute(attr_name="c")
    position = EnumAttribute(Position, attr_name="p")
    user_id = UnicodeAttribute(attr_name="u", null=True)
    reservation_id = UnicodeAttribute(attr_name="r", null=True)
    created_at = MomentAttribute(attr_name="t")
    expires_at = MomentAttribute(attr_name="x")
    status = EnumAttribute(CommandStatus, attr_name="s")
    ended_at = MomentAttribute(attr_name="e", null=True)
    answer = EnumAttribute(Result, attr_name="a", null=True)
    reason = EnumAttribute(RejectReason, attr_name="w", null=True)
    answered_at = MomentAttribute(attr_name="h", null=True)


class OverrideMap(TypedMap):
    """An operator's word."""

    position = EnumAttribute(Position)
    operator = UnicodeAttribute()
    reason = UnicodeAttribute()
    since = InstantAttribute()
    until = InstantAttribute()


class SymptomMap(TypedMap):
    """The sign of a condition."""

    condition = EnumAttribute(Condition)
    since = InstantAttribute()


class WatchMap(TypedMap):
    """What operators were told. `due_at` stands in the item itself, for the index."""

    health = EnumAttribute(Health, attr_name="h")
    conditions = UnicodeSetAttribute(attr_name="c", null=True)
    told_at = MomentAttribute(attr_name="t", null=True)
    symptoms: ListAttribute[SymptomMap] = ListAttribute(of=SymptomMap, attr_name="s", null=True)


class BlockerModel(VersionedModel):
    """`due_shard` and `due_at` are absent where nothing is outstanding; `health_shard` is the watch's health."""

    blocker_id = UnicodeAttribute(hash_key=True)
    due_shard = UnicodeAttribute(null=True)
    due_at = InstantAttribute(null=True)
    health_shard = UnicodeAttribute()
    spot_id = UnicodeAttribute(attr_name="s")
    certificate_id = UnicodeAttribute(attr_name="ce", null=True)
    connectivity = EnumAttribute(Connectivity, attr_name="co")
    presence_at = MomentAttribute(attr_name="pa", null=True)
    presence_version = IntegerAttribute(attr_name="pv")
    shadow_version = IntegerAttribute(attr_name="sv")
    report = ReportMap(attr_name="r", null=True)
    command = CommandMap(attr_name="c", null=True)
    history: ListAttribute[CommandMap] = ListAttribute(of=CommandMap, attr_name="h", null=True)
    commands_sent = IntegerAttribute(attr_name="n")
    override = OverrideMap(attr_name="o", null=True)
    watch = WatchMap(attr_name="w")


def item_of(blocker: Blocker) -> BlockerModel:
    """The blocker as it is stored."""
    due, watch = blocker.due, blocker.watch
    return BlockerModel(
        blocker_id=blocker.blocker_id,
        due_shard=due_shard(due.step, blocker.blocker_id) if due else None,
        due_at=due.at if due else None,
        health_shard=_sharded(watch.health, blocker.blocker_id),
        spot_id=blocker.spot_id,
        certificate_id=blocker.certificate_id,
        connectivity=blocker.connectivity,
        presence_at=blocker.presence_at,
        presence_version=blocker.presence_version,
        shadow_version=blocker.shadow_version,
        report=_report_map(blocker.report) if blocker.report else None,
        command=_command_map(blocker.command) if blocker.command else None,
        history=[_command_map(command) for command in blocker.history] or None,
        commands_sent=blocker.commands_sent,
        override=_override_map(blocker.override) if blocker.override else None,
        watch=WatchMap(
            health=watch.health,
            conditions={condition.value for condition in watch.conditions} or None,
            told_at=watch.told_at,
            symptoms=[SymptomMap(condition=one.condition, since=one.since) for one in watch.symptoms] or None,
        ),
        version=blocker.version,
    )


def blocker_of(item: BlockerModel) -> Blocker:
    """The stored blocker."""
    return Blocker(
        blocker_id=BlockerId(item.blocker_id),
        spot_id=SpotId(item.spot_id),
        certificate_id=item.certificate_id,
        connectivity=item.connectivity,
        presence_at=item.presence_at,
        presence_version=item.presence_version,
        shadow_version=item.shadow_version,
        report=_report_of(item.report) if item.report is not None else None,
        command=_command_of(item.command) if item.command is not None else None,
        history=tuple(_command_of(command) for command in item.history or ()),
        commands_sent=item.commands_sent,
        override=_override_of(item.override) if item.override is not None else None,
        watch=Watch(
            health=item.watch.health,
            conditions=frozenset(Condition(name) for name in item.watch.conditions or ()),
            told_at=item.watch.told_at,
            symptoms=tuple(Symptom(one.condition, one.since) for one in item.watch.symptoms or ()),
            due_at=item.due_at,
        ),
        version=item.version,
    )


def _override_map(override: Override) -> OverrideMap:
    return OverrideMap(
        position=override.position,
        operator=override.operator,
        reason=override.reason,
        since=override.since,
        until=override.until,
    )


def _override_of(item: OverrideMap) -> Override:
    return Override(
        position=item.position,
        operator=item.operator,
        reason=item.reason,
        since=item.since,
        until=item.until,
    )


def _report_map(report: Report) -> ReportMap:
    return ReportMap(
        position=report.position,
        occupancy=report.occupancy,
        command_id=report.command_id,
        result=report.result,
        reason=report.reason,
        battery_percent=report.battery_percent,
        tamper=report.tamper,
        manual_override=report.manual_override,
        firmware=report.firmware,
        at=report.at,
        opened_for=report.opened_for,
        opened_at=report.opened_at,
        received_at=report.received_at,
    )


def _report_of(item: ReportMap) -> Report:
    return Report(
        position=item.position,
        occupancy=item.occupancy,
        command_id=CommandId(item.command_id) if item.command_id else None,
        result=item.result,
        reason=item.reason,
        battery_percent=item.battery_percent,
        tamper=item.tamper,
        manual_override=item.manual_override,
        firmware=item.firmware,
        at=item.at,
        opened_for=ReservationId(item.opened_for) if item.opened_for else None,
        opened_at=item.opened_at,
        received_at=item.received_at,
    )


def _command_map(command: Command) -> CommandMap:
    return CommandMap(
        command_id=command.command_id,
        position=command.position,
        user_id=command.user_id,
        reservation_id=command.reservation_id,
        created_at=command.created_at,
        expires_at=command.expires_at,
        status=command.status,
        ended_at=command.ended_at,
        answer=command.answer,
        reason=command.reason,
        answered_at=command.answered_at,
    )


def _command_of(item: CommandMap) -> Command:
    return Command(
        command_id=CommandId(item.command_id),
        position=item.position,
        user_id=UserId(item.user_id) if item.user_id else None,
        reservation_id=ReservationId(item.reservation_id) if item.reservation_id else None,
        created_at=item.created_at,
        expires_at=item.expires_at,
        status=item.status,
        ended_at=item.ended_at,
        answer=item.answer,
        reason=item.reason,
        answered_at=item.answered_at,
    )
