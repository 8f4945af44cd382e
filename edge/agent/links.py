"""The links: a session with each broker, messages in, verdicts and alarms out."""

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby

from edge.agent.counters import Counters
from edge.agent.settings import Settings
from edge.brokers.consumer import Consumer
from edge.brokers.mqtt import Connection
from edge.inbox import Inbox, Message
from edge.operation.watchdog import Watchdog


class Links:
    """Connects to all brokers; one of them, the uplink, is told of verdicts and alarms."""

    def __init__(
        self,
        settings: Settings,
        inbox: Inbox,
        counters: Counters,
        now_ms: Callable[[], int],
        filters: Mapping[str, Sequence[str]],
    ) -> None:
        """Follow the topics of `filters`, by the name of their broker."""
        topic = f"{settings.publish.prefix}/{settings.name}/availability"
        self._consumers = {
            name: Consumer(broker, topic, filters.get(name, ()), inbox, counters, name, now_ms)
            for name, broker in settings.connections.items()
        }
        self._uplink = settings.publish.broker

    @property
    def uplink(self) -> Connection:
        """Return the connection that verdicts and alarms are published on."""
        return self._consumers[self._uplink].connection

    def tell(self, answered: Callable[[int, str | None], None], opened: Callable[[], None]) -> None:
        """Have the broker's answers to what the uplink publishes told, and its new connections, from its thread."""
        uplink = self.uplink
        subscribe = uplink.on_open

        def both(session_present: bool) -> None:
            subscribe(session_present)
            opened()

        uplink.on_published, uplink.on_open = answered, both

    def watch(self, watchdog: Watchdog) -> None:
        """Have the network threads watched."""
        for consumer in self._consumers.values():
            consumer.watch(watchdog)

    def start(self, known: bool) -> None:
        """Connect in the background; `known`: we have been there before."""
        for consumer in self._consumers.values():
            consumer.start(known)

    def follow(self, filters: Mapping[str, Sequence[str]]) -> None:
        """Follow other topics from now on, by the name of their broker."""
        for name, consumer in self._consumers.items():
            consumer.follow(filters.get(name, ()))

    def pause(self) -> None:
        """Take no further messages over."""
        for consumer in self._consumers.values():
            consumer.pause()

    def stop(self) -> None:
        """Say that we are offline, and disconnect."""
        for consumer in self._consumers.values():
            consumer.stop()

    def heard_ms(self) -> dict[str, int | None]:
        """Return until when (monotonic) all has come from each broker; None where that is unknown."""
        return {name: consumer.heard_ms() for name, consumer in self._consumers.items()}

    def are_open(self) -> dict[str, bool]:
        """Return whether each broker has accepted us, by its address."""
        return {consumer.address: consumer.is_open for consumer in self._consumers.values()}

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """Acknowledge messages that are committed, in their order."""
        for source, group in groupby(messages, lambda message: message.source):
            self._consumers[source].acknowledge(list(group))
