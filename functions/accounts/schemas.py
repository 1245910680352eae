"""What the account API says."""

from datetime import datetime

from notifications.schemas import NotificationOut, PreferencesOut, PushDeviceOut
from parking.domain.ledger import Wallet
from parking.http import Instant, Out
from parking.services.accounts import Profile
from payments.schemas import PaymentMethodsOut, PaymentOut, TransactionOut, WalletOut
from reservations.schemas import ReservationOut


class ClosedOut(Out):
    """The account is closed. What is about the person is gone within minutes; the log-in too."""

    closed_at: Instant

    @classmethod
    def of(cls, wallet: Wallet) -> "ClosedOut":
        """The fact as it was written first."""
        return cls.model_validate({"closed_at": wallet.closed_at})


class ProfileOut(Out):
    """What we keep once of a driver. The e-mail address is in the user pool only: ask Cognito's `GetUser` for it."""

    user_id: str
    wallet: WalletOut
    payment_methods: PaymentMethodsOut
    notification_preferences: PreferencesOut
    favourite_spot_ids: list[str]
    push_devices: list[PushDeviceOut]

    @classmethod
    def of(cls, profile: Profile, now: datetime) -> "ProfileOut":
        """All of it, but for tokens and Stripe's ids of the driver."""
        phones = [
            PushDeviceOut(device_id=one.device_id, platform=one.platform, reachable=one.endpoint is not None)
            for one in profile.devices
        ]
        return cls(
            user_id=profile.wallet.user_id,
            wallet=WalletOut.of(profile.wallet, now),
            payment_methods=PaymentMethodsOut.of(profile.customer),
            notification_preferences=PreferencesOut.of(profile.preferences),
            favourite_spot_ids=list(profile.favourites.spot_ids),
            push_devices=phones,
        )


class ExportOut(Out):
    """A part of everything that we keep of the driver; only the first has the profile. Follow `next_cursor`."""

    profile: ProfileOut | None = None
    reservations: list[ReservationOut]
    payments: list[PaymentOut]
    transactions: list[TransactionOut]
    notifications: list[NotificationOut]
    next_cursor: str | None
