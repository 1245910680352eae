"""Items of the Favourites table: one per driver."""

from pynamodb.attributes import ListAttribute, UnicodeAttribute

from parking.adapters.dynamodb.attributes import VersionedModel
from parking.domain.favourites import Favourites
from parking.domain.ids import SpotId, UserId


class FavouritesModel(VersionedModel):
    """The favourite spots of a driver."""

    user_id = UnicodeAttribute(hash_key=True)
    spot_ids: ListAttribute[str] = ListAttribute()


def item_of(favourites: Favourites) -> FavouritesModel:
    """The favourites as they are stored."""
    return FavouritesModel(user_id=favourites.user_id, spot_ids=list(favourites.spot_ids), version=favourites.version)


def favourites_of(item: FavouritesModel) -> Favourites:
    """The stored favourites."""
    return Favourites(
        user_id=UserId(item.user_id),
        spot_ids=tuple(SpotId(spot_id) for spot_id in item.spot_ids),
        version=item.version,
    )
