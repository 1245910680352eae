"""What was committed, said in the log once it stands: by it a story is found, and business is counted.

One line per commit, whoever made it, with the correlation id of what asked for it. Decision 46 says why here.
"""

from collections.abc import Iterator, Sequence

from aws_lambda_powertools import Logger

from parking.domain.audit import AuditEntry
from parking.domain.blocker import Blocker, CommandStatus
from parking.domain.ids import ReservationId
from parking.domain.ledger import REVENUE, Transaction
from parking.domain.notification import EndpointOwner, Notification, PushDevice
from parking.domain.payment import Payment
from parking.domain.reservation import Reservation, ReservationStatus
from parking.metrics import count
from parking.services.ports import Aggregate

logger = Logger()


def tell(committed: Sequence[Aggregate]) -> None:
    """Say what stands now: each fact's address, state and version. Nothing else of what it holds is for a log."""
    logger.info(
        "committed",
        facts=[_said(one) for one in committed],
        reservation_ids=sorted({id_ for one in committed for id_ in _stays(one)}),
    )
    if business := counted(committed):
        count(business)


def counted(committed: Sequence[Aggregate]) -> dict[str, int]:
    """What the commit adds to the business metrics, by their names. Amounts are minor units of the stack's currency.

    A reservation is new, or EXPIRED, in one commit of its life: nothing else is ever saved of an expired one but the
    late money that confirms it. A ledger record is saved once.
    """
    reservations = [one for one in committed if isinstance(one, Reservation)]
    earned = [one.amount_on(REVENUE) for one in committed if isinstance(one, Transaction)]
    numbers = {
        "Reservations": sum(one.version == 0 for one in reservations),
        "HoldsExpired": sum(one.status is ReservationStatus.EXPIRED for one in reservations),
        "RevenueMinor": sum(earned),
    }
    return {name: number for name, number in numbers.items() if number}


def _said(one: Aggregate) -> str:
    return " ".join((type(one).__name__, _address(one), *_state(one), f"v{one.version + 1}"))


def _address(one: Aggregate) -> str:
    """Its key, where all of that is of our making: what a phone calls itself, or its token, is not for a log."""
    return one.user_id if isinstance(one, PushDevice | EndpointOwner) else "/".join(map(str, one.key))


def _state(one: Aggregate) -> Iterator[str]:
    match one:
        case Reservation():
            yield one.status
            if one.reason:
                yield one.reason
        case Payment():
            yield from (one.purpose, one.status)
        case Transaction() | Notification():
            yield one.kind
        case AuditEntry():
            yield one.action
        case Blocker(command=command) if command:
            yield from (command.command_id, command.position, command.status)
        case _:
            pass


def _stays(one: Aggregate) -> Iterator[ReservationId]:
    """The reservations whose story this is part of."""
    match one:
        case Reservation(reservation_id=id_) | Payment(reservation_id=str(id_)) | Transaction(reservation_id=str(id_)):
            yield id_
        case Notification(data={"reservation_id": id_}):
            yield ReservationId(id_)
        case Blocker(command=command) if command and command.reservation_id and _is_news(one):
            yield command.reservation_id
        case _:
            pass


def _is_news(blocker: Blocker) -> bool:
    """True while the command is under way, and once more when its answer comes: heartbeats tell nothing of the stay."""
    command, report = blocker.command, blocker.report
    if command is None or command.status is CommandStatus.PENDING:
        return True
    return report is not None and command.answered_at == report.received_at
