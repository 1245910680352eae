"""IoT Core in memory."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from parking.adapters.shadow_documents import report_from
from parking.domain.blocker import Command, Report
from parking.domain.ids import BlockerId
from parking.services.ports import Certificate, ShadowConflict, ShadowDocument


@dataclass(frozen=True, slots=True)
class _Shadow:
    version: int = 0
    report: Report | None = None
    command: Command | None = None

    @property
    def document(self) -> ShadowDocument:
        return ShadowDocument(self.version, self.report, self.command.command_id if self.command else None)


class MemoryShadows:
    """Shadows, with the device's side of it: `report` is what it sends, `desired` what it reads."""

    def __init__(self) -> None:
        self._shadows: dict[BlockerId, _Shadow] = {}
        self._lock = threading.Lock()

    def get(self, blocker_id: BlockerId) -> ShadowDocument | None:
        """The shadow as it is now; None if the device never had one."""
        with self._lock:
            shadow = self._shadows.get(blocker_id)
        return shadow.document if shadow else None

    def desire(self, blocker_id: BlockerId, command: Command, version: int) -> None:
        """Write the command into `desired`. Raises ShadowConflict."""
        with self._lock:
            shadow = self._shadows.get(blocker_id, _Shadow())
            if version not in (0, shadow.version):
                raise ShadowConflict(f"the shadow of {blocker_id} is not at version {version}")
            self._shadows[blocker_id] = _Shadow(shadow.version + 1, shadow.report, command)

    def report(self, blocker_id: BlockerId, reported: Mapping[str, Any], at: datetime) -> ShadowDocument:
        """The device sends its whole `reported` section; the shadow takes it at this time."""
        with self._lock:
            shadow = self._shadows.get(blocker_id, _Shadow())
            heard = _Shadow(shadow.version + 1, report_from(reported, at.replace(microsecond=0)), shadow.command)
            self._shadows[blocker_id] = heard
            return heard.document

    def desired(self, blocker_id: BlockerId) -> Command | None:
        """The command that the device would read."""
        with self._lock:
            return self._shadows.get(blocker_id, _Shadow()).command


class MemoryThings:
    """Things: `active` holds the certificates of each thing that may connect."""

    def __init__(self) -> None:
        self.active: dict[BlockerId, list[str]] = {}
        self._made = 0

    def register(self, blocker_id: BlockerId) -> Certificate:
        """Give the thing a new certificate, and cut off every earlier one."""
        certificate = self.issue(blocker_id)
        self.keep_only(blocker_id, certificate.certificate_id)
        return certificate

    def issue(self, blocker_id: BlockerId) -> Certificate:
        """Give the thing one more certificate."""
        self._made += 1
        certificate = Certificate(f"certificate-{self._made}", "-- certificate --", "-- private key --")
        self.active.setdefault(blocker_id, []).append(certificate.certificate_id)
        return certificate

    def keep_only(self, blocker_id: BlockerId, certificate_id: str) -> None:
        """Cut off every certificate of the thing but this one."""
        self.active[blocker_id] = [one for one in self.active.get(blocker_id, []) if one == certificate_id]

    def cut_off(self, blocker_id: BlockerId) -> bool:
        """Cut off every certificate of the thing."""
        self.active[blocker_id] = []
        return True
