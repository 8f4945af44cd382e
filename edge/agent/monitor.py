"""A monitor: how its messages are read, and the engine that scores its streams."""

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from time import monotonic

import numpy as np

from edge.agent.part import Health
from edge.agent.settings import MonitorSettings
from edge.agent.store import SavedState, StateRow
from edge.bundle import Bundle
from edge.engine import Engine, open_engine
from edge.errors import ConfigError
from edge.inbox import Message
from edge.limits import Budget
from edge.messages.verdict import verdict_documents
from edge.own_time import OwnTime
from edge.payloads.json import JsonPayload
from edge.payloads.number import NumberPayload
from edge.payloads.payload import LARGEST_PAYLOAD, Payload, times_of
from edge.payloads.rejects import Reason, RejectError
from edge.payloads.row import RowPayload
from edge.reading import Change, Readings, Status, Verdicts
from edge.runtimes import Runtime
from edge.sources.address import Address
from edge.state import LAYOUT_VERSION
from edge.topics import Match, Template

log = logging.getLogger(__name__)

Reading = tuple[int, int, int, float]  #: row, channel, time (UTC epoch, ms), value


@dataclass(slots=True)
class _Tally:
    """What the engine has given so far; see Health."""

    verdicts: int = 0
    scored: int = 0
    not_finite: int = 0
    failures: int = 0
    alarms: int = 0
    newest_ms: int | None = None


