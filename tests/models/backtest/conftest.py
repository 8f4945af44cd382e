"""What the tests of backtests share."""

import numpy as np

from models.backtest.spans import Spans


def spans(*rows: tuple[int, int, int]) -> Spans:
    """Return spans from rows of stream, start and end."""
    columns = np.array(rows, np.int64).reshape(-1, 3).T
    return Spans.merged(columns[0].astype(np.int32), columns[1], columns[2])
