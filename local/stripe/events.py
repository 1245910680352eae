"""Emit an event as localstripe does: a snapshot of the object now, delivered to every receiver."""

from typing import Any

from localstripe import resources


def emit(event_type: str, about: Any) -> None:
    resources.schedule_webhook(resources.Event(event_type, about))
