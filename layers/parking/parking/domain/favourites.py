"""The spots that a driver wants at hand."""

from dataclasses import dataclass, replace

from parking.domain.errors import NotFound, TooManyFavourites
from parking.domain.ids import SpotId, UserId

MOST_FAVOURITES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Favourites:
    """All favourites of a driver as one item, the newest last."""

    user_id: UserId
    spot_ids: tuple[SpotId, ...] = ()
    version: int = 0

    @property
    def key(self) -> tuple[str, ...]:
        """Its address in the store."""
        return (self.user_id,)

    def with_spot(self, spot_id: SpotId) -> "Favourites":
        """With one more spot; one that is there already changes nothing. Raises TooManyFavourites."""
        if spot_id in self.spot_ids:
            return self
        if len(self.spot_ids) >= MOST_FAVOURITES:
            raise TooManyFavourites(f"At most {MOST_FAVOURITES} spots can be favourites; remove one first.")
        return replace(self, spot_ids=(*self.spot_ids, spot_id))

    def without(self, spot_id: SpotId) -> "Favourites":
        """Without the spot. Raises NotFound."""
        if spot_id not in self.spot_ids:
            raise NotFound("This spot is not one of your favourites.", field="spot_id")
        return replace(self, spot_ids=tuple(one for one in self.spot_ids if one != spot_id))
