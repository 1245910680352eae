"""The phones that are knocked at: registered with each token that they get, signed out, handed on."""

from parking.domain.errors import NotFound, TooManyPushDevices
from parking.domain.ids import DeviceId, UserId
from parking.domain.notification import EndpointOwner, Platform, PushDevice
from parking.services.commit import until_committed
from parking.services.ports import Push, Store

MOST_DEVICES = 20


def register_device(
    store: Store,
    push: Push,
    user_id: UserId,
    device_id: DeviceId,
    *,
    platform: Platform,
    token: str,
    locale: str | None = None,
) -> PushDevice:
    """Remember a phone or its new token; the phone is this driver's from here on, whoever had it. Raises
    TooManyPushDevices.

    Always written, also if nothing differs: so whoever is about to forget the phone as it was finds it changed.
    """
    known = {device.device_id for device in store.push_devices(user_id)}
    if device_id not in known and len(known) >= MOST_DEVICES:
        raise TooManyPushDevices(f"At most {MOST_DEVICES} phones can be registered; sign one out first.")
    endpoint = push.register(device_id, platform, token)

    def attempt() -> tuple[PushDevice | None, PushDevice]:
        before = store.get(PushDevice, user_id, device_id)
        after = PushDevice(
            user_id=user_id,
            device_id=device_id,
            platform=platform,
            token=token,
            locale=locale,
            endpoint=endpoint,
            version=before.version if before else 0,
        )
        store.commit(after, *_claim(store, after))
        return before, after

    before, after = until_committed(attempt)
    if before and before.endpoint != endpoint:
        _let_go(store, push, before)
    return after


def sign_out_device(store: Store, push: Push, user_id: UserId, device_id: DeviceId) -> None:
    """Forget a phone. Raises NotFound."""
    device = store.get(PushDevice, user_id, device_id)
    if device is None:
        raise NotFound("There is no such device.", field="device_id")
    forget_device(store, push, device)


def forget_device(store: Store, push: Push, device: PushDevice) -> None:
    """Forget a phone and, unless it is another driver's by now, its endpoint."""
    _let_go(store, push, device)
    store.forget(device)


def _claim(store: Store, device: PushDevice) -> list[EndpointOwner]:
    if device.endpoint is None:
        return []
    before = store.get(EndpointOwner, device.endpoint)
    version = before.version if before else 0
    return [
        EndpointOwner(endpoint=device.endpoint, user_id=device.user_id, device_id=device.device_id, version=version)
    ]


def _let_go(store: Store, push: Push, device: PushDevice) -> None:
    """Remove the device's endpoint, unless another driver has signed in on the phone since."""
    owner = store.get(EndpointOwner, device.endpoint) if device.endpoint else None
    if owner and owner.is_of(device):
        push.remove(owner.endpoint)
        store.forget(owner)
