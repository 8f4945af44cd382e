"""A verdict as the API tells it."""

import math
from typing import Any

from edge.messages.stamp import iso
from edge.quality import words
from edge.reading import Status
from edge.state import SIGNALS
from service.api.board import Stream
from service.api.wire import Said


def verdict(said: Said, row: int, stream: Stream) -> dict[str, Any]:
    """Return one of the verdicts that were said, as the API tells it; what is not known is None."""
    told = said.verdicts
    most, signal, alarm = int(told.channel[row]), int(told.signal[row]), int(told.alarm[row])
    return {
        "stream": stream.id,
        "monitor": stream.monitor,
        "name": stream.name,
        "bundle": said.bundle,
        "time": iso(int(told.time[row])),
        "status": Status(int(told.status[row])).name.lower(),
        "score": number(told.score[row]),
        "channel": None if most < 0 else said.channels[most],
        "signal": None if signal < 0 else SIGNALS[signal],
        "once_in": number(told.once_in[row]),
        "achieved": number(told.achieved[row]),
        "alarm": iso(alarm) if alarm else None,
        "coverage": number(told.coverage[row]),
        "ready_in": int(told.ready_in[row]),
        "channels": [
            {
                "channel": name,
                "value": number(told.value[row, at]),
                "expected": number(told.expected[row, at]),
                "lower": number(told.lower[row, at]),
                "upper": number(told.upper[row, at]),
                "share": number(told.share[row, at]),
                "quality": words(int(told.quality[row, at])),
            }
            for at, name in enumerate(said.channels)
        ],
    }


def number(value: Any) -> float | None:
    """Return a number that JSON has, None for what is not known."""
    plain = float(value)
    return plain if math.isfinite(plain) else None
