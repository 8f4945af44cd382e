"""From error to score: how far the observed value lies from the forecast, against the stream's own errors.

    unit = width * sqrt(1 + missed)                 what the forecaster expects of the error, scaled
    reach = limit * spread * unit                   the half-width of the band, scaled
    score = max over channels of |error| / reach    1.0 is the limit

`width` is the forecaster's own, 1 from one that does not say. A forecast that had to bridge missing slots is
that many steps further ahead; its band widens as a random walk would, by the root. `spread` is the running
mean of |error| / unit.
"""

import numpy as np
from numpy.typing import NDArray

from edge.state import Records

MEMORY_SLOTS = 512  #: the running spread forgets over about so many slots
LEAST_SPREAD = 1e-3  #: of a channel's scale; a smaller error is never worth an alarm
MOST_SURPRISE = 3.0  #: an error counts at most so many spreads towards the spread


class Scorer:
    """Scores errors against a limit on the standardised error."""

    def __init__(self, limit: float) -> None:
        self.limit = limit

    def unit(self, records: Records) -> NDArray[np.float32]:
        """Return what each channel's error is measured in (n, C), scaled."""
        unit: NDArray[np.float32] = records["width"] * np.sqrt(1.0 + records["missed"], dtype=np.float32)[:, None]
        return unit

    def reach(self, unit: NDArray[np.float32], records: Records) -> NDArray[np.float32]:
        """Return the half-width of each channel's band (n, C), scaled."""
        reach: NDArray[np.float32] = np.maximum(records["spread"] * unit, LEAST_SPREAD) * np.float32(self.limit)
        return reach

    def score(
        self, error: NDArray[np.float32], reach: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.int16]]:
        """Return the score (n,) and the channel that contributed most (n,).

        `error` and `reach` are (n, C); a channel whose error is NaN says nothing.
        """
        surprise = _surprise(error, reach)
        channel = surprise.argmax(axis=1)
        return surprise[np.arange(len(surprise)), channel], channel.astype(np.int16)

    def share(self, error: NDArray[np.float32], reach: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return each channel's part in the score (n, C), of 1 in all; equal parts where there was no error."""
        count = error.shape[1]
        if count == 1:
            return np.ones_like(error)
        surprise = _surprise(error, reach)
        total = surprise.sum(axis=1, keepdims=True)
        share = np.full_like(surprise, 1 / count)
        np.divide(surprise, total, out=share, where=total > 0)
        return share

    def learn(self, error: NDArray[np.float32], records: Records) -> None:
        """Take one slot's errors over their units (n, C) into the streams' running spread."""
        spread = np.maximum(records["spread"], LEAST_SPREAD)
        surprise = np.minimum(np.abs(error), MOST_SURPRISE * spread)
        step = np.where(np.isfinite(surprise), surprise - spread, 0.0) / MEMORY_SLOTS
        records["spread"] = spread + step


def _surprise(error: NDArray[np.float32], reach: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the errors (n, C) over their bands' half-widths; 0 where there is none."""
    surprise = np.abs(error)
    surprise /= reach
    surprise[np.isnan(surprise)] = 0
    return surprise
