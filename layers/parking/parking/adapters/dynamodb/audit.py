"""Items of the Audit table: written once, never changed."""

from pynamodb.attributes import UnicodeAttribute

from parking.adapters.dynamodb.attributes import EnumAttribute, InstantAttribute, VersionedModel
from parking.domain.audit import Action, AuditEntry, Word
from parking.domain.ids import BlockerId


class AuditModel(VersionedModel):
    """What an operator asked, and what it changed."""

    blocker_id = UnicodeAttribute(hash_key=True)
    entry_id = UnicodeAttribute(range_key=True)
    action = EnumAttribute(Action)
    operator = UnicodeAttribute()
    reason = UnicodeAttribute()
    request_id = UnicodeAttribute()
    at = InstantAttribute()
    change = UnicodeAttribute()


def item_of(entry: AuditEntry) -> AuditModel:
    """The entry as it is stored."""
    return AuditModel(
        blocker_id=entry.blocker_id,
        entry_id=entry.entry_id,
        action=entry.action,
        operator=entry.word.operator,
        reason=entry.word.reason,
        request_id=entry.word.request_id,
        at=entry.word.at,
        change=entry.change,
        version=entry.version,
    )


def entry_of(item: AuditModel) -> AuditEntry:
    """The stored entry."""
    return AuditEntry(
        blocker_id=BlockerId(item.blocker_id),
        entry_id=item.entry_id,
        action=item.action,
        word=Word(operator=item.operator, reason=item.reason, request_id=item.request_id, at=item.at),
        change=item.change,
        version=item.version,
    )
