"""Yardstick (a): what the runtime alone takes."""

from typing import Any


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Nothing."""
    return {}
