"""The state table: all that is remembered of a stream is one record of one structured array.

Gather rows, step, scatter rows. A checkpoint is the changed rows' bytes; a stream moves to another
process as its bytes.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Records = NDArray[np.void]

LAYOUT_VERSION = 3
NEVER = np.iinfo(np.int64).min  #: the time of what has not happened yet


def record_dtype(channels: int, memory: int) -> np.dtype[np.void]:
    """Return the layout of one stream's record, little-endian and packed."""
    return np.dtype(
        [
            ("memory", "<f4", (memory,)),  # the forecaster's own
            ("forecast", "<f4", (channels,)),  # of the next slot, scaled
            (
                "width",
                "<f4",
                (channels,),
            ),  # expected of the next slot's error, scaled; 1 where the forecaster says none
            ("location", "<f8", (channels,)),  # scaled = (value - location) / scale
            ("scale", "<f8", (channels,)),  # while the scaling is learnt: sum of squared deviations
            ("spread", "<f4", (channels,)),  # running mean of the absolute scaled error over its unit
            ("open_value", "<f8", (channels,)),  # the slot being filled; NaN where nothing came yet
            ("last_time", "<i8", (channels,)),  # newest reading taken, ms
            ("open_slot", "<i8"),  # NEVER where none is being filled
            ("last_slot", "<i8"),  # newest slot that has its verdict
            ("seen", "<u4"),  # slots used so far to learn scaling and to fill the memory
            ("missed", "<u4"),  # slots bridged since the last reading
            ("recent", "<u4"),  # one bit a slot, newest lowest: did the score reach 1.0?
            ("calm", "<u4"),  # slots since the score was last above the policy's release
            ("alarm", "<i8"),  # start of the open alarm, ms; 0 where there is none
            ("cooling", "<u4"),  # slots of cool-down left
            ("rest", "<u4"),  # slots left in which only a higher score opens another alarm
            ("peak", "<f4"),  # highest score since the newest alarm opened
            ("level", "<f4", (channels,)),  # running mean of the scaled values while all is well
            ("new_mean", "<f4", (channels,)),  # of the scaled values since the alarm opened
            ("new_level", "<f4", (channels,)),  # their running mean, which forgets
            ("new_noise", "<f4", (channels,)),  # running mean of their absolute deviations from it
            ("new_slots", "<u4"),  # how many slots these three are of
            ("confirmed", "|u1"),  # whether the user has confirmed that the new level is normal
        ]
    )


def layout(dtype: np.dtype[np.void]) -> list[list[Any]]:
    """Return the layout as JSON-ready rows: name, type, shape."""
    return [[name, dtype[name].base.str, list(dtype[name].shape)] for name in dtype.names or ()]


class StateTable:
    """The records of all streams of one engine, a row each."""

    def __init__(self, dtype: np.dtype[np.void]) -> None:
        self.dtype = dtype
        self._records = np.zeros(0, dtype)
        self._changed = np.zeros(0, bool)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, records: Records) -> NDArray[np.int32]:
        """Append records and return their rows."""
        first, self._count = self._count, self._count + len(records)
        if self._count > len(self._records):
            room = max(self._count - first, len(self._records), 64)
            self._records = np.concatenate([self._records, np.zeros(room, self.dtype)])
            self._changed = np.concatenate([self._changed, np.zeros(room, bool)])
        self._records[first : self._count] = records
        self._changed[first : self._count] = False
        return np.arange(first, self._count, dtype=np.int32)

    def gather(self, rows: NDArray[np.int32]) -> Records:
        """Return the records of ascending rows: in place where the rows are neighbours, else copies."""
        if len(rows) and rows[-1] - rows[0] + 1 == len(rows):
            return self._records[rows[0] : rows[-1] + 1]
        return self._records[rows]

    def field(self, name: str, rows: NDArray[np.int32]) -> NDArray[Any]:
        """Return copies of one field of the rows' records."""
        return self._records[name][rows]

    def scatter(self, rows: NDArray[np.int32], records: Records) -> None:
        """Put gathered records back in their rows, which are then counted as changed."""
        if not np.may_share_memory(records, self._records):
            self._records[rows] = records
        self._changed[rows] = True

    def changed(self) -> NDArray[np.int32]:
        """Return the rows scattered since the last call, and start anew."""
        rows = np.flatnonzero(self._changed[: self._count]).astype(np.int32)
        self._changed[rows] = False
        return rows

    def to_bytes(self, row: int) -> bytes:
        """Return one stream's record as bytes."""
        return bytes(self._records[row].tobytes())

    def from_bytes(self, row: int, data: bytes) -> None:
        """Restore one stream's record; ValueError if the bytes are of another layout."""
        if len(data) != self.dtype.itemsize:
            raise ValueError(f"state record: expected {self.dtype.itemsize} bytes, got {len(data)}")
        self._records[row] = np.frombuffer(data, self.dtype)[0]
        self._changed[row] = False
