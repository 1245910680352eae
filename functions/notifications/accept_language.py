"""The languages that a request asks for."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Header

LONGEST_HEADER = 1024

AcceptLanguage = Annotated[
    str,
    Header(alias="Accept-Language", max_length=LONGEST_HEADER, description="What the driver reads, as in RFC 9110."),
]


def wished(header: str) -> list[str]:
    """The tags of an `Accept-Language` header, the most wanted first (RFC 9110, 12.5.4). What is no weight refuses."""
    ranges = [part.partition(";") for part in header.replace(" ", "").split(",")]
    weighed = [(weight, tag) for tag, _, parameter in ranges if tag and (weight := _weight(parameter)) > 0]
    return [tag for _, tag in sorted(weighed, key=_by_weight)]


def _weight(parameter: str) -> float:
    try:
        return float(parameter.removeprefix("q=")) if parameter else 1.0
    except ValueError:
        return 0.0


def _by_weight(weighed: tuple[float, str]) -> float:
    return -weighed[0]
