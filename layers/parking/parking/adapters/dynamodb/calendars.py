"""Items of the Calendars table."""

from pynamodb.attributes import ListAttribute, UnicodeAttribute

from parking.adapters.dynamodb.attributes import DayAttribute, InstantAttribute, TypedMap, VersionedModel
from parking.domain.calendar import CalendarDay, Claim
from parking.domain.ids import ReservationId, SpotId, UserId
from parking.domain.time import Interval


class ClaimMap(TypedMap):
    """A claim. Many stand in one day, and every booking rewrites the day, so the names are short.

    u: user_id, r: reservation_id, s: the stay's start, e: its end, b: blocked until.
    """

    user_id = UnicodeAttribute(attr_name="u")
    reservation_id = UnicodeAttribute(attr_name="r")
    starts_at = InstantAttribute(attr_name="s")
    ends_at = InstantAttribute(attr_name="e")
    blocked_until = InstantAttribute(attr_name="b")


class CalendarDayModel(VersionedModel):
    """One UTC day of one spot."""

    spot_id = UnicodeAttribute(hash_key=True)
    day = DayAttribute(range_key=True)
    claims: ListAttribute[ClaimMap] = ListAttribute(of=ClaimMap)


def item_of(day: CalendarDay) -> CalendarDayModel:
    """The day as it is stored."""
    return CalendarDayModel(
        spot_id=day.spot_id,
        day=day.day,
        claims=[
            ClaimMap(
                user_id=claim.user_id,
                reservation_id=claim.reservation_id,
                starts_at=claim.stay.starts_at,
                ends_at=claim.stay.ends_at,
                blocked_until=claim.blocked_until,
            )
            for claim in day.claims
        ],
        version=day.version,
    )


def day_of(item: CalendarDayModel) -> CalendarDay:
    """The stored day."""
    return CalendarDay(
        spot_id=SpotId(item.spot_id),
        day=item.day,
        claims=tuple(
            Claim(
                user_id=UserId(claim.user_id),
                reservation_id=ReservationId(claim.reservation_id),
                stay=Interval(claim.starts_at, claim.ends_at),
                blocked_until=claim.blocked_until,
            )
            for claim in item.claims
        ),
        version=item.version,
    )
