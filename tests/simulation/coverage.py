"""What a run has reached, and what there is to reach."""

from collections import Counter
from collections.abc import Iterable

from tests.simulation.faults import FAULTS, Fault

TRANSITIONS: tuple[str, ...] = (
    "reservation – → HELD",
    "reservation HELD → CONFIRMED",
    "reservation HELD → EXPIRED by schedule",
    "reservation HELD → EXPIRED by the next driver",
    "reservation HELD → CANCELLED",
    "reservation CONFIRMED → ACTIVE",
    "reservation CONFIRMED → NO_SHOW",
    "reservation CONFIRMED → CANCELLED refunded",
    "reservation CONFIRMED → CANCELLED not refunded",
    "reservation CONFIRMED → CANCELLED BLOCKER_FAILED",
    "reservation ACTIVE → COMPLETED DEPARTED",
    "reservation ACTIVE → COMPLETED TIME_ENDED",
    "reservation ACTIVE overstays",
    "extension – → HELD",
    "extension HELD → CONFIRMED",
    "extension HELD → EXPIRED",
    "payment – → SUCCEEDED",
    "payment – → PENDING",
    "payment PENDING → REQUIRES_ACTION",
    "payment PENDING → SUCCEEDED",
    "payment REQUIRES_ACTION → SUCCEEDED",
    "payment PENDING → CANCELLED",
    "payment REQUIRES_ACTION → CANCELLED",
    "payment SUCCEEDED → REFUNDED",
    "command – → PENDING",
    "command PENDING → SUCCEEDED",
    "command PENDING → REJECTED",
    "command PENDING → TIMED_OUT",
    "command PENDING → SUPERSEDED",
    "command TIMED_OUT → SUCCEEDED",
    "command TIMED_OUT → REJECTED",
    "blocker ONLINE → OFFLINE",
    "blocker OFFLINE → ONLINE",
    "notice STAY_ENDING_EXTENDABLE",
    "notice STAY_ENDING_SPOT_TAKEN",
    "notice STAY_ENDING_LONGEST",
    "override RAISED",
    "override LOWERED",
)


class Coverage:
    """Counters of one run, or of many."""

    def __init__(self) -> None:
        self.transitions: Counter[str] = Counter()
        self.answers: Counter[str] = Counter()
        self.faults: Counter[tuple[str, Fault]] = Counter()

    def transition(self, name: str) -> None:
        """It was reached."""
        self.transitions[name] += 1

    def answer(self, request: str, said: str) -> None:
        """A driver was answered so."""
        self.answers[f"{request}: {said}"] += 1

    def add(self, other: "Coverage") -> None:
        """Another run's counters too."""
        self.transitions += other.transitions
        self.answers += other.answers
        self.faults += other.faults

    def missing(self, faults: frozenset[Fault]) -> list[str]:
        """What was never reached, of what these faults make reachable."""
        pairs = [f"{call} × {f}" for call, those in FAULTS.items() for f in those if f in faults]
        reached = {f"{call} × {f}" for call, f in self.faults}
        unknown = sorted(set(self.transitions) - set(TRANSITIONS))
        never = [name for name in (*pairs, *TRANSITIONS) if name not in reached and name not in self.transitions]
        return never + [f"not in the table: {name}" for name in unknown]

    def table(self) -> Iterable[str]:
        """Lines for people."""
        for call, those in FAULTS.items():
            yield f"  {call:<20} " + ", ".join(f"{fault} {self.faults[call, fault]}" for fault in those)
        for name in TRANSITIONS:
            yield f"  {name:<52} {self.transitions[name]:>9}"
        for name, count in sorted(self.answers.items()):
            yield f"  {name:<52} {count:>9}"
