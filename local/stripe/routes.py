"""Replace what serves one of localstripe's extra routes (everything beyond create, retrieve, update, delete, list)."""

from collections.abc import Callable
from typing import Any

from localstripe import resources


def replace(method: str, url: str, serve: Callable[..., Any]) -> None:
    """Serve `method url` by `serve`, which takes the parameters by keyword; ValueError when there is no such route."""
    known = [(known_method, known_url) for known_method, known_url, _ in resources.extra_apis]
    resources.extra_apis[known.index((method, url))] = (method, url, serve)
