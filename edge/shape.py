"""Shape: how unlike all its earlier courses the last course of a stream is, whatever its level.

A stream's values are averaged in segments of SEGMENT slots, and the record keeps the last SEGMENTS of them. The last
WINDOW segments, less their mean, are compared with as many at every earlier place they do not touch:

    shape = root mean square of the difference from the nearest one, over segments and channels

It is the distance of a discord (Keogh, Lin and Fu 2005; the matrix profile of Yeh et al. 2016), on the stream's own
scale. It is measured when a segment is full, and stays until the next one is. Where the course is not known it is 0.
"""

import numpy as np
from numpy.typing import NDArray

from edge.half_precision import held
from edge.state import Records

SEGMENT = 8  #: slots
WINDOW = 6  #: segments
SEGMENTS = 192  #: that are remembered; a multiple of WINDOW
LEAST_SLOTS = 512  #: to calibrate on; fewer hold too few windows apart to know how near the nearest one usually is
_ROWS = 256  # that are compared at once, so that they stay in the cache
_PLACE = np.arange(WINDOW)
#: (WINDOW, WINDOW): which segments of a block are in the window that begins at each place of it, and which in the one
#: that began at each place of the block before
_HERE = (_PLACE[:, None] >= _PLACE).astype(np.float32)
_NEXT = 1 - _HERE
_TURNED = (_PLACE[:, None] - _PLACE) % WINDOW  # (WINDOW, WINDOW): what of a window is where, when turned


def segments_of(slots: int) -> int:
    """Return how many segments streams remember where the longest recording has so many slots: none if too few.

    >>> segments_of(512), segments_of(400)
    (192, 0)
    """
    return SEGMENTS if slots >= LEAST_SLOTS else 0


def distance(values: NDArray[np.float32], records: Records) -> NDArray[np.float32]:
    """Return the shape (n,) with one slot's scaled values (n, C), nothing being remembered yet."""
    shape: NDArray[np.float32] = records["shape"].copy()
    full = (records["segment_slots"] == SEGMENT - 1).nonzero()[0]
    if full.size == 0:
        return shape
    kept, at = records.home("course")
    for start in range(0, len(full), _ROWS):
        rows = full[start : start + _ROWS]
        before = kept[_places(at[rows])]
        course = np.empty(before.shape, np.float32)
        course[:, :-1] = before[:, 1:]
        course[:, -1] = _mean(records["segment"][rows] + held(values[rows]))
        shape[rows] = _nearest(course)
    return shape


def remember(values: NDArray[np.float32], shape: NDArray[np.float32], records: Records) -> None:
    """Take one slot's scaled values (n, C), and the shape (n,) that they had, into the course."""
    records["shape"] = shape
    records["segment"] += held(values)
    records["segment_slots"] += 1
    full = (records["segment_slots"] == SEGMENT).nonzero()[0]
    if full.size == 0:
        return
    course, at = records.home("course")
    rows = _places(at[full])
    course[rows, :-1] = course[rows, 1:]
    course[rows, -1] = _mean(records["segment"][full])
    records["segment"][full] = 0
    records["segment_slots"][full] = 0


def interrupt(records: Records, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> None:
    """Mark that the chosen streams' next values do not follow on the last, so that no window reaches over both."""
    course, at = records.home("course")
    course[at[chosen], -1] = np.nan
    records["segment"][chosen] = 0
    records["segment_slots"][chosen] = 0
    records["shape"][chosen] = 0


def _places(rows: NDArray[np.intp]) -> slice | NDArray[np.intp]:
    """Return ascending rows as a slice where they are neighbours, which is read in place."""
    return slice(rows[0], rows[-1] + 1) if rows[-1] - rows[0] + 1 == len(rows) else rows


def _mean(total: NDArray[np.float32]) -> NDArray[np.float16]:
    """Return the means (n, C) of full segments, as they are kept."""
    return (total / SEGMENT).astype(np.float16)


def _nearest(course: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the distance (n,) of the last window of courses (n, SEGMENTS, C) from the nearest before it."""
    is_known = np.isfinite(course.sum())
    if not is_known:
        known = np.isfinite(course)
        course = np.where(known, course, np.float32(0))
    squares = _squares(course[:, :, 0])
    for channel in range(1, course.shape[2]):
        squares += _squares(course[:, :, channel])
    if not is_known:
        gap = np.any(~known, axis=2)
        squares[_sums(gap.astype(np.float32)) > 0] = np.inf
        squares[gap[:, -WINDOW:].any(axis=1)] = np.inf
    least = squares.min(axis=1)
    least[np.isinf(least)] = 0
    root: NDArray[np.float32] = np.sqrt(least.clip(0) / np.float32(WINDOW * course.shape[2]))
    return root


def _squares(course: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how far the last window is from each that ends before it (n, windows), as a sum of squares.

    Each less its mean: |a - b|^2 = |a|^2 + |b|^2 - 2 a b, where b is the last one and has the mean 0.
    """
    course = course - course[:, -WINDOW:].mean(axis=1, keepdims=True)
    latest = course[:, -WINDOW:]
    squares = _sums(course * course)
    total = _sums(course)
    total *= total
    total *= np.float32(1 / WINDOW)
    squares -= total
    turned, blocks = _turned(-2 * latest), course.reshape(len(course), -1, WINDOW)
    squares += _slide(blocks @ (turned * _HERE), blocks @ (turned * _NEXT))
    squares += (latest * latest).sum(axis=1, keepdims=True)
    return squares


def _turned(latest: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return windows (n, WINDOW) as the columns of matrices (n, WINDOW, WINDOW), each turned on by one place."""
    return latest.take(_TURNED, axis=1)


def _sums(course: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the sums over each window that ends before the last one begins (n, windows)."""
    blocks, shape = course.reshape(-1, WINDOW), (len(course), -1, WINDOW)
    return _slide((blocks @ _HERE).reshape(shape), (blocks @ _NEXT).reshape(shape))


def _slide(here: NDArray[np.float32], after: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what windows say (n, windows) of what the two neighbouring blocks say in which each begins and ends."""
    both: NDArray[np.float32] = here[:, :-2] + after[:, 1:-1]
    return both.reshape(len(both), -1)
