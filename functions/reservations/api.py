"""Reserving, arriving, extending, departing, cancelling."""

from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from parking import wiring
from parking.domain.blocker import Blocker
from parking.domain.errors import WrongState
from parking.domain.ids import ReservationId, SpotId
from parking.domain.payment import Payment
from parking.domain.receipt import receipt_of
from parking.domain.reservation import Reservation, ReservationStatus
from parking.http import Cursor, Door, IdempotencyKey, IdPath, Instant, Limit, answer, documented, entry, prefers
from parking.schemas import PriceOut
from parking.services import bookings, displaced, offline_entry
from parking.services.blockers import reconcile
from parking.services.owned import reservation_of
from parking.services.ports import Busy, ShadowUnavailable, StoreUnavailable
from reservations.receipt_page import receipt_page
from reservations.schemas import (
    AlternativeOut,
    AlternativesOut,
    ExtendIn,
    ExtensionOptionOut,
    ExtensionOut,
    MoveIn,
    OfflineCodeOut,
    ReceiptOut,
    ReservationOut,
    ReservationsOut,
    ReserveIn,
)

logger = Logger()
door = Door()
app = door.app
handler = entry(door)


def _shown(reservation: Reservation) -> ReservationOut:
    blocker = wiring.store().get(Blocker, reservation.blocker_id) if reservation.guarded_by_blocker else None
    return ReservationOut.of(reservation, blocker, door.now)


@app.post(
    "/reservations",
    summary="Reserve a spot",
    tags=["reservations"],
    responses=documented(
        HTTPStatus.CREATED, ReservationOut, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY
    ),
)
def reserve(wish: ReserveIn, key: IdempotencyKey) -> Response[Any]:
    """Hold the spot for ten minutes; pay to keep it."""
    asked = bookings.Wish(
        spot_id=SpotId(wish.spot_id),
        starts_at=wish.starts_at,
        ends_at=wish.ends_at,
        quoted_amount_minor=wish.quoted_amount,
        vehicle_plate=wish.vehicle_plate,
    )
    reservation = bookings.reserve(wiring.store(), door.wish(key), asked, door.now)
    return answer(ReservationOut.of(reservation, None, door.now), HTTPStatus.CREATED)


@app.get(
    "/reservations",
    summary="My reservations",
    tags=["reservations"],
    responses=documented(HTTPStatus.OK, ReservationsOut),
)
def list_reservations(
    status: Annotated[ReservationStatus | None, Query()] = None, limit: Limit = 20, cursor: Cursor = None
) -> ReservationsOut:
    """Newest first."""
    store = wiring.store()
    page = store.page(Reservation, door.user_id, limit=limit, cursor=cursor, status=status)
    guarded = [(one.blocker_id,) for one in page.items if one.guarded_by_blocker]
    blockers = {one.blocker_id: one for one in store.get_many(Blocker, sorted(set(guarded)))} if guarded else {}
    items = [ReservationOut.of(one, blockers.get(one.blocker_id), door.now) for one in page.items]
    return ReservationsOut(items=items, next_cursor=page.cursor)


@app.get(
    "/reservations/<reservation_id>",
    summary="One reservation",
    tags=["reservations"],
    responses=documented(HTTPStatus.OK, ReservationOut, HTTPStatus.NOT_FOUND),
)
def get_reservation(reservation_id: IdPath) -> Response[Any]:
    """With price, times, payments and what the barrier does."""
    return answer(_shown(reservation_of(wiring.store(), door.user_id, ReservationId(reservation_id))))


