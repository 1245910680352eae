"""Which intervals of a spot are taken. One item per spot and UTC day; a claim stands in every day that it touches."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from parking.domain.errors import InvariantBroken, SpotUnavailable
from parking.domain.ids import ReservationId, SpotId, UserId
from parking.domain.time import Interval


@dataclass(frozen=True, slots=True)
class Claim:
    """A reservation's hold on a spot: the stay, and until when the turnover after it keeps neighbours away."""

    user_id: UserId
    reservation_id: ReservationId
    stay: Interval
    blocked_until: datetime

    @classmethod
    def of(cls, user_id: UserId, reservation_id: ReservationId, stay: Interval, turnover_minutes: int) -> "Claim":
        """The claim of a stay with the spot's turnover time behind it."""
        return cls(user_id, reservation_id, stay, stay.ends_at + timedelta(minutes=turnover_minutes))

    @property
    def blocked(self) -> Interval:
        """The stay and the turnover after it. Two claims fit if these do not overlap."""
        return Interval(self.stay.starts_at, self.blocked_until)


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """The claims that touch one UTC day of one spot."""

    spot_id: SpotId
    day: date
    claims: tuple[Claim, ...] = ()
    version: int = 0

    @property
    def key(self) -> tuple[str, ...]:
        """Its address in the store."""
        return (self.spot_id, self.day.isoformat())


@dataclass(frozen=True, slots=True)
class Calendar:
    """Some days of one spot's calendar, loaded together and changed together."""

    spot_id: SpotId
    days: tuple[CalendarDay, ...]

    @property
    def claims(self) -> tuple[Claim, ...]:
        """Every claim in these days once, by start."""
        by_reservation = {claim.reservation_id: claim for day in self.days for claim in day.claims}
        return tuple(sorted(by_reservation.values(), key=lambda claim: claim.stay))

    def conflicts(self, wanted: Claim) -> tuple[Claim, ...]:
        """The claims of other reservations that the wanted one would overlap, turnover included."""
        self._must_cover(wanted.blocked)
        return tuple(
            claim
            for claim in self.claims
            if claim.reservation_id != wanted.reservation_id and claim.blocked.overlaps(wanted.blocked)
        )

    def with_claim(self, wanted: Claim) -> "Calendar":
        """The calendar in which `wanted` stands in place of the same reservation's earlier claim.

        Raises SpotUnavailable if it overlaps another claim.
        """
        if self.conflicts(wanted):
            raise SpotUnavailable("Somebody else has this spot in that time.")
        days = set(wanted.blocked.utc_days())
        return self._map(
            lambda day: (
                (*_without(day, wanted.reservation_id), wanted)
                if day.day in days
                else _without(day, wanted.reservation_id)
            )
        )

    def without(self, reservation_id: ReservationId) -> "Calendar":
        """The calendar with the reservation's claim gone."""
        return self._map(lambda day: _without(day, reservation_id))

    def changed_from(self, before: "Calendar") -> tuple[CalendarDay, ...]:
        """The days that differ: what a commit has to write."""
        return tuple(now for now, then in zip(self.days, before.days, strict=True) if now != then)

    def next_start_after(self, instant: datetime, but: ReservationId) -> datetime | None:
        """When the next other claim begins at or after the instant, as far as these days show."""
        starts = [c.stay.starts_at for c in self.claims if c.reservation_id != but and c.stay.starts_at >= instant]
        return min(starts, default=None)

    def last_before(self, instant: datetime) -> Claim | None:
        """The last claim whose stay ends at or before the instant, as far as these days show."""
        return max((c for c in self.claims if c.stay.ends_at <= instant), key=lambda c: c.stay.ends_at, default=None)

    def free_within(self, window: Interval, turnover_minutes: int) -> list[Interval]:
        """The intervals inside the window that could be booked, the turnover before the next claim left out."""
        free: list[Interval] = []
        open_from = window.starts_at
        for claim in self.claims:
            until = min(claim.stay.starts_at - timedelta(minutes=turnover_minutes), window.ends_at)
            if open_from < until:
                free.append(Interval(open_from, until))
            open_from = max(open_from, claim.blocked_until)
        if open_from < window.ends_at:
            free.append(Interval(open_from, window.ends_at))
        return free

    def _map(self, claims_of: Callable[[CalendarDay], tuple[Claim, ...]]) -> "Calendar":
        return replace(self, days=tuple(_with_claims(day, claims_of(day)) for day in self.days))

    def _must_cover(self, interval: Interval) -> None:
        missing = set(interval.utc_days()) - {day.day for day in self.days}
        if missing:
            raise InvariantBroken(f"calendar of {self.spot_id} was loaded without {sorted(missing)}")


def _without(day: CalendarDay, reservation_id: ReservationId) -> tuple[Claim, ...]:
    return tuple(claim for claim in day.claims if claim.reservation_id != reservation_id)


def _with_claims(day: CalendarDay, claims: Iterable[Claim]) -> CalendarDay:
    ordered = tuple(sorted(claims, key=lambda claim: (claim.stay, claim.reservation_id)))
    return day if ordered == day.claims else replace(day, claims=ordered)
