"""The routes of localstripe's beyond create, retrieve, update, delete and list: replace one, or add one.

What serves a route takes the parameters by keyword, and `id` from the path.
"""

from collections.abc import Callable
from typing import Any

from localstripe import resources


def replace(method: str, url: str, serve: Callable[..., Any]) -> None:
    """Serve `method url` by `serve`; ValueError when there is no such route."""
    known = [(known_method, known_url) for known_method, known_url, _ in resources.extra_apis]
    resources.extra_apis[known.index((method, url))] = (method, url, serve)


def add(method: str, url: str, serve: Callable[..., Any]) -> None:
    """Serve `method url`, which localstripe does not know."""
    resources.extra_apis.append((method, url, serve))
