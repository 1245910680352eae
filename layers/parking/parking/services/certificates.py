"""The certificates of a blocker: asked for by its device, replaced without a gap, cut off."""

from dataclasses import replace
from datetime import datetime

from parking.domain.audit import Action, Word, entry
from parking.domain.blocker import Blocker
from parking.domain.enrolment import Enrolment, NotAdmitted
from parking.domain.ids import BlockerId
from parking.domain.spot import ServiceState
from parking.services.commit import until_committed
from parking.services.operating import blocker_of, set_service_state
from parking.services.ports import Certificate, Store, Things


def enrolment_of(store: Store, blocker_id: BlockerId) -> Enrolment:
    """What the blocker's next certificate waits for; nothing, if nobody asked for one."""
    return store.get(Enrolment, blocker_id) or Enrolment(blocker_id=blocker_id)


def give_code(store: Store, blocker_id: BlockerId, code: str, word: Word) -> datetime:
    """A code with which one device may fetch one certificate, and until when. Raises NotFound, Busy."""

    def attempt() -> datetime:
        blocker_of(store, blocker_id)
        enrolment = enrolment_of(store, blocker_id).with_code(code, word.at)
        until = enrolment.code_expires_at or word.at
        said = entry(blocker_id, Action.NEW_CODE, word, f"registration code until {until.isoformat()}")
        store.commit(enrolment, said)
        return until

    return until_committed(attempt)


def admit(store: Store, blocker_id: BlockerId, code: str, certificate_id: str, now: datetime) -> None:
    """Let a device that knows the code have this certificate. Raises NotAdmitted, Busy.

    The first certificate of a blocker is the one that counts; a later one replaces it once it is proven.
    """

    def attempt() -> None:
        blocker = store.get(Blocker, blocker_id)
        if blocker is None:
            raise NotAdmitted("nobody registered this blocker")
        before = enrolment_of(store, blocker_id)
        enrolment = before.admit(code, certificate_id, now)
        if enrolment == before:
            return
        if blocker.certificate_id is None:
            store.commit(replace(blocker, certificate_id=certificate_id), enrolment)
        else:
            store.commit(enrolment.to_replace(certificate_id), unchanged=(blocker,))

    until_committed(attempt)


def connected(store: Store, blocker_id: BlockerId, certificate_id: str, at: datetime) -> None:
    """The device has connected with this certificate. Raises Busy."""

    def attempt() -> None:
        before = enrolment_of(store, blocker_id)
        after = before.connected(certificate_id, at)
        if after != before:
            store.commit(after)

    until_committed(attempt)


def rotate(store: Store, things: Things, blocker_id: BlockerId, word: Word) -> Certificate:
    """A new certificate beside the present one, which goes on until `complete`. Raises NotFound, Busy."""
    blocker_of(store, blocker_id)
    certificate = things.issue(blocker_id)

    def attempt() -> Certificate:
        enrolment = enrolment_of(store, blocker_id).to_replace(certificate.certificate_id)
        said = entry(
            blocker_id, Action.ROTATE, word, f"certificate {certificate.certificate_id} beside the present one"
        )
        store.commit(enrolment, said)
        return certificate

    return until_committed(attempt)


def complete(store: Store, things: Things, blocker_id: BlockerId, word: Word) -> str:
    """The new certificate alone from now on: the device has shown that it has it.

    Cut off first, then written down: run again, it ends what a crash left half done. Raises NotFound, NotProven, Busy.
    """
    proven = enrolment_of(store, blocker_id).proven()
    things.keep_only(blocker_id, proven)

    def attempt() -> str:
        blocker = blocker_of(store, blocker_id)
        changed = replace(blocker, certificate_id=proven)
        said = entry(blocker_id, Action.COMPLETE, word, f"certificate {blocker.certificate_id} → {proven}")
        store.commit(changed, enrolment_of(store, blocker_id).settled(), said)
        return proven

    return until_committed(attempt)


def cut_off(store: Store, things: Things, blocker_id: BlockerId, word: Word, *, out_of_service: bool) -> bool:
    """Whoever has this device can do nothing with it: no certificate, no code counts. True if its connection was ended.

    With its spot off the map, unless the operator wants it to stay on. The codes end first, so that nobody is let in
    behind the cut; said again, it ends what a crash left half done. Raises NotFound, Busy.
    """

    def attempt() -> None:
        blocker, enrolment = blocker_of(store, blocker_id), enrolment_of(store, blocker_id)
        said = entry(blocker_id, Action.CUT_OFF, word, f"certificate {blocker.certificate_id} cut off")
        store.commit(replace(blocker, certificate_id=None), enrolment.settled(), said)

    until_committed(attempt)
    ended = things.cut_off(blocker_id)
    if out_of_service:
        set_service_state(store, blocker_id, ServiceState.OUT_OF_SERVICE, word)
    return ended
