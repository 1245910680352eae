"""How a driver wants to be told. Muting stops the knock at the phone; the inbox has the notice all the same."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from parking.domain.errors import InvalidField
from parking.domain.ids import UserId
from parking.domain.notification import NotificationKind
from parking.domain.telling import MUTABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationPreferences:
    """A driver's wishes. Without a `locale` it is the phone's."""

    user_id: UserId
    locale: str | None = None
    muted: frozenset[NotificationKind] = frozenset()
    version: int = 0

    @property
    def key(self) -> tuple[str, ...]:
        """Its address in the store."""
        return (self.user_id,)

    def changed(self, locale: str | None, muted: Collection[NotificationKind]) -> "NotificationPreferences":
        """With other wishes. Raises InvalidField for a kind that has to be told."""
        if needed := sorted(set(muted) - MUTABLE):
            raise InvalidField("muted", f"{', '.join(needed)} cannot be muted")
        return replace(self, locale=locale, muted=frozenset(muted))

    def mutes(self, kind: NotificationKind) -> bool:
        """True if no phone is knocked at for such a notice; what may not be muted any more is not."""
        return kind in self.muted and kind in MUTABLE
