"""An operator's word: it is written down with who, why and what it changed, and then it is carried out."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from parking.domain.audit import Action, AuditEntry, Word, entry
from parking.domain.blocker import Blocker, Override, Position, receive, start_over
from parking.domain.errors import NotFound
from parking.domain.ids import BlockerId
from parking.domain.spot import ServiceState, Spot
from parking.services.blockers import reconcile
from parking.services.commit import until_committed
from parking.services.ports import Aggregate, Shadows, Store
from parking.services.spots import spot_of
from parking.services.unserved import tell_who_is_booked

OVERRIDE_FOR = timedelta(minutes=15)
POSITIONS = {Action.LOWER: Position.LOWERED, Action.RAISE: Position.RAISED}
SERVICE_STATES = {
    Action.OUT_OF_SERVICE: ServiceState.OUT_OF_SERVICE,
    Action.IN_SERVICE: ServiceState.IN_SERVICE,
}


def obey(store: Store, shadows: Shadows, blocker_id: BlockerId, action: Action, word: Word) -> Blocker:
    """Do what an operator asks of a blocker or its spot; asked again, it stays as it is.

    The word is committed with its audit entry first. What follows is the reconcile of any trigger, so a crash in
    between loses nothing: the next report or minute goes on. Raises NotFound, Busy, ShadowUnavailable.
    """
    if action in SERVICE_STATES:
        set_service_state(store, blocker_id, SERVICE_STATES[action], word)
    elif action in POSITIONS:
        _override(store, blocker_id, action, word)
    else:
        _drop_override(store, blocker_id, word)
    if action is Action.RESYNC:
        blocker = reconcile(store, shadows, blocker_id, word.at, learn=_anew(shadows, word))
    else:
        blocker = reconcile(store, shadows, blocker_id, word.at)
    return blocker or blocker_of(store, blocker_id)


def set_service_state(store: Store, blocker_id: BlockerId, state: ServiceState, word: Word) -> Spot:
    """Take the blocker's spot off the map, or put it back on.

    Nobody new can book it, and who has booked is told; who has parked stays to the end. Raises NotFound, Busy.
    """

    def attempt() -> Spot:
        spot = spot_of(store, blocker_of(store, blocker_id).spot_id)
        action = Action.OUT_OF_SERVICE if state is ServiceState.OUT_OF_SERVICE else Action.IN_SERVICE
        said = entry(blocker_id, action, word, f"service state {spot.service_state} → {state}")
        changed = replace(spot, service_state=state)
        _commit(store, said, *([changed] if changed != spot else []))
        return changed

    spot = until_committed(attempt)
    if state is ServiceState.OUT_OF_SERVICE:
        tell_who_is_booked(store, spot, word.at)
    return spot


def blocker_of(store: Store, blocker_id: BlockerId) -> Blocker:
    """One blocker. Raises NotFound."""
    blocker = store.get(Blocker, blocker_id)
    if blocker is None:
        raise NotFound("There is no such blocker.", field="blocker_id")
    return blocker


def _override(store: Store, blocker_id: BlockerId, action: Action, word: Word) -> None:
    """The word stands above the reservations for 15 minutes. RAISE stays under the same interlock as any command."""
    position = POSITIONS[action]

    def attempt() -> None:
        override = Override(
            position=position, operator=word.operator, reason=word.reason, since=word.at, until=word.at + OVERRIDE_FOR
        )
        blocker = replace(blocker_of(store, blocker_id), override=override)
        until = override.until.isoformat(timespec="seconds")
        said = entry(blocker_id, action, word, f"{position} above the reservations until {until}")
        _commit(store, said, blocker)

    until_committed(attempt)


def _drop_override(store: Store, blocker_id: BlockerId, word: Word) -> None:
    def attempt() -> None:
        blocker = blocker_of(store, blocker_id)
        waiting = f"command {blocker.command.command_id} {blocker.command.status}" if blocker.command else "no command"
        overruled = f"override {blocker.override.position} dropped" if blocker.override else "no override"
        said = entry(blocker_id, Action.RESYNC, word, f"{overruled}; {waiting}, shadow {blocker.shadow_version}")
        _commit(store, said, replace(blocker, override=None))

    until_committed(attempt)


def _commit(store: Store, said: AuditEntry, *changed: Aggregate) -> None:
    """Write the entry with what it changes. An entry that is there was: the same request came twice."""
    if store.get(AuditEntry, *said.key) is None:
        store.commit(*changed, said)


def _anew(shadows: Shadows, word: Word) -> Callable[[Blocker], Blocker]:
    """Believe the shadow as it is now, even one that was deleted and counts from 1 again, and nothing of before.

    The shadow is read after the blocker was, so it is never older than what the blocker has heard of it.
    """

    def learn(blocker: Blocker) -> Blocker:
        document = shadows.get(blocker.blocker_id)
        if document is None or document.report is None:
            blocker = replace(blocker, report=None, shadow_version=document.version if document else 0)
        else:
            unheard = replace(blocker, shadow_version=min(blocker.shadow_version, document.version - 1))
            blocker = receive(unheard, document.report, document.version)
        return start_over(blocker, word.at)  # an answer that the shadow holds counts first

    return learn