@app.post(
    "/reservations/<reservation_id>/arrival",
    summary="I am here: lower the barrier",
    tags=["reservations"],
    responses=documented(HTTPStatus.ACCEPTED, ReservationOut, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)
def arrive(reservation_id: IdPath) -> Response[Any]:
    """The barrier is being lowered; the stay is ACTIVE once the machine reports that it is down."""
    reservation = bookings.arrive(wiring.store(), door.user_id, ReservationId(reservation_id), door.now)
    try:
        reconcile(wiring.store(), wiring.shadows(), reservation.blocker_id, door.now)
    except (Busy, ShadowUnavailable, StoreUnavailable):
        # The arrival is committed; the stream and the schedule call the same reconcile.
        logger.exception("the barrier could not be told at once", reservation_id=reservation_id)
    return answer(_shown(reservation), HTTPStatus.ACCEPTED)


@app.get(
    "/reservations/<reservation_id>/offline-code",
    summary="The barrier does not go down: a code to type there",
    tags=["reservations"],
    responses=documented(HTTPStatus.OK, OfflineCodeOut, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)
def offline_code(reservation_id: IdPath) -> OfflineCodeOut:
    """Half a minute after an arrival that has not lowered the barrier, until the end. It works without a network.

    A code opens once and for this stay only. Before its time `offline_code_unavailable` says from when on to ask again.
    """
    found = ReservationId(reservation_id)
    given = offline_entry.offline_code(wiring.store(), wiring.entry_codes(), door.user_id, found, door.now)
    logger.info("offline code given", reservation_id=reservation_id)
    return OfflineCodeOut(code=given.code, expires_at=given.expires_at)


@app.post(
    "/reservations/<reservation_id>/departure",
    summary="I am leaving",
    tags=["reservations"],
    responses=documented(HTTPStatus.OK, ReservationOut, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)
def depart(reservation_id: IdPath) -> ReservationOut:
    """Ends the stay and gives the rest of the time back to others."""
    return _shown(bookings.leave(wiring.store(), door.user_id, ReservationId(reservation_id), door.now))


@app.post(
    "/reservations/<reservation_id>/cancellation",
    summary="Cancel",
    tags=["reservations"],
    responses=documented(HTTPStatus.OK, ReservationOut, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)
def cancel(reservation_id: IdPath) -> ReservationOut:
    """Before the start everything is refunded, after it nothing; by our fault everything.

    That is a spot that is occupied (with a credit), that its barrier did not guard, or that is out of service.
    """
    return _shown(bookings.call_off(wiring.store(), door.user_id, ReservationId(reservation_id), door.now))


@app.get(
    "/reservations/<reservation_id>/alternatives",
    summary="My spot cannot be relied on: where else?",
    tags=["reservations"],
    responses=documented(HTTPStatus.OK, AlternativesOut, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)
def list_alternatives(reservation_id: IdPath) -> AlternativesOut:
    """Equal spots within 500 m that are free for the rest of the stay, while yours cannot be relied on."""
    found = displaced.alternatives(wiring.store(), door.user_id, ReservationId(reservation_id), door.now)
    return AlternativesOut(items=[AlternativeOut.of(one) for one in found])


@app.post(
    "/reservations/<reservation_id>/move",
    summary="Take another spot for the same price",
    tags=["reservations"],
    responses=documented(HTTPStatus.OK, ReservationOut, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)
def move_reservation(reservation_id: IdPath, wish: MoveIn) -> ReservationOut:
    """The stay goes on at one of the alternatives, whose barrier is raised for it. Asking again changes nothing."""
    found = ReservationId(reservation_id)
    return _shown(displaced.move(wiring.store(), door.user_id, found, SpotId(wish.spot_id), door.now))


@app.get(
    "/reservations/<reservation_id>/extension",
    summary="Can I stay longer?",
    tags=["reservations"],
    responses=documented(HTTPStatus.OK, ExtensionOptionOut, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)
def get_extension_option(
    reservation_id: IdPath, ends_at: Annotated[Instant | None, Query()] = None
) -> ExtensionOptionOut:
    """Whether and until when; with an end, what it costs."""
    option = bookings.extension_option(wiring.store(), door.user_id, ReservationId(reservation_id), ends_at, door.now)
    price = PriceOut.of(option.quote) if option.quote else None
    return ExtensionOptionOut(extendable=option.extendable, latest_ends_at=option.latest_ends_at, price=price)


@app.post(
    "/reservations/<reservation_id>/extensions",
    summary="Stay longer",
    tags=["reservations"],
    responses=documented(
        HTTPStatus.CREATED, ExtensionOut, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY
    ),
)
def extend(reservation_id: IdPath, wish: ExtendIn, key: IdempotencyKey) -> Response[Any]:
    """Hold more time; the end moves when it is paid."""
    reservation, extension = bookings.extend(
        wiring.store(), door.wish(key), ReservationId(reservation_id), wish.ends_at, door.now
    )
    return answer(ExtensionOut.of(reservation.reservation_id, extension), HTTPStatus.CREATED)


@app.get(
    "/reservations/<reservation_id>/receipt",
    summary="The receipt of a stay that is over",
    tags=["reservations"],
    responses=documented(HTTPStatus.OK, ReceiptOut, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)
def get_receipt(reservation_id: IdPath) -> Response[Any]:
    """Sealed at the end: prices, payments, refunds, times, and what the barrier did.

    With `Accept: text/html` it is a page that prints to one sheet of A4.
    """
    store = wiring.store()
    reservation = reservation_of(store, door.user_id, ReservationId(reservation_id))
    keys = [(reservation.user_id, payment_id) for payment_id in reservation.payment_ids]
    sealed = receipt_of(reservation, store.get_many(Payment, keys) if keys else [])
    if sealed is None:
        raise WrongState("The receipt is ready when the stay is over.", reservation_status=reservation.status)
    if prefers(app.current_event.headers.get("accept", ""), "text/html"):
        return Response(HTTPStatus.OK.value, "text/html; charset=utf-8", receipt_page(sealed))
    return answer(ReceiptOut.of(sealed))
