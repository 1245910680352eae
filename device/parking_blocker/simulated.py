"""One simulated blocker: the real program on a simulated barrier, with a power switch, a network cable and a judge."""

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from parking_blocker.blocker import Blocker
from parking_blocker.clock import ServiceClock
from parking_blocker.connection import Endpoint, Identity, Listener, ShadowConnection
from parking_blocker.contract import Reported
from parking_blocker.judge import Judge
from parking_blocker.machine import Limits, Memory
from parking_blocker.simulated_actuator import SimulatedActuator


class SlowLine:
    """The way of the reports to the service. It delays and doubles them, and keeps their order, as MQTT does."""

    def __init__(self) -> None:
        self.late_seconds = 0.0
        self.doubled = False
        self._free_at = 0.0
        self._waiting: deque[Callable[[], None]] = deque()

    def carry(self, send: Callable[[], None]) -> None:
        """Send now or later, once or twice."""
        loop = asyncio.get_running_loop()
        self._free_at = max(loop.time() + self.late_seconds, self._free_at)
        for _ in range(2 if self.doubled else 1):
            self._waiting.append(send)
            if self._free_at > loop.time():
                # Timers of the same instant come in any order; each takes what waits longest.
                loop.call_at(self._free_at, self._deliver)
            else:
                self._deliver()

    def _deliver(self) -> None:
        self._waiting.popleft()()


class LineConnection(ShadowConnection):
    """A connection whose reports go over a slow line."""

    def __init__(
        self, line: SlowLine, endpoint: Endpoint, identity: Identity, listener: Listener, now: Callable[[], datetime]
    ) -> None:
        super().__init__(endpoint, identity, listener, now)
        self._line = line

    def publish_reported(self, reported: Reported) -> None:
        """See ShadowConnection; what arrives after the connection has ended is lost there."""
        self._line.carry(lambda: super(LineConnection, self).publish_reported(reported))


class JudgedBarrier(SimulatedActuator):
    """A barrier that tells the judge what its motor does."""

    def __init__(self, travel_seconds: float, judge: Judge) -> None:
        super().__init__(travel_seconds)
        self._judge = judge

    def start_raising(self) -> None:
        """See Actuator."""
        self._judge.see_raise(car=self.car, sensor_sees=self.sees)
        super().start_raising()

    def start_lowering(self) -> None:
        """See Actuator."""
        self._judge.see_lower()
        super().start_lowering()

    def set_car(self, present: bool) -> None:
        """See SimulatedActuator: when the blocker has seen the car, the motor must have turned already."""
        super().set_car(present)
        if present and self.rising:
            self._judge.see_rising(car=True, sensor_sees=self.sees, what="a raise went on under a car")


class JudgedMemory:
    """The disk, in this process: what is saved outlives a simulated reboot, and the judge reads along."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._saved: Memory | None = None

    def load(self) -> Memory | None:
        """See MemoryStore."""
        return self._saved

    def save(self, memory: Memory) -> None:
        """See MemoryStore."""
        self._saved = memory
        self._judge.see_memory(memory)


class SimulatedBlocker:
    """The blocker, and what can be done to it. Everything here runs on the event loop's thread."""

    def __init__(self, identity: Identity, endpoint: Endpoint, travel_seconds: float, limits: Limits) -> None:
        self.judge = Judge(identity.blocker_id)
        self.barrier = JudgedBarrier(travel_seconds, self.judge)
        self.line = SlowLine()
        self.clock_wrong_by = timedelta(0)
        self._identity = identity
        self._endpoint = endpoint
        self._limits = limits
        self._memory = JudgedMemory(self.judge)
        self._online = False
        self._power_back: asyncio.TimerHandle | None = None
        self.blocker = self._boot()

    def connect(self) -> None:
        """The network is there."""
        self._online = True
        if self._power_back is None:
            self.blocker.connect()

    def look(self) -> None:
        """See Blocker; one without power sees nothing."""
        if self._power_back is None:
            self.blocker.look()

    def stop(self) -> None:
        """See Blocker."""
        if self._power_back:
            self._power_back.cancel()
        self.blocker.stop()

    async def disconnect(self, *, announced: bool) -> None:
        """See Blocker."""
        self._online = False
        await self.blocker.disconnect(announced=announced)

    async def reboot(self, off_seconds: float) -> None:
        """Power fails for a while: the motor stops where it is, and all is forgotten but what is on the disk."""
        if self._power_back:
            return
        self._power_back = asyncio.get_running_loop().call_later(off_seconds, self._power_on)
        self.blocker.stop()
        self.barrier.watch(lambda: None, lambda: None)
        await self.blocker.disconnect(announced=False)

    def type_code(self, code: str) -> None:
        """Somebody types a code at the barrier; one without power hears nothing."""
        if self._power_back is None:
            self.blocker.type_code(code)

    def document(self) -> dict[str, object]:
        """Position, occupancy, command and journal, ready for JSON."""
        machine = self.blocker.machine
        outcome = machine.outcome
        return {
            "blocker_id": self._identity.blocker_id,
            "connected": self.blocker.connected,
            "position": machine.position,
            "occupancy": machine.occupancy,
            "command_id": outcome.command_id if outcome else None,
            "result": outcome.result if outcome else None,
            "reason": outcome.reason if outcome else None,
            "journal": [entry.document() for entry in self.blocker.journal],
        }

    def _power_on(self) -> None:
        self._power_back = None
        self.blocker = self._boot(self.blocker)
        if self._online:
            self.blocker.connect()

    def _boot(self, before: Blocker | None = None) -> Blocker:
        wrong_by = self.clock_wrong_by
        clock = ServiceClock(wall=lambda: datetime.now(UTC) + wrong_by)
        blocker = Blocker(
            self._identity, self._endpoint, self.barrier, self._limits, self._memory, clock, self._make_connection
        )
        if before:
            blocker.journal.extendleft(reversed(before.journal))
        return blocker

    def _make_connection(
        self, endpoint: Endpoint, identity: Identity, listener: Listener, now: Callable[[], datetime]
    ) -> ShadowConnection:
        return LineConnection(self.line, endpoint, identity, listener, now)
