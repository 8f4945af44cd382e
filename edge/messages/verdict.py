"""Verdicts as they are told; there may be very many, so they are made column by column."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.messages.stamp import iso
from edge.quality import words
from edge.reading import Status, Verdicts
from edge.state import SIGNALS
from edge.table import stamps

_STATUS = {int(status): status.name.lower() for status in Status}
_FEW = 8
_WORDS = tuple(words(flags) for flags in range(256))


def verdict_documents(
    verdicts: Verdicts, monitor: str, bundle: str, streams: Sequence[str], channels: Sequence[str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the name of the stream and what the world is told, ready for JSON, of each verdict; None: not known.

    `streams` are the names by row.
    """
    columns: list[list[Any]] = [
        verdicts.stream.tolist(), _stamps(verdicts.time), verdicts.status.tolist(), _known(verdicts.score),
        verdicts.channel.tolist(), verdicts.signal.tolist(), _known(verdicts.once_in), _known(verdicts.achieved),
        verdicts.alarm.tolist(), _known(verdicts.coverage), verdicts.ready_in.tolist(),
        _channels(verdicts, channels),
    ]  # fmt: skip
    for row, time, status, score, most, signal, once_in, achieved, start, coverage, ready_in, each in zip(
        *columns, strict=True
    ):
        yield (
            streams[row],
            {
                "monitor": monitor,
                "stream": streams[row],
                "bundle": bundle,
                "time": time,
                "status": _STATUS[status],
                "anomaly": status == Status.ANOMALY,
                "score": score,
                "channel": None if most < 0 else channels[most],
                "signal": None if signal < 0 else SIGNALS[signal],
                "once_in": once_in,
                "achieved": achieved,
                "alarm": iso(start) if start else None,
                "coverage": coverage,
                "ready_in": ready_in,
                "channels": each,
            },
        )


def _channels(verdicts: Verdicts, names: Sequence[str]) -> list[dict[str, Any]]:
    """Return what is said of the channels, for each verdict."""
    numbers = (verdicts.value, verdicts.expected, verdicts.lower, verdicts.upper, verdicts.share)
    columns = [_known(column.ravel()) for column in numbers]
    each = [
        {"value": value, "expected": expected, "lower": lower, "upper": upper, "share": share, "quality": _WORDS[flags]}
        for value, expected, lower, upper, share, flags in zip(*columns, verdicts.quality.ravel().tolist(), strict=True)
    ]
    count = len(names)
    return [dict(zip(names, each[first : first + count], strict=True)) for first in range(0, len(each), count)]


def _stamps(times: NDArray[np.int64]) -> list[str]:
    """Return times as text; what is made for many at once takes long for a few."""
    return stamps(times) if len(times) > _FEW else [iso(time) for time in times.tolist()]


def _known(numbers: NDArray[Any]) -> list[float | None]:
    """Return numbers (n,) as a list, None for those that are not finite."""
    return [number if number - number == 0 else None for number in numbers.tolist()]
