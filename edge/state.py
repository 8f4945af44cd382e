"""The state table: all that is remembered of a stream is one record of one structured array.

Gather rows, step, scatter rows. A checkpoint is the changed rows' bytes; a stream moves to another
process as its bytes.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Records = NDArray[np.void]

LAYOUT_VERSION = 5
SIGNALS = ("error", "sustained", "novelty", "context", "shape")  #: what may be unusual of a slot, see edge/signals.py
NEVER = np.iinfo(np.int64).min  #: the time of what has not happened yet


def record_dtype(channels: int, memory: int, day_bins: int = 0, segments: int = 0, room: int = 0) -> np.dtype[np.void]:
    """Return the layout of one stream's record, little-endian and packed.

    The day before is remembered in `day_bins` (edge/day.py), its course in `segments` (edge/shape.py), and `room`
    readings may wait in it.
    """
    signals = len(SIGNALS)
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
            ("open_count", "<u4", (channels,)),  # readings in its mean
            ("open_flaw", "u1", (channels,)),  # what is known to be wrong with it
            ("last_time", "<i8", (channels,)),  # newest reading taken, ms
            ("last_value", "<f8", (channels,)),  # what it said, of a counter the total
            ("heard", "<i8", (channels,)),  # newest slot with a value; NEVER before the first
            ("held", "<f8", (channels,)),  # newest clean value, in units
            ("pace", "<f4", (channels,)),  # running mean of what successive values differ by, in units
            ("rhythm", "<f4", (channels,)),  # longest usual distance between slots with a value
            ("longest", "<f4", (channels,)),  # longest usual run of one value after itself, slots
            ("run", "<u4", (channels,)),  # slots that repeated the value before
            ("moves", "u1", (channels,)),  # values that differed from the one before, up to 255
            ("silent", "u1", (channels,)),  # whether it has been said
            ("unit", "u1", (channels,)),  # conversion that the values look like; 0 is none
            ("unit_run", "u1", (channels,)),  # slots that looked like it, up to 255
            ("side", "i1", (channels,)),  # direction of the newest leap of the value
            ("flips", "u1", (channels,)),  # one bit a slot, newest lowest: did it leap back?
            ("open_slot", "<i8"),  # NEVER where none is being filled
            ("last_slot", "<i8"),  # newest slot that has its verdict
            ("seen", "<u4"),  # slots used so far to learn scaling and to fill the memory
            ("watched", "<u4"),  # slots that had a clean value so far
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
            ("sustained", "<f4"),  # running mean of the error signal
            ("least", "<f4", (channels,)),  # of all scaled values so far; NaN before the first
            ("most", "<f4", (channels,)),
            ("typical", "<f4", (signals,)),  # how the signals were so far, see edge/surprise.py
            ("rare", "<f4", (signals,)),
            ("rate", "<f4", (signals,)),
            ("excess", "<f4", (signals,)),
            ("lift", "<f4"),  # decades that the stream's own limit lies above the bundle's
            ("judged", "<u4"),  # slots that had a score
            ("raised", "<u4"),  # alarms opened
            ("day", "<f2", (day_bins, 2, channels)),  # least and greatest scaled value of each bin of yesterday
            ("kept", "<f2", (2, 2, channels)),  # yesterday's of the bin before this one, and of this one
            ("bin", "<i2"),  # the bin that today is in; -1 before the first
            ("course", "<f2", (segments, channels)),  # means of the last segments, scaled, newest last; NaN: not known
            ("segment", "<f4", (channels,)),  # sum of the scaled values of the segment being filled
            ("segment_slots", "u1"),  # how many they are
            ("shape", "<f4"),  # how unlike all earlier windows the last full one was
            ("confirmed", "|u1"),  # whether the user has confirmed that the level since the alarm opened is normal
            ("newest", "<i8"),  # newest time of a reading, ms
            ("doubt_time", "<i8"),  # a reading that leapt ahead and waits for company; NEVER where there is none
            ("doubt_channel", "<i2"),
            ("doubt_value", "<f8"),
            ("doubt_flaw", "u1"),
            ("released", "<i8"),  # readings older than this have left the waiting room, ms
            ("waiting_time", "<i8", (room,)),  # NEVER where a place is free
            ("waiting_channel", "<i2", (room,)),
            ("waiting_value", "<f8", (room,)),
            ("waiting_flaw", "u1", (room,)),
        ]
    )


def new_records(count: int, dtype: np.dtype[np.void]) -> Records:
    """Return the records of streams of which nothing is known yet."""
    records = np.zeros(count, dtype)
    records["width"] = records["rhythm"] = 1
    for name in ("open_value", "least", "most", "day", "kept", "course"):
        records[name] = np.nan
    records["bin"] = -1
    for name in ("last_time", "heard", "open_slot", "last_slot", "newest", "doubt_time", "released", "waiting_time"):
        records[name] = NEVER
    return records


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

    def put(self, name: str, rows: NDArray[np.int32], values: NDArray[Any]) -> None:
        """Replace one field of the rows' records, which are then counted as changed."""
        self._records[name][rows] = values
        self._changed[rows] = True

    def put_cells(self, name: str, rows: NDArray[np.int32], channels: NDArray[np.int16], values: NDArray[Any]) -> None:
        """Replace one field of single channels of the rows' records; the last of several values stays."""
        self._records[name][rows, channels] = values
        self._changed[rows] = True

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
