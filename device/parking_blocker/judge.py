"""What really happened to one simulated blocker, seen from outside: the judge of demo, e2e and load runs.

It stands where the motor and the disk are, and believes nothing that a blocker says of itself.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from parking_blocker.contract import Outcome, utc_text
from parking_blocker.machine import Memory

VIOLATIONS_KEPT = 100


@dataclass(slots=True)
class Judge:
    """`blind_raises`: the sensor called an occupied spot VACANT, so that nothing but the obstacle could tell."""

    blocker_id: str
    violations: list[dict[str, str]] = field(default_factory=list)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    newest: str | None = None
    raised_by: set[str] = field(default_factory=set)
    raises: int = 0
    lowers: int = 0
    blind_raises: int = 0
    faults: dict[str, int] = field(default_factory=dict)

    def see_memory(self, memory: Memory) -> None:
        """The blocker has written this down, as it does for every command and every end of one."""
        outcome = memory.outcome
        known = self.outcomes.get(outcome.command_id)
        if known is None:
            self.newest = outcome.command_id
        elif known.result is not None and known != outcome:
            self._violation("a command has ended twice")
        self.outcomes[outcome.command_id] = outcome

    def see_raise(self, *, car: bool, sensor_sees: bool) -> None:
        """The motor starts upwards."""
        self.raises += 1
        self.see_rising(car=car, sensor_sees=sensor_sees, what="a raise was started under a car")
        if self.newest in self.raised_by:
            self._violation("a command has raised twice")
        if self.newest is None:
            self._violation("a raise without a command")
        else:
            self.raised_by.add(self.newest)

    def see_lower(self) -> None:
        """The motor starts downwards."""
        self.lowers += 1

    def see_rising(self, *, car: bool, sensor_sees: bool, what: str) -> None:
        """The motor runs upwards."""
        if car and sensor_sees:
            self._violation(what)
        elif car:
            self.blind_raises += 1

    def see_fault(self, name: str) -> None:
        """Somebody, or chance, has broken or mended something."""
        self.faults[name] = self.faults.get(name, 0) + 1

    @property
    def open_command(self) -> str | None:
        """The newest command if it has no result yet; an older one was overtaken."""
        return self.newest if self.newest and self.outcomes[self.newest].result is None else None

    def _violation(self, what: str) -> None:
        if len(self.violations) < VIOLATIONS_KEPT:
            self.violations.append(
                {
                    "blocker_id": self.blocker_id,
                    "at": utc_text(datetime.now(UTC)),
                    "what": what,
                    "command_id": self.newest or "",
                }
            )


def verdict(judges: list[Judge]) -> dict[str, object]:
    """All blockers together, ready for JSON."""
    faults: dict[str, int] = {}
    results: dict[str, int] = {}
    for judge in judges:
        for name, count in judge.faults.items():
            faults[name] = faults.get(name, 0) + count
        for outcome in judge.outcomes.values():
            # A device knows the end of its newest command only. One that a newer has overtaken under way has none, and
            # is SUPERSEDED at the service: there is nothing in it to judge. The newest without an end is judged.
            unended = "OPEN" if outcome.command_id == judge.open_command else "OVERTAKEN"
            ended = outcome.reason or outcome.result or unended
            results[ended] = results.get(ended, 0) + 1
    return {
        "violations": [violation for judge in judges for violation in judge.violations],
        "blind_raises": sum(judge.blind_raises for judge in judges),
        "raises": sum(judge.raises for judge in judges),
        "lowers": sum(judge.lowers for judge in judges),
        "commands": sum(len(judge.outcomes) for judge in judges),
        "results": results,
        "open_commands": [judge.open_command for judge in judges if judge.open_command],
        "faults": faults,
    }
