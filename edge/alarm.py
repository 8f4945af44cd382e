"""From scores to alarms: one event gives one alarm, with a start and an end."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.errors import ConfigError
from edge.reading import Change
from edge.state import Records

_MOST_SLOTS = 32  # the record keeps one bit a slot


@dataclass(frozen=True, slots=True)
class AlarmPolicy:
    """When an alarm opens and closes; all in slots.

    It opens when `k` of the last `n` scores reached 1.0, closes when `recovery` slots in a row did not,
    and after that none opens for `cool_down` slots.
    """

    k: int = 1
    n: int = 1
    recovery: int = 6
    cool_down: int = 12

    def __post_init__(self) -> None:
        if not 1 <= self.k <= self.n <= _MOST_SLOTS:
            raise ConfigError(f"alarm: expected 1 <= k <= n <= {_MOST_SLOTS}, got k={self.k}, n={self.n}")
        if self.recovery < 1 or self.cool_down < 0:
            raise ConfigError(
                "alarm: expected recovery of at least 1 and cool_down of at least 0, "
                f"got recovery={self.recovery}, cool_down={self.cool_down}"
            )

    def advance(self, records: Records, anomalous: NDArray[np.bool_], time: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Take one slot of each stream into its alarm state and return the Change (n,) it made.

        `anomalous` (n,) says whether the score reached 1.0; `time` (n,) is the slots' start, ms.
        """
        window = np.uint32((1 << self.n) - 1)
        records["recent"] = ((records["recent"] << np.uint32(1)) | anomalous) & window
        records["calm"] = np.where(anomalous, 0, records["calm"] + 1)

        is_open, rest = records["alarm"] != 0, records["rest"]
        opens = ~is_open & (rest == 0) & (np.bitwise_count(records["recent"]) >= self.k)
        closes = is_open & (records["calm"] >= self.recovery)

        records["alarm"] = np.where(opens, time, np.where(closes, 0, records["alarm"]))
        records["rest"] = np.where(closes, self.cool_down, rest - (rest > 0))
        records["recent"][closes] = 0
        change: NDArray[np.uint8] = np.where(opens, Change.OPENED, np.where(closes, Change.CLOSED, 0)).astype(np.uint8)
        return change
