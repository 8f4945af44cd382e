"""What the tests of backtests share."""

from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.reading import Change, Status, Verdicts
from models.backtest.spans import Spans


def spans(*rows: tuple[int, int, int]) -> Spans:
    """Return spans from rows of stream, start and end."""
    columns = np.array(rows, np.int64).reshape(-1, 3).T
    return Spans.merged(columns[0].astype(np.int32), columns[1], columns[2])


def verdicts(
    time: NDArray[np.int64],
    score: NDArray[np.floating],
    stream: NDArray[np.integer] | int = 0,
    alarm: NDArray[np.int64] | int = 0,
) -> Verdicts:
    """Return verdicts of one channel; those without a score are of a stream that is being learnt."""
    count = len(time)
    alarms = np.broadcast_to(np.asarray(alarm, np.int64), count)
    one = np.zeros((count, 1))
    columns: dict[str, Any] = {
        "stream": np.broadcast_to(np.asarray(stream, np.int32), count),
        "time": time,
        "status": np.where(np.isnan(score), Status.LEARNING, np.where(score >= 1, Status.ANOMALY, Status.NORMAL)),
        "score": score.astype(np.float32),
        "channel": np.zeros(count, np.int16),
        "alarm": alarms,
        "change": np.where((alarms == time) & (alarms > 0), Change.OPENED, Change.NONE),
    }
    return Verdicts(*(columns.get(each.name, one) for each in fields(Verdicts)))
