"""SNS mobile push in memory."""

from collections.abc import Collection

from parking.domain.notification import Platform
from parking.services.ports import EndpointGone, PushMessage


class MemoryPush:
    """Push: `published` holds what reached a device; `disable` is the platform's word that the app is gone."""

    def __init__(self, platforms: Collection[Platform] = tuple(Platform)) -> None:
        self.published: list[tuple[str, PushMessage]] = []
        self._platforms = platforms
        self.enabled: dict[str, bool] = {}
        """Every endpoint that there is."""

    def register(self, device_id: str, platform: Platform, token: str) -> str | None:  # noqa: ARG002 - tokens decide
        """The endpoint of a device, enabled; None where the stack has no credentials for the platform."""
        if platform not in self._platforms:
            return None
        endpoint = f"endpoint/{platform}/{token}"
        self.enabled[endpoint] = True
        return endpoint

    def remove(self, endpoint: str) -> None:
        """Delete an endpoint; one that is gone is fine."""
        self.enabled.pop(endpoint, None)

    def publish(self, endpoint: str, platform: Platform, message: PushMessage) -> None:  # noqa: ARG002 - as above
        """Knock. Raises EndpointGone."""
        if not self.enabled.get(endpoint):
            raise EndpointGone(endpoint)
        self.published.append((endpoint, message))

    def disable(self, endpoint: str) -> None:
        """The platform refused the token."""
        self.enabled[endpoint] = False
