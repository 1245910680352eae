"""What a run has reached, and what there is to reach."""

from collections import Counter
from collections.abc import Iterable

from tests.simulation.faults import FAULTS, Fault

TRANSITIONS: tuple[str, ...] = (
    "reservation – → HELD",
    "reservation HELD → CONFIRMED",
    "reservation EXPIRED → CONFIRMED",
    "reservation HELD → EXPIRED by schedule",
    "reservation HELD → EXPIRED by the next driver",
    "reservation HELD → CANCELLED",
    "reservation CONFIRMED → ACTIVE",
    "reservation CONFIRMED → ACTIVE by a code",
    "reservation CONFIRMED → NO_SHOW",
    "reservation CONFIRMED → CANCELLED refunded",
    "reservation CONFIRMED → CANCELLED not refunded",
    "reservation CONFIRMED → CANCELLED BLOCKER_FAILED",
    "reservation CONFIRMED → CANCELLED SPOT_OCCUPIED chosen",
    "reservation CONFIRMED → CANCELLED SPOT_OCCUPIED unanswered",
    "reservation CONFIRMED → CANCELLED BLOCKER_FAILED chosen",
    "reservation moves, its guard failed",
    "reservation unserved",
    "reservation CANCELLED SPOT_OUT_OF_SERVICE chosen",
    "reservation CANCELLED SPOT_OUT_OF_SERVICE given up",
    "reservation CANCELLED SPOT_OUT_OF_SERVICE held",
    "reservation displaced",
    "reservation displaced, and arrives",
    "reservation moves",
    "reservation ACTIVE → COMPLETED DEPARTED",
    "reservation ACTIVE → COMPLETED TIME_ENDED",
    "reservation ACTIVE overstays",
    "extension – → HELD",
    "extension HELD → CONFIRMED",
    "extension HELD → EXPIRED",
    "overstay charged",
    "payment – → SUCCEEDED",
    "payment – → PENDING",
    "payment PENDING → REQUIRES_ACTION",
    "payment PENDING → SUCCEEDED",
    "payment PENDING → CANCELLING",
    "payment REQUIRES_ACTION → PENDING",
    "payment REQUIRES_ACTION → SUCCEEDED",
    "payment REQUIRES_ACTION → CANCELLING",
    "payment REQUIRES_ACTION → CANCELLED",
    "payment REQUIRES_ACTION → REFUND_PENDING",
    "payment CANCELLING → SUCCEEDED",
    "payment CANCELLING → REFUND_PENDING",
    "payment CANCELLING → CANCELLED",
    "payment CANCELLING → FAILED",
    "payment SUCCEEDED → REFUND_PENDING",
    "payment SUCCEEDED → PARTIALLY_REFUNDED",
    "payment SUCCEEDED → REFUNDED",
    "payment SUCCEEDED → FAILED",
    "payment REFUND_PENDING → REFUNDED",
    "payment PARTIALLY_REFUNDED → REFUNDED",
    "ledger DEPOSIT",
    "ledger WALLET_PAYMENT",
    "ledger CARD_PAYMENT",
    "ledger REFUND",
    "ledger WITHDRAWAL",
    "ledger CREDIT",
    "ledger CARD_REFUND",
    "ledger REFUND_TO_WALLET",
    "ledger DISPUTE",
    "ledger DISPUTE_WON",
    "account closed",
    "account erased",
    "account erased once more",
    "command – → PENDING",
    "command PENDING → SUCCEEDED",
    "command PENDING → REJECTED",
    "command PENDING → TIMED_OUT",
    "command PENDING → SUPERSEDED",
    "command TIMED_OUT → SUCCEEDED",
    "command TIMED_OUT → REJECTED",
    "command SUPERSEDED answered",
    "code OPENS",
    "code WRONG",
    "code TOO_OFTEN",
    "code FOR_NOBODY",
    "health MISSING → ONLINE",
    "health ONLINE → SUSPECT",
    "health SUSPECT → ONLINE",
    "health ONLINE → OFFLINE",
    "health OFFLINE → ONLINE",
    "health OFFLINE → SUSPECT",
    "health OFFLINE → MISSING",
    "health ONLINE → MISSING",
    "health SUSPECT → OFFLINE",
    "health SUSPECT → MISSING",
    "health MISSING → OFFLINE",
    "health MISSING → SUSPECT",
    "LOW_BATTERY begins",
    "LOW_BATTERY ends",
    "TAMPER begins",
    "TAMPER ends",
    "LEFT_OPEN begins",
    "LEFT_OPEN ends",
    "JAMMED begins",
    "JAMMED ends",
    "SENSOR_FAULT begins",
    "SENSOR_FAULT ends",
    "blocker ONLINE → OFFLINE",
    "blocker OFFLINE → ONLINE",
    "phone handed over",
    "push muted",
    "notice STAY_ENDING_EXTENDABLE",
    "notice STAY_ENDING_SPOT_TAKEN",
    "notice STAY_ENDING_LONGEST",
    "notice SPOT_TAKEN_NEXT",
    "notice OVERSTAY_WARNING",
    "notice OVERSTAY_METERED",
    "notice SPOT_STILL_OCCUPIED",
    "notice SPOT_OCCUPIED_MOVE_OFFERED",
    "notice SPOT_OCCUPIED_REFUND_OFFERED",
    "notice CREDIT_GRANTED",
    "notice GUARD_FAILED",
    "arrival failed",
    "notice SPOT_OUT_OF_SERVICE",
    "notice LATE_PAYMENT_REFUNDED",
    "notice REFUNDED_TO_WALLET",
    "notice OVERSTAY_CHARGED",
    "notice OVERSTAY_DEBT",
    "override RAISED",
    "override LOWERED",
    "override dropped",
    "spot IN_SERVICE → OUT_OF_SERVICE",
    "spot OUT_OF_SERVICE → IN_SERVICE",
)

RARE: tuple[str, ...] = (
    "ledger REFUND_BY_BANK",
    "extension EXPIRED → CONFIRMED",
    "payment PENDING → CANCELLED",
    "payment PENDING → FAILED",
    "payment PENDING → REFUND_PENDING",
    "payment REQUIRES_ACTION → FAILED",
)
"""Right, and so seldom that a short run may miss it."""


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
        unknown = sorted(set(self.transitions) - {*TRANSITIONS, *RARE})
        never = [name for name in (*pairs, *TRANSITIONS) if name not in reached and name not in self.transitions]
        return never + [f"not in the table: {name}" for name in unknown]

    def table(self) -> Iterable[str]:
        """Lines for people."""
        for call, those in FAULTS.items():
            yield f"  {call:<20} " + ", ".join(f"{fault} {self.faults[call, fault]}" for fault in those)
        for name in (*TRANSITIONS, *RARE):
            yield f"  {name:<52} {self.transitions[name]:>9}"
        for name, count in sorted(self.answers.items()):
            yield f"  {name:<52} {count:>9}"
