"""A monitor: the topics it watches, how it reads them, and the engine that scores its streams."""

import logging
from collections.abc import Sequence

import numpy as np

from edge.bundle import Bundle
from edge.engine import Engine, open_engine
from edge.errors import ConfigError
from edge.limits import Budget
from edge.reading import Readings
from edge.runtime import Runtime
from edge.state import LAYOUT_VERSION
from service.maintenance import Maintenance
from service.payloads.json import JsonPayload
from service.payloads.number import NumberPayload
from service.payloads.payload import Payload, Sample
from service.rejects import Reason, RejectError
from service.settings import MonitorSettings
from service.store import SavedStream, StateRow
from service.topics import Match, Template

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
    ) -> None:
        self.name = name
        self.site = settings.site
        self.maintenance = Maintenance(settings.maintenance, maintenance)
        self.bundle = bundle
        self.template = Template(settings.topic)
        self.channels = [channel.name for channel in bundle.manifest.channels]
        self.budget = Budget.parse(settings.budget or bundle.manifest.budget)
        self._payload = open_payload(settings)
        self._policy = settings.alarm.policy()
        self._max_streams = settings.max_streams
        self._channel_index = {channel: i for i, channel in enumerate(self.channels)}
        self._check_channels(settings)
        self._runtime = runtime
        self.restore([])

    @property
    def limit(self) -> float:
        """Return the standardised error whose score is 1.0."""
        return self.engine.limit

    def restore(self, saved: list[SavedStream]) -> list[SavedStream]:
        """Begin with the streams the database knows, and return those whose state is not this bundle's.

        What was in memory is thrown away; a stream whose state does not fit begins anew.
        """
        budget = self.budget.shared(len(saved))
        self.engine: Engine = open_engine(self.bundle, budget, self._policy, self._runtime)
        self.names = [stream.name for stream in saved]
        self.ids = [stream.id for stream in saved]
        self._rows = {name: row for row, name in enumerate(self.names)}
        self.engine.add(self.names)
        anew = []
        for row, stream in enumerate(saved):
            if stream.record is not None and (stream.bundle, stream.layout) == (self.bundle.reference, LAYOUT_VERSION):
                self.engine.table.from_bytes(row, stream.record)
            else:
                anew.append(stream)
        if anew:
            log.warning(
                "%s: %d streams begin anew: their state is not of bundle %s",
                self.name, len(anew), self.bundle.reference,
            )  # fmt: skip
        return anew

    def parse(self, match: Match, payload: bytes) -> list[Sample]:
        """Return the samples of a message; RejectError if there is none."""
        channel = match.channel or self.channels[0]
        if channel not in self._channel_index:
            raise RejectError(Reason.CHANNEL, f"expected one of {', '.join(self.channels)}, got {channel!r}")
        return self._payload.parse(payload, channel)

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

    def stream_name(self, match: Match) -> str:
        """Return the name of the stream that a topic belongs to."""
        return match.stream or self.name

    def new_names(self) -> list[str]:
        """Return the names given a row that the database and the engine have not seen."""
        return self.names[len(self.ids) :]

    def begin(self, ids: list[int]) -> None:
        """Begin to watch the new streams under the ids that the database gave them."""
        self.engine.add(self.new_names())
        self.ids.extend(ids)
        if self.budget.fleet:
            manifest = self.bundle.manifest
            per_slot = self.budget.shared(len(self.ids)).per_slot(manifest.interval_ms)
            self.engine.limit = manifest.tail.limit(per_slot)

    def readings(self, rows: list[tuple[int, str, int, float]]) -> Readings:
        """Return (row, channel, time, value) tuples as columns."""
        row, channel, time, value = zip(*rows, strict=True)
        return Readings(
            np.array(row, np.int32),
            np.array([self._channel_index[name] for name in channel], np.int16),
            np.array(time, np.int64),
            np.array(value, np.float64),
        )

    def accept(self, streams: Sequence[str]) -> list[str]:
        """Take the present level of streams as their new normal, and return those that were in alarm, as they must be.

        ForesenseError if the alarm policy has no such thing.
        """
        rows = [self._rows[name] for name in streams if name in self._rows]
        accepted = self.engine.accept(np.array(rows, np.int32))
        return [self.names[row] for row in accepted.tolist()]

    def changed_states(self) -> list[StateRow]:
        """Return the state records changed since the last call, as the database keeps them."""
        table = self.engine.table
        rows = table.changed()
        data, size = table.gather(rows).tobytes(), table.dtype.itemsize
        return [
            (self.ids[row], self.bundle.reference, LAYOUT_VERSION, data[i * size : (i + 1) * size])
            for i, row in enumerate(rows.tolist())
        ]

    def _check_channels(self, settings: MonitorSettings) -> None:
        known = f"of bundle {self.bundle.reference} ({', '.join(self.channels)})"
        for channel in settings.fields:
            if channel not in self._channel_index:
                raise ConfigError(f"fields: expected channels {known}, got {channel!r}")
        if len(self.channels) > 1 and not settings.fields and not self.template.names_channel:
            raise ConfigError(f"expected {{channel}} in the topic, or fields with the channels {known}, got neither")


def open_payload(settings: MonitorSettings) -> Payload:
    """Return what reads the payloads of a monitor's messages."""
    if settings.payload == "json":
        return JsonPayload(settings.value or "value", settings.fields, settings.time)
    return NumberPayload()
