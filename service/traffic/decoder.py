"""The decoder: recorded messages to the readings that a monitor would take from them."""

import csv
from array import array
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TextIO

import numpy as np

from edge.inbox import Message
from edge.payloads.payload import Run
from edge.payloads.rejects import RejectError
from edge.topics import Match, Template
from service.payloads.conventions import open_payload
from service.pipeline.runs import read_runs
from service.pipeline.source import SourceSettings

HEADER = ("stream", "time", "channel", "value")
_BLOCK = 100_000  # rows that are formatted at a time


@dataclass(slots=True)
class Decoded:
    """What became of the messages."""

    messages: int = 0
    other: int = 0  #: messages on topics, or of a broker, that are not the monitor's
    retained: int = 0  #: messages that the broker had kept; the service does not score them either
    rejects: Counter[str] = field(default_factory=Counter)  #: messages by the reason that they cannot be read
    readings: int = 0


class Decoder:
    """Reads messages by the topic and payload of one monitor; no bundle is needed, so every channel is taken.

    Readings are held until they are written, 24 bytes each.
    """

    def __init__(self, name: str, settings: SourceSettings, channel: str) -> None:
        self.decoded = Decoded()
        self._name = name
        self._channel = channel  # where neither topic nor payload names one
        self._source = settings.broker
        self._template = Template(settings.topic)
        self._payload = open_payload(settings)
        self._streams: dict[str, int] = {}
        self._channels: dict[str, int] = {}
        self._stream, self._of = array("i"), array("i")
        self._time, self._value = array("q"), array("d")

    def read(self, messages: Iterable[Message]) -> None:
        """Take the readings of messages."""
        decoded = self.decoded
        for message in messages:
            decoded.messages += 1
            match = self._template.match(message.topic) if message.source == self._source else None
            if match is None:
                decoded.other += 1
            elif message.retain:
                decoded.retained += 1
            else:
                self._take(message, match)
        decoded.readings = len(self._time)

    def write(self, file: TextIO) -> None:
        """Write the readings as a long table, ordered by stream and time."""
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(HEADER)
        streams, channels = list(self._streams), list(self._channels)
        rank = np.argsort(np.argsort(streams)) if streams else np.zeros(0, np.intp)
        stream, channel = np.frombuffer(self._stream, np.intc), np.frombuffer(self._of, np.intc)
        time, value = np.frombuffer(self._time, np.int64), np.frombuffer(self._value, np.float64)
        order = np.lexsort([time, rank[stream]])
        for first in range(0, len(order), _BLOCK):
            part = order[first : first + _BLOCK]
            stamps = np.datetime_as_string(time[part].astype("datetime64[ms]"), timezone="UTC").tolist()
            columns = stream[part].tolist(), stamps, channel[part].tolist(), value[part].tolist()
            rows.writerows((streams[s], t, channels[c], v) for s, t, c, v in zip(*columns, strict=True))

    def _take(self, message: Message, match: Match) -> None:
        try:
            runs = read_runs(message, match, self._parse)
        except RejectError as reject:
            self.decoded.rejects[reject.reason] += 1
            return
        for run, times in runs:
            name = match.stream_name(run.stream, self._name)
            stream = self._streams.setdefault(name, len(self._streams))
            channel = self._channels.setdefault(run.channel, len(self._channels))
            self._stream.extend([stream] * len(times))
            self._of.extend([channel] * len(times))
            self._time.extend(times)
            self._value.extend(run.values)

    def _parse(self, match: Match, payload: bytes) -> list[Run]:
        return self._payload.parse(payload, match.channel or self._channel, match)