class Monitor:
    """Watches the streams of one source with one bundle."""

    def __init__(self, name: str, settings: MonitorSettings, bundle: Bundle, runtime: Runtime, device: str) -> None:
        self.name = name
        self.settings = settings
        self.bundle = bundle
        self.template = Template(settings.topic) if settings.topic else None
        self.channels = [channel.name for channel in bundle.manifest.channels]
        self.budget = Budget.parse(settings.budget or bundle.manifest.budget)
        self._index = {channel: i for i, channel in enumerate(self.channels)}
        self._lateness_ms = round(1000 * settings.lateness_s)
        self._runtime = runtime
        self._since, self._tally = monotonic(), _Tally()
        self._check_channels()
        self._payload = self._open_payload()
        self._match = Match(settings.stream or f"{device}/{name}", None)
        self.restore({})

    @property
    def newest_ms(self) -> int:
        """Return the time of the newest reading of all streams, UTC epoch ms; NEVER if there is none."""
        return self.engine.newest_ms

    @property
    def health(self) -> Health:
        """Return how the engine does."""
        return Health(self.bundle.reference, monotonic() - self._since, **asdict(self._tally))

    def restore(self, saved: Mapping[str, SavedState]) -> list[str]:
        """Begin with the streams that are stored, and return those that begin anew, as their state does not fit."""
        budget = self.budget.shared(len(saved))
        self.engine: Engine = open_engine(
            self.bundle, budget, self.settings.alarm, self._runtime, lateness_ms=self._lateness_ms
        )
        self.names = list(saved)
        self._rows = {name: row for row, name in enumerate(self.names)}
        self._time = OwnTime()
        self.engine.add(self.names)
        states = [state.record if self._is_ours(state) else None for state in saved.values()]
        anew = [self.names[row] for row in self.engine.table.restore(states)]
        if anew:
            log.warning("%s: %d streams begin anew with bundle %s", self.name, len(anew), self.bundle.reference)
        return anew

    def _is_ours(self, state: SavedState) -> bool:
        """Whether a saved state is of this bundle and this program."""
        return (state.bundle, state.layout) == (self.bundle.reference, LAYOUT_VERSION)

    def take_over(self, before: "Monitor") -> list[str]:
        """Begin with the streams of a monitor before, and return those that begin anew.

        What it knew of them is taken over if the bundles differ in nothing that a record depends on.
        """
        new, old = self.bundle, before.bundle
        same = (
            new.manifest.layout == old.manifest.layout
            and new.manifest.scaling == old.manifest.scaling
            and new.manifest.channels == old.manifest.channels
            and {name: file for name, file in new.manifest.files.items() if name.startswith("step.")}
            == {name: file for name, file in old.manifest.files.items() if name.startswith("step.")}
        )
        reference = self.bundle.reference if same else ""
        records = before.engine.table.to_bytes(np.arange(len(before.names), dtype=np.int32))
        saved = [SavedState(reference, LAYOUT_VERSION, record) for record in records]
        anew = self.restore(dict(zip(before.names, saved, strict=True)))
        rows = np.arange(len(self.names), dtype=np.int32)
        self.engine.table.scatter(rows, self.engine.table.gather(rows))  # all is to be written under the new name
        return anew

    def read(self, message: Message) -> list[Reading]:
        """Return the readings of a message; RejectError if it cannot be read."""
        match = self._match if self.template is None else self.template.match(message.topic)
        if match is None:
            raise RejectError(Reason.TOPIC, f"expected a topic of {self.template}, got {message.topic[:64]!r}")
        if len(message.payload) > LARGEST_PAYLOAD:
            raise RejectError(Reason.SIZE, f"expected at most {LARGEST_PAYLOAD} bytes, got {len(message.payload)}")
        channel = match.channel or self.channels[0]
        if channel not in self._index:
            raise self._unknown(channel)
        readings: list[Reading] = []
        for run in self._payload.parse(message.payload, channel, match):
            times = times_of(run, message.received_ms)
            row, place = self._row(match.stream or self._match.stream), self._index[run.channel]
            readings += [(row, place, time, value) for time, value in zip(times, run.values, strict=True)]
        return readings

    def feed(self, readings: list[Reading], now_ms: int) -> Verdicts:
        """Return the verdicts on readings; `now_ms` is monotonic."""
        rows, channels, times, values = zip(*readings, strict=True)
        stream = np.array(rows, np.int32)
        batch = Readings(stream, np.array(channels, np.int16), np.array(times, np.int64), np.array(values, np.float64))
        verdicts = self.engine.feed(batch)
        self._time.hear(self.engine.table, now_ms, stream)
        return self._count(verdicts)

    def tick(self, now_ms: int) -> Verdicts:
        """Return what is due without a reading; `now_ms` is monotonic."""
        self._time.hear(self.engine.table, now_ms)
        return self._count(self.engine.tick(self._time.at(now_ms)))

    def fails(self) -> None:
        """Note that the engine has raised."""
        self._tally.failures += 1

    def changed(self) -> list[StateRow]:
        """Return the records changed since the last call, as they are stored."""
        table = self.engine.table
        rows = table.changed()
        return [
            (self.name, self.names[row], self.bundle.reference, LAYOUT_VERSION, record)
            for row, record in zip(rows.tolist(), table.to_bytes(rows), strict=True)
        ]

    def documents(self, verdicts: Verdicts) -> list[tuple[str, dict[str, object]]]:
        """Return the stream and what the world is told of each verdict."""
        return list(verdict_documents(verdicts, self.name, self.bundle.reference, self.names, self.channels))

    def _count(self, verdicts: Verdicts) -> Verdicts:
        """Count what the verdicts say, in lists: there are mostly few of them."""
        if len(verdicts):
            tally, status = self._tally, verdicts.status.tolist()
            tally.verdicts += len(status)
            tally.scored += len(status) - verdicts.signal.tolist().count(-1)
            tally.alarms += verdicts.change.tolist().count(Change.OPENED)
            if sum(status) and not np.isfinite(verdicts.expected).all():
                wild = ~np.isfinite(verdicts.expected).all(axis=1) & (verdicts.status != Status.LEARNING)
                tally.not_finite += int(np.count_nonzero(wild))
            tally.newest_ms = max(verdicts.time.tolist())
        return verdicts

    def _row(self, stream: str) -> int:
        row = self._rows.get(stream)
        if row is None:
            row = len(self.names)
            if row >= self.settings.max_streams:
                most = f"expected at most {self.settings.max_streams} streams (max_streams)"
                raise RejectError(Reason.STREAMS, f"{most}, got {stream!r} besides")
            self._rows[stream] = row
            self.names.append(stream)
            self.engine.add([stream])
            if self.budget.fleet:
                self.engine.allow(self.budget.shared(row + 1).per_slot(self.bundle.manifest.interval_ms))
        return row

    def _open_payload(self) -> Payload:
        settings, several = self.settings, len(self.channels) > 1
        own_names = {channel: channel for channel in self.channels}
        if settings.source and Address.parse(settings.source).kind == "function":
            return JsonPayload(fields=own_names)
        if settings.payload == "json":
            named = settings.fields or (own_names if several and not self._topic_names else {})
            return JsonPayload(settings.value or "value", named, settings.time, None, settings.time_zone)
        return RowPayload(self.channels) if several and not self._topic_names else NumberPayload()

    @property
    def _topic_names(self) -> bool:
        return self.template is not None and self.template.names_channel

    def _check_channels(self) -> None:
        for channel in self.settings.fields:
            if channel not in self._index:
                raise ConfigError(f"fields.{channel}: {self._unknown(channel).detail}")

    def _unknown(self, channel: str) -> RejectError:
        of = f"of bundle {self.bundle.reference}"
        return RejectError(Reason.CHANNEL, f"expected one of {', '.join(self.channels)} {of}, got {channel!r}")
