"""H3 cells: which one a spot lies in, and which ones a search circle can touch."""

import h3  # type: ignore[import-untyped]  # it ships no types

from parking.domain.spot import Location

RESOLUTION = 7  # about 5 km² a cell: a walk's radius touches two to seven of them, one Query each
_MARGIN_M = 1.0  # H3's sphere is a millimetre smaller than ours, and its cell edges are computed, not exact


def cell_of(location: Location) -> str:
    """The cell that holds the location."""
    return str(h3.latlng_to_cell(location.latitude, location.longitude, RESOLUTION))


def cells_touching(centre: Location, radius_m: float) -> list[str]:
    """Every cell that can hold a point within the radius.

    The cells that meet a disc hang together, so walking from the centre's cell through neighbours that may meet it
    finds them all. A cell may meet it if its own centre is within the radius and its farthest corner's distance.
    """
    first = cell_of(centre)
    touching, edge = {first}, [first]
    while edge:
        neighbours = {near for cell in edge for near in h3.grid_disk(cell, 1)} - touching
        edge = [cell for cell in neighbours if _may_meet(cell, centre, radius_m)]
        touching.update(edge)
    return sorted(touching)


def _may_meet(cell: str, centre: Location, radius_m: float) -> bool:
    middle = Location(*h3.cell_to_latlng(cell))
    reach_m = max(middle.distance_m(Location(*corner)) for corner in h3.cell_to_boundary(cell))
    return middle.distance_m(centre) <= radius_m + reach_m + _MARGIN_M
