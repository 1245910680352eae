"""One blocker: its state machine joined to its hardware, connection, clock and memory, and a journal of what it did."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from parking_blocker.actuator import Actuator
from parking_blocker.clock import ServiceClock
from parking_blocker.connection import Endpoint, Identity, Listener, ShadowConnection
from parking_blocker.contract import Rejection, Shadow, utc_text
from parking_blocker.controller import advance, boot, memory_of, next_tick_at
from parking_blocker.machine import (
    Action,
    Answer,
    ClockCorrected,
    CodeTyped,
    ConnectionLost,
    Event,
    Limits,
    Machine,
    Memory,
    Obstructed,
    ReadingsChanged,
    Remember,
    Report,
    ReportLost,
    ShadowRead,
    StartLowering,
    StartRaising,
    Stop,
    Tick,
    Warn,
)
from parking_blocker.memory_file import MemoryLost, MemoryStore

JOURNAL_ENTRIES_MAX = 200
REPORT_RETRY_SECONDS = 5.0
TICK_LATE_MAX = timedelta(seconds=5)
WARNINGS = frozenset({"refused", "report_rejected", "disconnected", "memory_lost", "power_cut", "clock"})

logger = logging.getLogger(__name__)


type MakesConnection = Callable[[Endpoint, Identity, Listener, Callable[[], datetime]], ShadowConnection]


class Stuck(Exception):
    """The state machine does not get the ticks that it asks for."""


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """Something that happened: `what` is one of the words in docs/device.md, `detail` says more."""

    at: datetime
    what: str
    detail: str

    def document(self) -> dict[str, str]:
        """Ready for JSON."""
        return {**asdict(self), "at": utc_text(self.at)}


class Blocker:
    """Carries out what the state machine decides. Everything here runs on the event loop's thread."""

    def __init__(
        self,
        identity: Identity,
        endpoint: Endpoint,
        actuator: Actuator,
        limits: Limits,
        memory: MemoryStore,
        clock: ServiceClock,
        make_connection: MakesConnection = ShadowConnection,
    ) -> None:
        self.identity = identity
        self.journal: deque[JournalEntry] = deque(maxlen=JOURNAL_ENTRIES_MAX)
        self._endpoint = endpoint
        self._actuator = actuator
        self._make_connection = make_connection
        self._memory = memory
        self._clock = clock
        self._machine = self._boot(limits)
        self._connection: ShadowConnection | None = None
        self._command_id: str | None = None
        self._stopped = False
        self._tick: asyncio.TimerHandle | None = None
        self._report_retry: asyncio.TimerHandle | None = None
        actuator.watch(self._on_readings, self._on_obstruction)

    @property
    def machine(self) -> Machine:
        """The state as of the last event."""
        return self._machine

    @property
    def connected(self) -> bool:
        """Whether the broker has accepted the connection."""
        return self._connection is not None and self._connection.connected

    def connect(self) -> None:
        """Open a session; nothing happens when there is one."""
        if self._connection is None:
            self._connection = self._make_connection(self._endpoint, self.identity, self, self._clock.now)
            self._connection.open()

    async def disconnect(self, *, announced: bool) -> None:
        """End the session, as a shutdown (announced) or as a network that fails (the last will is published)."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close(announced=announced)
            if announced:
                self._advance(ConnectionLost(self._clock.now()))
            else:
                self.on_lost("network off")

    def look(self) -> None:
        """Read everything and let the state machine see it: a change that no edge has told of comes to light here.

        Raises Stuck, and what the hardware raises: then nobody should rely on this process any more.
        """
        overdue_since = next_tick_at(self._machine)
        if overdue_since and self._clock.now() - overdue_since > TICK_LATE_MAX:
            raise Stuck(f"a tick was due at {utc_text(overdue_since)}")
        self._on_readings()

    def type_code(self, code: str) -> None:
        """Somebody has typed a code at the barrier; the journal says what became of it, and never the code itself."""
        self._advance(CodeTyped(self._clock.now(), code, self.identity.offline_secrets, self._clock.is_set))

    def stop(self) -> None:
        """Stop the motor and the timers: the program ends, and nothing moves the barrier any more."""
        self._stopped = True
        self._actuator.stop()
        for timer in (self._tick, self._report_retry):
            if timer:
                timer.cancel()

    def on_lost(self, why: str) -> None:
        """See Listener."""
        self._note("disconnected", why)
        self._advance(ConnectionLost(self._clock.now()))

    def on_shadow(self, shadow: Shadow | None) -> None:
        """See Listener."""
        if not self._machine.online:
            self._note("connected", "no shadow yet" if shadow is None else f"shadow version {shadow.version}")
        # What the sensor says now decides about a RAISE, not what it said some time ago.
        self._on_readings()
        if shadow is None:
            self._advance(ShadowRead(self._clock.now(), version=0, desired=None, last_outcome=None))
            return
        corrected_by = self._clock.correct(shadow.timestamp)
        if corrected_by:
            self._note("clock", f"was wrong by {-corrected_by.total_seconds():.1f} s")
            self._advance(ClockCorrected(self._clock.now(), corrected_by))
        if shadow.refusal:
            self.on_refused(shadow.refusal)
        desired = shadow.desired
        if desired and desired.command_id != self._command_id:
            self._command_id = desired.command_id
            self._note("command", f"{desired.position} {desired.command_id} until {utc_text(desired.expires_at)}")
        self._advance(ShadowRead(self._clock.now(), shadow.version, desired, shadow.last_outcome))

    def on_report_rejected(self, rejection: Rejection) -> None:
        """See Listener."""
        self._note("report_rejected", f"{rejection.code} {rejection.message}")
        if self._report_retry is None:
            self._report_retry = asyncio.get_running_loop().call_later(REPORT_RETRY_SECONDS, self._report_again)

    def on_refused(self, why: str) -> None:
        """See Listener."""
        self._note("refused", why)

    def _report_again(self) -> None:
        self._report_retry = None
        self._advance(ReportLost(self._clock.now()))

    def _on_readings(self) -> None:
        self._advance(ReadingsChanged(self._clock.now(), self._actuator.read()))

    def _on_obstruction(self) -> None:
        self._note("obstruction", "the motor pushes against something")
        self._advance(Obstructed(self._clock.now()))

    def _on_tick(self) -> None:
        # A motor that starts now does so by what the sensor says now.
        self._on_readings()
        self._advance(Tick(self._clock.now()))

    def _advance(self, event: Event) -> None:
        if self._stopped:
            return
        self._machine, actions = advance(self._machine, event)
        for action in actions:
            self._carry_out(action)
        self._arm_tick()

    def _carry_out(self, action: Action) -> None:
        match action:
            case StartRaising():
                self._note("motor", "raising")
                self._actuator.start_raising()
            case StartLowering():
                self._note("motor", "lowering")
                self._actuator.start_lowering()
            case Stop():
                self._note("motor", "stopped")
                self._actuator.stop()
            case Warn():
                self._note("motor", "warning")
                self._actuator.warn()
            case Remember(memory):
                self._remember(memory)
            case Answer(verdict):
                self._note("code", verdict)
            case Report(reported):
                told = (reported.position, reported.occupancy, reported.command_id, reported.result, reported.reason)
                self._note("report", " ".join(str(word) for word in told if word is not None))
                if self._connection is not None:
                    self._connection.publish_reported(reported)

    def _boot(self, limits: Limits) -> Machine:
        try:
            memory = self._memory.load()
        except (MemoryLost, OSError) as error:
            self._note("memory_lost", str(error))
            memory = None
        machine = boot(limits, self._actuator.read(), memory)
        if memory and memory != (now := memory_of(machine)) and now:
            # What became of the command is decided once, by where this boot has found the barrier.
            self._remember(now)
            self._note("power_cut", f"{now.outcome.command_id} {now.outcome.result}")
        return machine

    def _remember(self, memory: Memory) -> None:
        """A disk that does not write is no reason to keep a driver out: the shadow holds the outcome as well."""
        try:
            self._memory.save(memory)
        except OSError as error:
            self._note("memory_lost", str(error))

    def _arm_tick(self) -> None:
        if self._tick:
            self._tick.cancel()
            self._tick = None
        due = next_tick_at(self._machine)
        if due is not None:
            delay_seconds = max(0.0, (due - self._clock.now()).total_seconds())
            self._tick = asyncio.get_running_loop().call_later(delay_seconds, self._on_tick)

    def _note(self, what: str, detail: str) -> None:
        self.journal.append(JournalEntry(self._clock.now(), what, detail))
        level = logging.WARNING if what in WARNINGS else logging.INFO
        logger.log(level, "%s %s: %s", self.identity.blocker_id, what, detail)
