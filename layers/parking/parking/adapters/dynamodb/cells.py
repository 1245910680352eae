"""H3 cells: where a spot is filed, and how a search reads them, the nearest first.

A spot is filed under its finest cell, and that under the region that holds it. H3's ids sort so that the finest cells
inside any cell of a resolution in between are one range: so one Query reads a cell of any size.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache
from heapq import heappop, heappush

import h3  # type: ignore[import-untyped]  # it ships no types

from parking.domain.area import Area, Rank
from parking.domain.ids import SpotId
from parking.domain.spot import Location, Spot

REGION = 5  # about 250 km² a cell: a large city on one screen is some 20 of them
FINEST = 9  # about 0.1 km² a cell: a block of houses
_CELLS_PER_REACH = 2.0  # an area is first read in cells whose edge is at least half its reach: some 5 to 20
_BULGE = 1.2  # the cells inside a cell stick out of its hexagon, by up to 6 % of its radius (measured)
_MARGIN_M = 1.0  # H3's sphere is a millimetre smaller than ours, and its cell edges are computed, not exact


def cell_of(location: Location) -> str:
    """The finest cell that holds the location."""
    return str(h3.latlng_to_cell(location.latitude, location.longitude, FINEST))


def region_of(location: Location) -> str:
    """The region that the location's finest cell belongs to."""
    return str(h3.cell_to_parent(cell_of(location), REGION))


def is_finest(cell: str) -> bool:
    """True if nothing smaller is filed."""
    return bool(h3.get_resolution(cell) == FINEST)


def keys_of(cell: str) -> tuple[str, str, str]:
    """The region of a cell, and the first and the last of the finest cells in it."""
    last = h3.cell_to_children_size(cell, FINEST) - 1
    return (
        h3.cell_to_parent(cell, REGION),
        h3.child_pos_to_cell(cell, FINEST, 0),
        h3.child_pos_to_cell(cell, FINEST, last),
    )


def cover(area: Area) -> list[str]:
    """Cells of one size that hold every spot of the area between them; the smaller the area, the smaller they are.

    The cells that meet an area hang together, so walking from its centre's cell through neighbours finds them all.
    """
    first = str(h3.cell_to_parent(cell_of(area.centre), _resolution(area.reach_m)))
    covering, edge = {first}, [first]
    while edge:
        neighbours = {near for cell in edge for near in h3.grid_disk(cell, 1)} - covering
        edge = [cell for cell in neighbours if _may_meet(cell, area)]
        covering.update(edge)
    return sorted(covering)


def nearest_first(area: Area, after: Rank | None, read: Callable[[str], list[Spot] | None]) -> Iterator[Spot]:
    """The spots of the area behind `after`, by rank. No cell is read before a spot could be in it that is due.

    `read` gives the spots of a cell, or None: too many, ask for its parts.
    """
    unread: list[tuple[float, str]] = []

    def leave_for_later(cells: list[str]) -> None:
        for cell in cells:
            nearest_m, farthest_m = _distances_m(cell, area.centre)
            if _may_meet(cell, area) and (after is None or farthest_m >= after.distance_m):
                heappush(unread, (nearest_m, cell))

    leave_for_later(cover(area))
    found: list[tuple[Rank, Spot]] = []
    seen = set[SpotId]()  # a spot that is being moved may be in the index twice
    while unread or found:
        if found and (not unread or found[0][0].distance_m < unread[0][0]):
            yield heappop(found)[1]
            continue
        cell = heappop(unread)[1]
        spots = read(cell)
        if spots is None:
            leave_for_later(h3.cell_to_children(cell))
            continue
        for spot in spots:
            rank = Rank.of(spot, area)
            if area.contains(spot.location) and (after is None or rank > after) and spot.spot_id not in seen:
                heappush(found, (rank, spot))
                seen.add(spot.spot_id)


def _resolution(reach_m: float) -> int:
    """The finest resolution whose cells cover so much with few."""
    for resolution in range(FINEST, REGION, -1):
        if h3.average_hexagon_edge_length(resolution, unit="m") * _CELLS_PER_REACH >= reach_m:
            return resolution
    return REGION


def _may_meet(cell: str, area: Area) -> bool:
    middle, reach_m = _extent(cell)
    return area.outside_m(middle) <= reach_m


def _distances_m(cell: str, centre: Location) -> tuple[float, float]:
    """How near and how far from the centre a spot of the cell can be."""
    middle, reach_m = _extent(cell)
    distance_m = middle.distance_m(centre)
    return max(0.0, distance_m - reach_m), distance_m + reach_m


@lru_cache(maxsize=4096)
def _extent(cell: str) -> tuple[Location, float]:
    """The middle of a cell, and how far from it a spot of the cell can be."""
    middle = Location(*h3.cell_to_latlng(cell))
    corner_m = max(middle.distance_m(Location(*corner)) for corner in h3.cell_to_boundary(cell))
    return middle, corner_m * (1.0 if is_finest(cell) else _BULGE) + _MARGIN_M
