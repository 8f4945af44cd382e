"""A monitor: the topics it watches, how it reads them, and the engine that scores its streams."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from edge.bundle import Bundle
from edge.engine import Engine, open_engine
from edge.errors import ConfigError
from edge.limits import Budget
from edge.own_time import OwnTime
from edge.payloads.payload import Run
from edge.payloads.rejects import Reason, RejectError
from edge.reading import Readings, Verdicts
from edge.runtimes import Runtime
from edge.state import LAYOUT_VERSION
from edge.topics import Match, Template
from service.alarms.maintenance import Maintenance
from service.alarms.messages import sink
from service.payloads.conventions import open_payload, publish_nothing
from service.payloads.json import JsonPayload
from service.payloads.plain_json import Plain
from service.pipeline.columns import Columns
from service.pipeline.units import Conversion, conversion
from service.settings import MonitorSettings
from service.storage.store import SavedStream, StateRow

log = logging.getLogger(__name__)


class Monitor:
    """Watches the streams of one topic template with one bundle."""

    def __init__(
        self,
        name: str,
        settings: MonitorSettings,
        bundle: Bundle,
        runtime: Runtime,
        maintenance: Maintenance | None = None,  # of all monitors
        publish_to: str | None = None,  # name of a broker; None: that of its topics
    ) -> None:
        self.name = name
        self.broker = settings.broker
        self.sink = sink(settings.broker if publish_to is None else publish_to)
        self.site = settings.site
        self.is_announced = settings.home_assistant  #: whether Home Assistant may be told of its streams
        self.maintenance = Maintenance(settings.maintenance, maintenance)
        self.bundle = bundle
        self.template = Template(settings.topic)
        self.channels = [channel.name for channel in bundle.manifest.channels]
        self.configured = Budget.parse(settings.budget or bundle.manifest.budget)
        self.budget = self.configured  #: in force; an operator may have set another
        self.ask: Callable[[str, bytes], None] = publish_nothing  #: topic, payload; what a convention asks of a device
        self._payload = open_payload(settings, lambda topic, payload: self.ask(topic, payload))
        self._policy = settings.alarm.policy()
        self._max_streams = settings.max_streams
        self.lateness_ms = round(1000 * settings.lateness_s)
        self._channel_index = {channel: i for i, channel in enumerate(self.channels)}
        self._check_channels(settings)
        self._factor, self._offset = np.array([self._conversion(settings, name) for name in self.channels]).T
        self._runtime = runtime
        self.restore([])

    @property
    def limit(self) -> float:
        """Return the surprise whose score is 1.0, in decades."""
        return self.engine.limit

    @property
    def newest_ms(self) -> int:
        """Return the time of the newest reading of all streams, UTC epoch ms; NEVER if there is none."""
        return self.engine.newest_ms

    def restore(self, saved: list[SavedStream]) -> list[SavedStream]:
        """Begin with the streams the database knows, and return those whose state is not this bundle's.

        What was in memory is thrown away; a stream whose state does not fit begins anew.
        """
        budget = self.budget.shared(len(saved))
        self.engine: Engine = open_engine(
            self.bundle, budget, self._policy, self._runtime, lateness_ms=self.lateness_ms
        )
        self._time = OwnTime()
        self.names = [stream.name for stream in saved]
        self.ids = [stream.id for stream in saved]
        self._rows = {name: row for row, name in enumerate(self.names)}
        self.engine.add(self.names)
        states = [stream.record if self._is_ours(stream) else None for stream in saved]
        anew = [saved[row] for row in self.engine.table.restore(states)]
        if anew:
            log.warning(
                "%s: %d streams begin anew: their state is not of bundle %s with this lateness",
                self.name, len(anew), self.bundle.reference,
            )  # fmt: skip
        return anew

    def engine_of_slots(self) -> Engine:
        """Return another engine of the bundle, for values of slots as the database keeps them: rates, never totals."""
        channels = tuple(replace(channel, counter=False) for channel in self.bundle.manifest.channels)
        bundle = replace(self.bundle, manifest=replace(self.bundle.manifest, channels=channels))
        return open_engine(bundle, self.budget.shared(1), self._policy, self._runtime, lateness_ms=self.lateness_ms)

    def parse(self, match: Match, payload: bytes) -> list[Run]:
        """Return what a message says of the bundle's channels; RejectError if it says something of others only."""
        channel = match.channel or self.channels[0]
        if channel not in self._channel_index:
            raise self._unknown([channel])
        runs = self._payload.parse(payload, channel, match)
        known = [run for run in runs if run.channel in self._channel_index]
        if runs and not known:
            raise self._unknown([run.channel for run in runs])
        return known

    def read_many(self, payloads: Sequence[bytes], matches: Sequence[Match]) -> Plain | None:
        """Return what messages say if all of them are plain, which is read at once; None if they are not."""
        return self._payload.read_many(payloads, matches) if isinstance(self._payload, JsonPayload) else None

    def _unknown(self, channels: list[str]) -> RejectError:
        got = ", ".join(map(repr, channels[:5]))
        return RejectError(Reason.CHANNEL, f"expected one of {', '.join(self.channels)}, got {got}")

    def index(self, channel: str) -> int:
        """Return the place of a channel within the bundle."""
        return self._channel_index[channel]

    def place(self, channel: str) -> int | None:
        """Return the place of a channel within the bundle, if the bundle has it."""
        return self._channel_index.get(channel)

    def row(self, stream: str) -> int:
        """Return the row of a stream, a new one if it is new; RejectError if there may be no more."""
        row = self._rows.get(stream)
        if row is None:
            row = len(self.names)
            if row >= self._max_streams:
                raise RejectError(
                    Reason.STREAMS,
                    f"expected at most {self._max_streams} streams (max_streams), got {stream!r} besides",
                )
            self._rows[stream] = row
            self.names.append(stream)
        return row

    def new_names(self) -> list[str]:
        """Return the names given a row that the database and the engine have not seen."""
        return self.names[len(self.ids) :]

    def begin(self, ids: list[int]) -> None:
        """Begin to watch the new streams under the ids that the database gave them."""
        self.engine.add(self.new_names())
        self.ids.extend(ids)
        if self.budget.fleet:
            self._share()

    def allow(self, budget: Budget) -> None:
        """Have the limits be those of a budget from the next slot on."""
        if budget != self.budget:
            self.budget = budget
            self._share()

    def _share(self) -> None:
        budget = self.budget.shared(len(self.ids))
        self.engine.allow(budget.per_slot(self.bundle.manifest.interval_ms))

    def readings(self, columns: Columns) -> Readings:
        """Return readings in the bundle's units, as the engine takes them."""
        told = columns.readings()
        return replace(told, value=self._factor[told.channel] * told.value + self._offset[told.channel])

    def accept(self, streams: Sequence[str]) -> list[str]:
        """Take the present level of streams as their new normal, and return those that were in alarm, as they must be.

        ForesenseError if the alarm policy has no such thing.
        """
        rows = [self._rows[name] for name in streams if name in self._rows]
        accepted = self.engine.accept(np.array(rows, np.int32))
        return [self.names[row] for row in accepted.tolist()]

    def heard(self, now_ms: int, rows: NDArray[np.int32] | None = None) -> None:
        """Remember when the newest readings of rows came, of all streams if none are told; `now_ms` is attention's."""
        self._time.hear(self.engine.table, now_ms, rows)

    def tick(self, now_ms: int) -> Verdicts:
        """Return what is due without a reading: a stream's own time is its newest reading's and what elapsed since."""
        self.heard(now_ms)
        return self.engine.tick(self._time.at(now_ms))

    def silent(self, now_ms: int) -> dict[int, int]:
        """Return by row the slot (its start, ms) that the own time of each stream is in that has fallen silent."""
        says_nothing = self.engine.table.field("silent", np.arange(len(self._time), dtype=np.int32)).all(axis=1)
        rows, interval_ms = np.flatnonzero(says_nothing), self.bundle.manifest.interval_ms
        slots = self._time.at(now_ms)[rows] // interval_ms * interval_ms
        return dict(zip(rows.tolist(), slots.tolist(), strict=True))

    def _is_ours(self, stream: SavedStream) -> bool:
        """Whether a stream's saved state is of this bundle and this program."""
        return (stream.bundle, stream.layout) == (self.bundle.reference, LAYOUT_VERSION)

    def changed_states(self) -> list[StateRow]:
        """Return the state records changed since the last call, as the database keeps them."""
        table, reference = self.engine.table, self.bundle.reference
        rows = table.changed()
        return [
            (self.ids[row], reference, LAYOUT_VERSION, record)
            for row, record in zip(rows.tolist(), table.to_bytes(rows), strict=True)
        ]

    def _conversion(self, settings: MonitorSettings, channel: str) -> Conversion:
        """Return what turns the values that come into the bundle's unit."""
        if channel not in settings.channels:
            return Conversion()
        expected = self.bundle.manifest.channels[self._channel_index[channel]].unit
        try:
            return conversion(settings.channels[channel].unit, expected)
        except ConfigError as error:
            raise ConfigError(f"channels.{channel}.{error}") from error

    def _check_channels(self, settings: MonitorSettings) -> None:
        known = f"of bundle {self.bundle.reference} ({', '.join(self.channels)})"
        for place, names in (("fields", settings.fields), ("channels", settings.channels)):
            for channel in names:
                if channel not in self._channel_index:
                    raise ConfigError(f"{place}: expected channels {known}, got {channel!r}")
        if len(self.channels) > 1 and not settings.names_channels:
            raise ConfigError(f"expected {{channel}} in the topic, or fields with the channels {known}, got neither")
