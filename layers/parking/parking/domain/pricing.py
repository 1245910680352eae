"""What a stay costs by a spot's tariff, and the lines that say why.

Time is sold by started steps of real time, counted from the stay's start. The wall clock at the spot when a step starts
chooses its band, and the local day towards whose cap it counts. Sums are exact, in sixtieths of a minor unit (minutes
times the price of an hour), and rounded once.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from zoneinfo import ZoneInfo

from parking.domain.tariff import Band, PriceLine, Quote, Tariff, rounded_minor, spoken
from parking.domain.time import Interval

_SIXTIETHS = 60


def quote_stay(tariff: Tariff, stay: Interval, time_zone: str) -> Quote:
    """The price of a whole stay at a spot in this IANA time zone."""
    return _quote(tariff, _Meter(), _metered(tariff, stay, time_zone), opening="")


def quote_extension(tariff: Tariff, stay: Interval, longer: Interval, time_zone: str) -> Quote:
    """What the longer stay, of the same start, costs more than the shorter one: never less than nothing.

    So extending is never dearer than booking the whole at once.
    """
    before, after = _metered(tariff, stay, time_zone), _metered(tariff, longer, time_zone)
    return _quote(tariff, before, after, opening="Extension")


@dataclass(frozen=True, slots=True)
class _Meter:
    """The started steps of a stay: their minutes by band (None: the base price), and by local day their price.

    The price is in sixtieths of a minor unit, before the cap.
    """

    minutes: Counter[Band | None] = field(default_factory=Counter)
    sixtieths: Counter[date] = field(default_factory=Counter)

    def above_cap(self, tariff: Tariff) -> Counter[date]:
        """By how much, in sixtieths, each local day exceeds the daily cap."""
        cap_minor = tariff.daily_cap_minor
        if cap_minor is None:
            return Counter()
        return Counter({day: max(0, price - cap_minor * _SIXTIETHS) for day, price in self.sixtieths.items()})


def _metered(tariff: Tariff, stay: Interval, time_zone: str) -> _Meter:
    zone, step, meter = ZoneInfo(time_zone), tariff.step, _Meter()
    steps = -(-stay.duration // step)
    if not tariff.bands and tariff.daily_cap_minor is None:  # no clock on the wall changes this price
        minutes = steps * tariff.step_minutes
        day = stay.starts_at.astimezone(zone).date()
        return _Meter(Counter({None: minutes}), Counter({day: minutes * tariff.price_per_hour_minor}))
    for number in range(steps):
        local = (stay.starts_at + number * step).astimezone(zone)
        band = tariff.band_at(local)
        meter.minutes[band] += tariff.step_minutes
        meter.sixtieths[local.date()] += tariff.step_minutes * tariff.price_in(band)
    return meter


def _quote(tariff: Tariff, before: _Meter, after: _Meter, opening: str) -> Quote:
    """The price of what `after` has more than `before`: a line for each band, then one for each day above its cap."""
    above_before, above_after = before.above_cap(tariff), after.above_cap(tariff)
    sold = after.minutes - before.minutes
    parts = [(_sold(tariff, band, minutes, opening), minutes * tariff.price_in(band)) for band, minutes in sold.items()]
    parts += [(_capped(day, opening), -more) for day, more in (above_after - above_before).items()]
    so_far = before.sixtieths.total() - above_before.total()
    lines = []
    for text, sixtieths in parts:
        # Each line is what the rounded sum grows by, so that the lines add up to an amount that is rounded once.
        lines.append(PriceLine(text, rounded_minor(so_far + sixtieths) - rounded_minor(so_far)))
        so_far += sixtieths
    return Quote(tuple(lines), sum(line.amount_minor for line in lines), tariff.currency, tariff.version)


def _sold(tariff: Tariff, band: Band | None, minutes: int, opening: str) -> str:
    if band or tariff.bands:
        return _joined(opening, band.label if band else "Standard price", spoken(minutes))
    return _joined(opening or "Parking", spoken(minutes))


def _capped(day: date, opening: str) -> str:
    return _joined(opening, "Daily cap", f"{day:%a} {day.day} {day:%b}")


def _joined(*parts: str) -> str:
    return ", ".join(part for part in parts if part)
