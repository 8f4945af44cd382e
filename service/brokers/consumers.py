"""The consumers: one for each broker, and acknowledgements on the way back to the right one."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from time import monotonic

from edge.brokers.consumer import Consumer
from edge.inbox import Inbox, Message
from edge.operation.watchdog import Watchdog
from edge.receipt_clock import ReceiptClock
from service.counters import Counters
from service.pipeline.monitor import Monitor
from service.settings import Settings


def availability_topic(prefix: str) -> str:
    """Return where the service says, retained, whether it is there."""
    return f"{prefix}/service/availability"


class Readiness:
    """Whether all consumers are subscribed."""

    def __init__(self, consumers: Sequence[Consumer]) -> None:
        self._events = [consumer.ready for consumer in consumers]

    def is_set(self) -> bool:
        """Return whether all are, now."""
        return all(event.is_set() for event in self._events)

    def wait(self, timeout_s: float) -> bool:
        """Wait until all have been, one after the other, and return whether they are."""
        deadline = monotonic() + timeout_s
        for event in self._events:
            event.wait(max(deadline - monotonic(), 0))
        return self.is_set()


class Consumers:
    """Takes messages from all brokers into one inbox; a broker that is away does not keep the others waiting."""

    def __init__(self, settings: Settings, monitors: Sequence[Monitor], inbox: Inbox, counters: Counters) -> None:
        self._monitors = monitors
        self._clock = ReceiptClock()
        self._started = False
        self._all: Mapping[str, Consumer] = {
            name: Consumer(
                broker,
                availability_topic(settings.publish.prefix),
                _filters(monitors, name),
                inbox,
                counters,
                name,
                self._clock.now_ms,
            )
            for name, broker in settings.connections.items()
        }
        self.ready = Readiness(list(self._all.values()))

    def watch(self, watchdog: Watchdog) -> None:
        """Have all network threads watched."""
        for consumer in self._all.values():
            consumer.watch(watchdog)

    def are_open(self) -> dict[str, bool]:
        """Return whether each broker has accepted us, as far as is known, by its address."""
        return {consumer.address: consumer.is_open for consumer in self._all.values()}

    def start(self) -> None:
        """Connect to all brokers, in the background, once the host's clock is set; the monitors have their streams."""
        if not self._clock.is_set(max(monitor.bundle.manifest.created_ms for monitor in self._monitors)):
            return
        self._started = True
        self._clock.begin(max(monitor.newest_ms for monitor in self._monitors))
        self._let_ask()
        for name, consumer in self._all.items():
            consumer.start(known=any(monitor.ids for monitor in self._monitors if monitor.broker == name))

    def follow(self, monitors: Sequence[Monitor]) -> None:
        """Subscribe to the topics of these monitors from now on, and to no others."""
        self._monitors = monitors
        self._let_ask()
        for name, consumer in self._all.items():
            consumer.follow(_filters(monitors, name))

    def leave(self, filters: Mapping[str, Sequence[str]]) -> None:
        """Unsubscribe, once connected, from what an earlier process had followed at the brokers, by their names."""
        for name, unwanted in filters.items():
            self._all[name].leave(unwanted)

    def left(self) -> dict[str, list[str]]:
        """Return by broker what we have been unsubscribed from since the last call."""
        return {name: left for name, consumer in self._all.items() if (left := consumer.left())}

    def turn(self) -> None:
        """Begin now if that had to wait; to be called every second or so."""
        if not self._started:
            self.start()

    def pause(self) -> None:
        """Take no further messages over."""
        for consumer in self._all.values():
            consumer.pause()

    def stop(self) -> None:
        """Say to each broker that we are offline, and disconnect."""
        for consumer in self._all.values():
            consumer.stop()

    def heard_ms(self) -> dict[str, int | None]:
        """Return until when (monotonic) all has come from each broker, by name; None where that is unknown."""
        return {name: consumer.heard_ms() for name, consumer in self._all.items()}

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """Acknowledge messages that are committed, in their order, each where it came from."""
        for source, group in groupby(messages, lambda message: message.source):
            self._all[source].acknowledge(list(group))

    def _let_ask(self) -> None:
        """Let monitors ask devices for what they need, at the broker that they hear them from."""
        for monitor in self._monitors:
            monitor.ask = self._all[monitor.broker].ask


def _filters(monitors: Sequence[Monitor], broker: str) -> list[str]:
    return [monitor.template.filter for monitor in monitors if monitor.broker == broker]
