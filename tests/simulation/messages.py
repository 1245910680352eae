"""What is on its way: events that wait for their delivery, and what became of those that could not be delivered."""

import heapq
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class Channel:
    """How a kind of event is delivered again after a failure, and how often before it is given up."""

    tries_max: int
    retry_after: timedelta
    late_max: timedelta


# Streams try 11 times in an hour; fewer here, so that a run reaches the failure queue.
STREAM = Channel(tries_max=4, retry_after=timedelta(seconds=15), late_max=timedelta(days=1))
# Asynchronous invocations: the first try and two more.
DEVICE_EVENT = Channel(tries_max=3, retry_after=timedelta(minutes=1), late_max=timedelta(hours=1))
SCHEDULE = Channel(tries_max=3, retry_after=timedelta(minutes=1), late_max=timedelta(minutes=5))
# Stripe tries for three days.
WEBHOOK = Channel(tries_max=12, retry_after=timedelta(hours=2), late_max=timedelta(days=3))

CHANNELS = {
    "reservation changed": STREAM,
    "notice made": STREAM,
    "payment changed": STREAM,
    "shadow updated": DEVICE_EVENT,
    "presence": DEVICE_EVENT,
    "webhook": WEBHOOK,
    "tick": SCHEDULE,
}


@dataclass(slots=True)
class Message:
    """One event on its way. `at` is the event's own time."""

    deliver_at: datetime
    number: int
    kind: str
    payload: Any
    at: datetime
    poison: bool = False
    tries: int = 0

    @property
    def channel(self) -> Channel:
        """How it is delivered."""
        return CHANNELS[self.kind]


class Mail:
    """Messages by the time of their delivery."""

    def __init__(self) -> None:
        self.dead: list[Message] = []
        self._waiting: list[tuple[datetime, int, Message]] = []
        """A heap; of two that arrive together the one that was posted first is first."""
        self._number = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def post(self, kind: str, payload: Any, at: datetime, deliver_at: datetime, *, poison: bool = False) -> None:
        """Put an event on its way."""
        self._number += 1
        self._put(Message(deliver_at, self._number, kind, payload, at, poison))

    def next_at(self) -> datetime | None:
        """When the next one arrives."""
        return self._waiting[0][0] if self._waiting else None

    def take(self) -> Message:
        """The next one."""
        return heapq.heappop(self._waiting)[2]

    def take_out_of_order(self, index: int) -> Message:
        """Any one, by its place among all."""
        message = self._waiting.pop(index)[2]
        heapq.heapify(self._waiting)
        return message

    def failed(self, message: Message, now: datetime) -> None:
        """It is tried again later, or given up."""
        message.tries += 1
        if message.tries >= message.channel.tries_max:
            self.dead.append(message)
            return
        message.deliver_at = now + message.channel.retry_after * message.tries
        self._put(message)

    def redrive(self, now: datetime) -> None:
        """An operator has mended what was wrong, and sends the failure queues again; nothing stays late."""
        for message in self.dead:
            message.tries = 0
        waiting, self.dead, self._waiting = [*self.dead, *(entry[2] for entry in self._waiting)], [], []
        for message in waiting:
            message.poison = False
            message.deliver_at = min(message.deliver_at, max(now, message.at))
            self._put(message)

    def _put(self, message: Message) -> None:
        heapq.heappush(self._waiting, (message.deliver_at, message.number, message))
