"""The user pool as a set of those who were deleted."""

from parking.domain.ids import UserId


class MemoryLogins:
    """Logins."""

    def __init__(self) -> None:
        self.deleted = set[UserId]()

    def delete(self, user_id: UserId) -> None:
        """Delete a driver's log-in; one that is gone is fine."""
        self.deleted.add(user_id)
