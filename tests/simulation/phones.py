"""A driver's phones: set up with one token or another, handed on without a word, signed out, muted."""

from typing import TYPE_CHECKING

from parking.domain.ids import DeviceId, UserId
from parking.domain.notification import Platform, PushDevice
from parking.domain.telling import MUTABLE
from parking.services import notifications, phones
from tests.simulation.draws import Weighted

if TYPE_CHECKING:
    from tests.simulation.world import World

_ACTS = Weighted([("register", 5), ("take over", 2), ("sign out", 4), ("mute", 2)])


class Phones:
    """What one driver does with them."""

    def __init__(self, world: "World", user_id: UserId) -> None:
        self._user_id = user_id
        self._world = world

    def act(self) -> None:
        """One thing."""
        world, user_id = self._world, self._user_id
        mine = world.store.push_devices(user_id)
        others = [one for one in world.store.all_of(PushDevice) if one.user_id != user_id]
        match world.draws.weighted(_ACTS):
            case "sign out" if mine:
                self._sign_out(world.draws.pick(mine))
            case "take over" if others:
                # On a phone that its driver lent without signing out, under whatever name the app gives it.
                phone = world.draws.pick(others)
                self.register(DeviceId(f"{user_id}-phone-{world.draws.draw(2)}"), phone.token)
            case "mute":
                self._mute()
            case _:
                device_id = DeviceId(f"{user_id}-phone-{world.draws.draw(2)}")
                self.register(device_id, f"{device_id}-token-{world.draws.draw(2)}")

    def register(self, device_id: DeviceId, token: str) -> None:
        """The app starts on a phone, and says so."""
        world, user_id, since = self._world, self._user_id, self._world.phones.clock
        before = world.store.get(PushDevice, user_id, device_id)
        registered = f"endpoint/{Platform.FCM}/{token}"
        replaced = before if before and before.endpoint != registered else None
        self._let_go(replaced, since)
        former, began = world.phones.in_hand(registered, since)
        outcome = world.invoke(
            "register phone",
            lambda: phones.register_device(
                world.ports.store, world.ports.push, user_id, device_id, platform=Platform.FCM, token=token
            ),
            now=world.now,
            user_id=user_id,
        )
        world.phones.doubt(user_id, since)
        world.phones.registered(registered, user_id if outcome.value else None, began, former)
        self._let_go(replaced, since)

    def _sign_out(self, device: PushDevice) -> None:
        world, since = self._world, self._world.phones.clock
        self._let_go(device, since)
        world.invoke(
            "sign out",
            lambda: phones.sign_out_device(world.ports.store, world.ports.push, self._user_id, device.device_id),
            now=world.now,
            user_id=self._user_id,
        )
        world.phones.doubt(self._user_id, since)
        self._let_go(device, since)

    def _let_go(self, device: PushDevice | None, since: int) -> None:
        """From the request on until its end, and after it, the phone is perhaps not the driver's."""
        if device and device.endpoint:
            self._world.phones.let_go(device.endpoint, self._user_id, since)

    def _mute(self) -> None:
        world, since = self._world, self._world.phones.clock
        kinds = [kind for kind in sorted(MUTABLE) if world.draws.chance(500)]
        outcome = world.invoke(
            "prefer",
            lambda: notifications.set_preferences(world.ports.store, self._user_id, locale=None, muted=kinds),
            now=world.now,
            user_id=self._user_id,
        )
        world.phones.muted(self._user_id, kinds if outcome.value else None, since)
