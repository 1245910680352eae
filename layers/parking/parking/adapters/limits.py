"""DynamoDB's limits, held by the memory twin too."""

DUE_BATCH = 200  # of the due index, read at once
ITEMS_MAX = 100  # in one transaction, and in one batch of keys


def check_number_of_items(number: int) -> None:
    """Raises ValueError if it is more than one call can hold: a bug in the use case, not a state of the world."""
    if number > ITEMS_MAX:
        raise ValueError(f"{number} items are over the limit of {ITEMS_MAX}")
