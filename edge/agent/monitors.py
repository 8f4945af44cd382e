"""All monitors: each message goes to its own, and what follows from their verdicts goes to the outbox."""

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from time import monotonic

from edge.agent.alarms import OpenAlarms, alarm_message
from edge.agent.counters import Counters
from edge.agent.monitor import Monitor, Reading
from edge.agent.opening import source_name
from edge.agent.outbox import Outbox
from edge.agent.packing import ALARM, VERDICT
from edge.agent.settings import PublishSettings
from edge.agent.store import StateRow, Store
from edge.attention import Attention
from edge.inbox import Message
from edge.messages.alarm import Alarm
from edge.payloads.rejects import RejectError
from edge.reading import Verdicts

log = logging.getLogger(__name__)

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


class Monitors:
    """Has readings scored, and tells of verdicts and of the alarms that they open and close."""

    def __init__(
        self,
        monitors: Iterable[Monitor],
        store: Store,
        alarms: OpenAlarms,
        outbox: Outbox,
        publish: PublishSettings,
        attention: Attention,
        is_behind: Callable[[], bool],
        counters: Counters,
    ) -> None:
        """Tell of verdicts as `publish` says; no time passes for the streams of sources while we are behind them."""
        self._monitors: dict[str, Monitor] = {}
        self._sources: dict[str, str] = {}  # the names of monitors by those of their sources
        for monitor in monitors:
            self._add(monitor)
        self._store = store
        self._alarms = alarms
        self._outbox = outbox
        self._publish = publish
        self._attention = attention
        self._is_behind = is_behind
        self._counters = counters

    def __iter__(self) -> Iterator[Monitor]:
        return iter(self._monitors.values())

    def __getitem__(self, name: str) -> Monitor:
        return self._monitors[name]

    def __contains__(self, name: str) -> bool:
        return name in self._monitors

    def restore(self) -> None:
        """Begin with what is stored."""
        for monitor in self:
            self._restore(monitor)

    def take_over(self, after: Monitor) -> None:
        """Have a monitor take the place of the one that has its name, or that of what is stored if there is none."""
        if (before := self._monitors.get(after.name)) is not None:
            self._end_alarms(after, after.take_over(before))
        else:
            self._restore(after)
        self._add(after)

    def of(self, message: Message) -> Monitor | None:
        """Return the monitor that a message is for; None: it is for none."""
        if (name := self._sources.get(message.source)) is not None:
            return self._monitors[name]
        for monitor in self:
            if monitor.template is None or message.source != monitor.settings.broker:
                continue
            if monitor.template.match(message.topic):
                return monitor
        return None

    def read(self, monitor: Monitor, message: Message) -> list[Reading]:
        """Return the readings of a message; of one that cannot be read there are none, which is counted and told."""
        try:
            return monitor.read(message)
        except RejectError as error:
            self._counters.rejects[error.reason] += 1
            log.warning("%s: set aside: %s", monitor.name, error)
            return []

    def feed(self, readings: Mapping[str, list[Reading]]) -> None:
        """Have the readings of monitors, by their names, scored."""
        for name, each in readings.items():
            if each:
                monitor = self._monitors[name]
                self._counters.readings += len(each)
                self._guarded(monitor, lambda m=monitor, r=each: m.feed(r, self._arrival_ms(m)))  # type: ignore[misc]

    def tick(self) -> bool:
        """Have scored what is due without a reading, and return whether something was."""
        before = self._counters.verdicts
        for monitor in self:
            if monitor.names:
                self._guarded(monitor, lambda each=monitor: each.tick(self._now_ms(each)))  # type: ignore[misc]
        return self._counters.verdicts != before

    def changed(self) -> Iterator[StateRow]:
        """Yield the records of all that have changed since the last call, as they are stored."""
        for monitor in self:
            yield from monitor.changed()

    def _add(self, monitor: Monitor) -> None:
        self._monitors[monitor.name] = monitor
        if monitor.template is None:
            self._sources[source_name(monitor.name)] = monitor.name

    def _now_ms(self, monitor: Monitor) -> int:
        """Return the monotonic time of a monitor's streams, which stands still while its broker is away."""
        if monitor.template is not None:
            return self._attention.ms(monitor.settings.broker)
        return 0 if self._is_behind() else int(1000 * monotonic())

    def _arrival_ms(self, monitor: Monitor) -> int:
        """Return the same of what is in hand, which came after all that is known."""
        if monitor.template is not None:
            return self._attention.ms_of_arrival(monitor.settings.broker)
        return int(1000 * monotonic())

    def _guarded(self, monitor: Monitor, score: Callable[[], Verdicts]) -> None:
        """Have readings scored, and say what follows; a monitor whose engine fails goes back to what was committed."""
        try:
            self._enter(monitor, score())
        except Exception:
            log.exception("%s: the engine has failed; its streams go on from what was committed", monitor.name)
            monitor.fails()
            self._restore(monitor)

    def _restore(self, monitor: Monitor) -> None:
        self._end_alarms(monitor, monitor.restore(self._store.states(monitor.name)))

    def _enter(self, monitor: Monitor, verdicts: Verdicts) -> None:
        """Tell of verdicts, and of the alarms that they open and close."""
        if not len(verdicts):
            return
        self._counters.verdicts += len(verdicts)
        if self._publish.verdicts:
            told = monitor.documents(verdicts)
            self._outbox.post(
                VERDICT, [(f"{self._publish.prefix}/{name}/verdict", _encode(each).encode()) for name, each in told]
            )
        news = self._alarms.enter(verdicts, monitor.name, monitor.bundle, monitor.budget, monitor.names)
        for name, alarm in news:
            self._tell(monitor, name, alarm)

    def _tell(self, monitor: Monitor, stream: str, alarm: Alarm) -> None:
        self._counters.alarms += alarm.end is None
        topic = f"{self._publish.prefix}/{stream}/alarm"
        self._outbox.post(ALARM, [(topic, alarm_message(monitor.name, stream, alarm))])

    def _end_alarms(self, monitor: Monitor, streams: Sequence[str]) -> None:
        """End the alarms of streams that begin anew, whose state would have closed them."""
        for stream in streams:
            for name, alarm in self._alarms.end((monitor.name, stream), None):
                self._tell(monitor, name, alarm)
