"""The state table: all that is remembered of a stream is one record, and the table has a row for each.

Gather rows, step, scatter rows. A checkpoint is the changed rows' bytes; a stream moves to another
process as its bytes. In memory the table is kept field by field, so that what is done to all its rows is done to
neighbours.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

LAYOUT_VERSION = 6
SIGNALS = ("error", "sustained", "novelty", "context", "shape")  #: what may be unusual of a slot, see edge/signals.py
NEVER = np.iinfo(np.int64).min  #: the time of what has not happened yet
_LEAST_ROOM = 4  # rows; a device has one stream or two of each bundle


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
            ("kept", "<f2", (2, channels)),  # yesterday's of the bin that today is in
            ("around", "<f4", (2, channels)),  # the same of that bin and the two beside it; NaN where it is not known
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


class Records(dict[str, NDArray[Any]]):
    """The records of n streams, field by field: `records["spread"]` is an array (n, C), and may be changed in place.

    Those of a table's neighbouring rows are the table's own; those of any other rows are copies, each field made when
    it is first asked for, until they are put back.
    """

    __slots__ = ("_count", "_rows", "_source")

    def __init__(self, source: Mapping[str, NDArray[Any]], rows: NDArray[np.intp] | slice, count: int) -> None:
        super().__init__()
        self._source = source
        self._rows = rows  # of the source
        self._count = count

    @classmethod
    def zeros(cls, count: int, dtype: np.dtype[np.void]) -> Self:
        """Return records of so many streams that are all zeros."""
        return cls(_columns(count, dtype), slice(None), count)

    def __len__(self) -> int:
        return self._count

    def __bool__(self) -> bool:
        return self._count > 0

    def __missing__(self, name: str) -> NDArray[Any]:
        column = self._source[name][self._rows]
        super().__setitem__(name, column)
        return column

    def __setitem__(self, name: str, values: Any) -> None:
        column = self[name]
        if column is not values:  # which it is after `records[name] += 1`
            column[...] = values

    def home(self, name: str) -> tuple[NDArray[Any], NDArray[np.intp]]:
        """Return where a field is kept and the records' rows (n,) there, to touch little of what is large."""
        if isinstance(self._rows, slice):
            return self[name], np.arange(self._count)
        if isinstance(self._source, Records):
            column, rows = self._source.home(name)
            return column, rows[self._rows]
        return self._source[name], self._rows

    def take(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> "Records":
        """Return the chosen rows' records, as copies."""
        chosen = np.asarray(rows.nonzero()[0] if rows.dtype == bool else rows, np.intp)
        return Records(self, chosen, len(chosen))

    def to_bytes(self, dtype: np.dtype[np.void]) -> list[bytes]:
        """Return each record as bytes of the layout."""
        packed = np.empty(self._count, dtype)
        for name in dtype.names or ():
            packed[name] = self[name]
        data, size = packed.tobytes(), dtype.itemsize
        return [data[at : at + size] for at in range(0, len(data), size)]

    def put_back(self) -> None:
        """Return what was taken as copies to where it was taken from."""
        if not isinstance(self._rows, slice):
            for name, column in self.items():
                self._source[name][self._rows] = column


def new_records(count: int, dtype: np.dtype[np.void]) -> Records:
    """Return the records of streams of which nothing is known yet."""
    records = Records.zeros(count, dtype)
    records["width"] = records["rhythm"] = 1
    for name in ("open_value", "least", "most", "day", "kept", "around", "course"):
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
        self._columns = _columns(0, dtype)
        self._changed = np.zeros(0, bool)
        self._count = 0
        self._latest: tuple[int, int, Records] | None = None  # neighbours gathered last: their first row, how many

    def __len__(self) -> int:
        return self._count

    def add(self, records: Records) -> NDArray[np.int32]:
        """Append records and return their rows."""
        first, self._count = self._count, self._count + len(records)
        if self._count > len(self._changed):
            self._grow(max(self._count - first, len(self._changed), _LEAST_ROOM))
        for name, column in self._columns.items():
            column[first : self._count] = records[name]
        self._changed[first : self._count] = False
        return np.arange(first, self._count, dtype=np.int32)

    def gather(self, rows: NDArray[np.int32]) -> Records:
        """Return the records of ascending rows: in place where the rows are neighbours, else copies."""
        count = len(rows)
        if count and rows[-1] - rows[0] + 1 == count:
            first = int(rows[0])
            if self._latest is None or self._latest[:2] != (first, count):
                self._latest = first, count, Records(self._columns, slice(first, first + count), count)
            return self._latest[2]
        return Records(self._columns, rows.astype(np.intp), count)

    def field(self, name: str, rows: NDArray[np.int32]) -> NDArray[Any]:
        """Return copies of one field of the rows' records."""
        return self._columns[name][rows]

    def cells(self, name: str, rows: NDArray[np.int32], channels: NDArray[np.int16]) -> NDArray[Any]:
        """Return copies of one field of single channels of the rows' records."""
        cells: NDArray[Any] = self._columns[name][rows, channels]
        return cells

    def put(self, name: str, rows: NDArray[np.int32], values: NDArray[Any]) -> None:
        """Replace one field of the rows' records, which are then counted as changed."""
        self._columns[name][rows] = values
        self._changed[rows] = True

    def put_cells(self, name: str, rows: NDArray[np.int32], channels: NDArray[np.int16], values: NDArray[Any]) -> None:
        """Replace one field of single channels of the rows' records; the last of several values stays."""
        self._columns[name][rows, channels] = values
        self._changed[rows] = True

    def scatter(self, rows: NDArray[np.int32], records: Records) -> None:
        """Put gathered records back in their rows, which are then counted as changed."""
        records.put_back()
        self._changed[rows] = True

    def changed(self) -> NDArray[np.int32]:
        """Return the rows scattered since the last call, and start anew."""
        rows = np.flatnonzero(self._changed[: self._count]).astype(np.int32)
        self._changed[rows] = False
        return rows

    def to_bytes(self, rows: NDArray[np.int32]) -> list[bytes]:
        """Return the records of ascending rows, each as bytes."""
        return self.gather(rows).to_bytes(self.dtype)

    def from_bytes(self, rows: NDArray[np.int32], records: Sequence[bytes]) -> None:
        """Restore the rows' records; ValueError if the bytes of one are of another layout."""
        for data in records:
            if len(data) != self.dtype.itemsize:
                raise ValueError(f"state record: expected {self.dtype.itemsize} bytes, got {len(data)}")
        packed = np.frombuffer(b"".join(records), self.dtype)
        for name, column in self._columns.items():
            column[rows] = packed[name]
        self._changed[rows] = False

    def restore(self, records: Sequence[bytes | None]) -> list[int]:
        """Restore the first rows' records; return the rows left as they are, of None or of bytes of another layout."""
        fit = {row: data for row, data in enumerate(records) if data is not None and len(data) == self.dtype.itemsize}
        self.from_bytes(np.array(list(fit), np.int32), list(fit.values()))
        return [row for row in range(len(records)) if row not in fit]

    def _grow(self, room: int) -> None:
        self._latest = None
        self._changed = np.concatenate([self._changed, np.zeros(room, bool)])
        for name, column in self._columns.items():
            self._columns[name] = np.concatenate([column, np.zeros((room, *column.shape[1:]), column.dtype)])


def _columns(count: int, dtype: np.dtype[np.void]) -> dict[str, NDArray[Any]]:
    """Return the fields of so many records, each an array of zeros (count, ...)."""
    return {name: np.zeros((count, *dtype[name].shape), dtype[name].base) for name in dtype.names or ()}
