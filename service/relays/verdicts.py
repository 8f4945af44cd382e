"""Verdicts as the JSON that leaves the system; there may be very many, so they are made column by column."""

from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np

from edge.quality import words
from edge.reading import Status
from edge.state import SIGNALS
from edge.table import stamps
from service.pipeline.transaction import Scored

_STATUS = {int(status): status.name.lower() for status in Status}
_encode = msgspec.json.Encoder().encode


class _Channel(msgspec.Struct, gc=False):
    """What is said of one channel; NaN becomes null."""

    value: float
    expected: float
    lower: float
    upper: float
    share: float
    quality: str


class _Message(msgspec.Struct, gc=False):
    """What is said of one slot of one stream."""

    monitor: str
    stream: str
    bundle: str
    time: str
    status: str
    anomaly: bool
    score: float
    channel: str | None
    signal: str | None
    once_in: float
    achieved: float
    alarm: str | None
    coverage: float
    ready_in: int
    channels: dict[str, _Channel]


def verdict_messages(scored: Scored) -> Iterator[tuple[str, bytes]]:
    """Yield the stream and the JSON of each verdict."""
    said, names = scored.verdicts, scored.channels
    columns: list[list[Any]] = [
        said.stream.tolist(), stamps(said.time), said.status.tolist(), said.score.tolist(), said.channel.tolist(),
        said.signal.tolist(), said.once_in.tolist(), said.achieved.tolist(), said.alarm.tolist(), stamps(said.alarm),
        said.coverage.tolist(), said.ready_in.tolist(), _channels(scored),
    ]  # fmt: skip
    for row, time, status, score, most, signal, once_in, achieved, start, since, coverage, ready_in, channels in zip(
        *columns, strict=True
    ):
        yield scored.streams[row], _encode(
            _Message(
                scored.monitor, scored.streams[row], scored.bundle, time, _STATUS[status], status == Status.ANOMALY,
                score, None if most < 0 else names[most], None if signal < 0 else SIGNALS[signal], once_in, achieved,
                since if start else None, coverage, ready_in, channels,
            )
        )  # fmt: skip


def _channels(scored: Scored) -> list[dict[str, _Channel]]:
    """Return what is said of the channels, for each verdict."""
    said = scored.verdicts
    numbers = (said.value, said.expected, said.lower, said.upper, said.share)
    columns = [column.ravel().tolist() for column in numbers]
    quality = {flags: words(flags) for flags in np.unique(said.quality).tolist()}
    channels = list(map(_Channel, *columns, [quality[flags] for flags in said.quality.ravel().tolist()]))
    count = len(scored.channels)
    firsts = range(0, len(channels), count)
    return [dict(zip(scored.channels, channels[first : first + count], strict=True)) for first in firsts]
