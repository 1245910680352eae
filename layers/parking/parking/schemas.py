"""Answers that more than one API function speaks of."""

from parking.domain.tariff import Quote
from parking.http import Out


class PriceLineOut(Out):
    """One line of a price."""

    text: str
    amount: int


class PriceOut(Out):
    """An amount in minor units, and what it is made of."""

    amount: int
    currency: str
    lines: list[PriceLineOut]
    tariff_version: int

    @classmethod
    def of(cls, quote: Quote) -> "PriceOut":
        """The price as the app shows it."""
        return cls(
            amount=quote.amount_minor,
            currency=quote.currency,
            lines=[PriceLineOut(text=line.text, amount=line.amount_minor) for line in quote.lines],
            tariff_version=quote.tariff_version,
        )
