"""How a device comes by its certificate: by a code that lets it ask once, or one that is to replace another."""

import base64
import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from parking.domain.ids import BlockerId

CODE_VALID_FOR = timedelta(days=30)  # from the order of the machine to the day when it is bolted down
CODE_BYTES = 10  # 80 bits: nobody guesses it over MQTT
_GROUP = 4


class NotAdmitted(Exception):
    """The device gets no certificate; the text says why, to operators only."""


class NotProven(Exception):
    """The device has not connected with its new certificate: the old one must stay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """What a blocker's next certificate waits for. A code is kept as its digest only, and counts once."""

    blocker_id: BlockerId
    code_digest: str | None = None
    code_expires_at: datetime | None = None
    admitted_certificate_id: str | None = None
    """The certificate that used up the code."""
    next_certificate_id: str | None = None
    """It may connect beside the one of before, which it is to replace."""
    connected_with: str | None = None
    """The certificate of the latest connection, as long as one waits to replace another."""
    connected_at: datetime | None = None
    version: int = 0

    @property
    def key(self) -> tuple[str, ...]:
        """Its address in the store."""
        return (self.blocker_id,)

    def with_code(self, code: str, now: datetime) -> "Enrolment":
        """The blocker waits for a device that knows this code; an earlier code counts no more."""
        return replace(
            self, code_digest=digest_of(code), code_expires_at=now + CODE_VALID_FOR, admitted_certificate_id=None
        )

    def admit(self, code: str, certificate_id: str, now: datetime) -> "Enrolment":
        """The code is used up by this certificate; asked again for the same one, it stays so. Raises NotAdmitted."""
        if self.code_digest is None or self.code_expires_at is None:
            raise NotAdmitted("no code was given out")
        if digest_of(code) != self.code_digest:
            raise NotAdmitted("another code was given out")
        if self.admitted_certificate_id not in (None, certificate_id):
            raise NotAdmitted("the code was used already")
        if now >= self.code_expires_at:
            raise NotAdmitted("the code has expired")
        return replace(self, admitted_certificate_id=certificate_id)

    def to_replace(self, certificate_id: str) -> "Enrolment":
        """This certificate is to replace the present one, once a connection has proven it."""
        return replace(self, next_certificate_id=certificate_id, connected_with=None, connected_at=None)

    def connected(self, certificate_id: str, at: datetime) -> "Enrolment":
        """The device has connected. Only while a certificate waits is that worth knowing; an older event is no news."""
        if self.next_certificate_id is None or (self.connected_at is not None and at <= self.connected_at):
            return self
        return replace(self, connected_with=certificate_id, connected_at=at)

    def proven(self) -> str:
        """The certificate that may stand alone. Raises NotProven."""
        if self.next_certificate_id is None:
            raise NotProven("No certificate waits to replace another.")
        if self.connected_with != self.next_certificate_id:
            raise NotProven("The device has not connected with its new certificate, or last with the old one.")
        return self.next_certificate_id

    def settled(self) -> "Enrolment":
        """Nothing waits any more: no code counts, no certificate is to replace another."""
        return Enrolment(blocker_id=self.blocker_id, version=self.version)


def written_code(random: bytes) -> str:
    """Random bytes as people read them to each other: ABCD-EFGH-IJKL-MNOP."""
    text = base64.b32encode(random).decode()
    return "-".join(text[start : start + _GROUP] for start in range(0, len(text), _GROUP))


def digest_of(code: str) -> str:
    """SHA-256 of the code, however it was typed. It is random, so that nothing slower is needed."""
    return hashlib.sha256(code.replace("-", "").replace(" ", "").upper().encode()).hexdigest()
