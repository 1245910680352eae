"""Who is told at which phone: what the drivers know of their phones and wishes, beside what the service stores."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from parking.domain.ids import UserId
from parking.domain.notification import Notification, NotificationKind
from tests.simulation.violation import Violation

if TYPE_CHECKING:
    from tests.simulation.world import World

Fact = UserId | frozenset[NotificationKind]
Key = tuple[str, str]
HANDING_OVER = ("register phone", "sign out", "erase_accounts")
"""Functions that give a phone to somebody else, or to nobody."""


class Phones:
    """Who registered each phone last, what each driver has muted; None is in doubt: it failed, or two overlapped."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.clock = 0
        self._known: dict[Key, Fact | None] = {}
        self._changed: dict[Key, int] = {}

    def holder(self, endpoint: str) -> Fact | None:
        """The driver who has the phone in hand."""
        return self._known.get(("phone", endpoint))

    def in_hand(self, endpoint: str, since: int) -> tuple[Fact | None, int]:
        """Somebody begins to register the phone: till then either may be told there. Gives who had it, and when."""
        former = self.holder(endpoint)
        self._learn(("phone", endpoint), None, since)
        return former, self.clock

    def registered(self, endpoint: str, user_id: UserId | None, since: int, former: Fact | None = None) -> None:
        """The driver has registered the phone (None: perhaps), by a request that began at `since`."""
        if user_id and former not in (None, user_id):
            self._world.coverage.transition("phone handed over")
        self._learn(("phone", endpoint), user_id, since)

    def let_go(self, endpoint: str, user_id: UserId, since: int) -> None:
        """The driver has perhaps signed out of the phone: that ends nothing of another driver's, but may overlap it."""
        holder = self.holder(endpoint)
        self._learn(("phone", endpoint), None if holder == user_id else holder, since)

    def doubt(self, user_id: UserId, since: int) -> None:
        """What the driver did with other phones after `since` overlapped a request that may have undone it."""
        for key, changed in self._changed.items():
            if key[0] == "phone" and changed > since and self._known[key] == user_id:
                self._known[key] = None

    def erased(self, since: int) -> None:
        """Accounts were perhaps erased, by a run that began at `since`: it may have undone what overlapped it."""
        for key, changed in self._changed.items():
            if key[0] == "phone" and (changed > since or self._known[key] is None):
                self._learn(key, None, since)

    def muted(self, user_id: UserId, kinds: Collection[NotificationKind] | None, since: int) -> None:
        """The driver has muted these kinds and no others (None: perhaps)."""
        self._learn(("muted", user_id), None if kinds is None else frozenset(kinds), since)

    def pushed(self, endpoint: str) -> None:
        """A notice came to the phone; what was settled before its function began must hold. Raises Violation."""
        at_work = self._world.invocation
        assert at_work
        notice: Notification = at_work.event
        holder = self._as_of(("phone", endpoint), at_work.phones_since)
        if holder not in (None, notice.user_id):
            raise Violation(11, f"{holder} has the phone {endpoint}, and is shown {notice.user_id}'s {notice.kind}")
        muted = self._as_of(("muted", notice.user_id), at_work.phones_since)
        if notice.user_id in self._world.logged_out:  # and what they wished was erased
            return
        if isinstance(muted, frozenset) and notice.kind in muted:
            raise Violation(9, f"{notice.user_id} has muted {notice.kind}, and is knocked at for it")

    def knocked(self, notice: Notification) -> None:
        """Nothing disturbed the knock: every phone of the driver has it, if it is not muted. Raises Violation."""
        at_work = self._world.invocation
        if at_work and at_work.name in HANDING_OVER:  # it may be giving the phone to somebody else this very moment
            return
        if notice.user_id in self._world.logged_out:  # and their phones were erased
            return
        muted = self._known.get(("muted", notice.user_id), frozenset())
        if not isinstance(muted, frozenset):
            return
        if notice.kind in muted:
            self._world.coverage.transition("push muted")
            return
        told = {to for to, message in self._world.push.published if message.notification_id == notice.notification_id}
        for (what, endpoint), holder in self._known.items():
            if what == "phone" and holder == notice.user_id and endpoint not in told:
                raise Violation(9, f"{notice.user_id} has the phone {endpoint}, and it is not told {notice.kind}")

    def _learn(self, key: Key, fact: Fact | None, since: int) -> None:
        self.clock += 1
        overlapped = self._changed.get(key, 0) > since
        self._known[key] = None if overlapped else fact
        self._changed[key] = self.clock

    def _as_of(self, key: Key, since: int) -> Fact | None:
        return self._known.get(key) if self._changed.get(key, 0) <= since else None
