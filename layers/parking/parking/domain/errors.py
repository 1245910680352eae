"""Why a use case says no. One named exception per cause; `code` is part of the API (docs/api)."""

from typing import Any, ClassVar


class ParkingError(Exception):
    """Base of every refusal that a client may see; `data` is added to the problem document."""

    code: ClassVar[str]

    def __init__(self, detail: str, **data: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.data = data


class NotFound(ParkingError):
    """There is no such thing, or it belongs to somebody else."""

    code = "not_found"


class InvalidField(ParkingError):
    """A field of the request breaks a rule that its type alone cannot say."""

    code = "invalid_request"

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class Refused(ParkingError):
    """The request is well formed, but the state of the world does not allow it now."""


class SpotUnavailable(Refused):
    """The interval is held or booked by somebody else, or the spot is out of service."""

    code = "spot_unavailable"


class PriceChanged(Refused):
    """The driver saw another amount than the tariff asks now."""

    code = "price_changed"


class BlockerUnavailable(Refused):
    """The stay is to begin now, but the spot's blocker cannot be reached."""

    code = "blocker_unavailable"


class ExtensionUnavailable(Refused):
    """The stay cannot last until then; `latest_ends_at` says until when it can."""

    code = "extension_unavailable"


class HoldExpired(Refused):
    """The hold lapsed before the payment came."""

    code = "hold_expired"


class NotPaid(Refused):
    """The reservation is not paid yet."""

    code = "not_paid"


class AlreadyPaid(Refused):
    """There is nothing left to pay."""

    code = "already_paid"


class OutsideArrivalWindow(Refused):
    """Arrival is possible from 15 minutes before the start until the end."""

    code = "outside_arrival_window"


class SpotNotYetFree(Refused):
    """The stay before this one has not ended, or its car is still there."""

    code = "spot_not_yet_free"


class WrongState(Refused):
    """The reservation's state does not know this step."""

    code = "wrong_state"


class OfflineCodeUnavailable(Refused):
    """There is a code for a barrier only half a minute after an arrival that has not lowered it; `available_at`."""

    code = "offline_code_unavailable"


class DebtOpen(Refused):
    """An overstay is not paid yet; `reservation_id` and `amount` say which."""

    code = "debt_open"


class AmountTooSmallForCard(Refused):
    """Stripe charges no card for so little."""

    code = "amount_too_small_for_card"


class WithdrawalUnavailable(Refused):
    """The cards that filled the wallet cannot take that much back now; `available_amount` says how much they can."""

    code = "withdrawal_unavailable"


class DailyLimitReached(Refused):
    """More than a day's share; `left_amount` says how much of it is left."""

    code = "daily_limit_reached"


class TooManyPaymentMethods(Refused):
    """No more cards can be saved."""

    code = "too_many_payment_methods"


class TooManyPushDevices(Refused):
    """No more phones can be registered."""

    code = "too_many_push_devices"


class TooManyFavourites(Refused):
    """No more spots can be favourites."""

    code = "too_many_favourites"


class AccountNotSettled(Refused):
    """The account cannot be closed while something is booked, on its way or left over; the data says what."""

    code = "account_not_settled"


class FreshLoginRequired(ParkingError):
    """What cannot be taken back is asked with a log-in of some time ago: whoever has only the token gets no further."""

    code = "fresh_login_required"


class AccountClosed(Refused):
    """The driver has closed the account: nothing new begins."""

    code = "account_closed"


class CardDeclined(ParkingError):
    """The card did not pay; `decline_code` is Stripe's reason. The hold still stands: try another method."""

    code = "card_declined"


class InsufficientFunds(ParkingError):
    """The wallet holds less than the amount."""

    code = "insufficient_funds"


class IdempotencyMismatch(ParkingError):
    """The same Idempotency-Key with another body."""

    code = "idempotency_mismatch"


class InvariantBroken(Exception):
    """A value that the domain can never make: a bug or a corrupted record, never a client's fault."""
