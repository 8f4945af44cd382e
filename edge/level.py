"""Level shifts: a stream that stays at a new level may be accepted as normal there.

All in scaled values, channel by channel. While all is well, `level` follows the values (an exponentially weighted
mean over `level_after` slots). While an alarm is open, `new_mean` is the mean of all its values (Welford 1962),
`new_level` their running mean over a quarter of `level_after`, and `new_noise` the running mean of their absolute
deviations from that.

    shift = new_level - level
    moved = |shift| > band's half-width * MOVED

A level that the user confirmed is accepted with the first slot in which level and value of some channel have moved.
It was sustained when over at least `level_after` slots some channel has shifted beyond its whole band, and
every channel is steady:

    no drift:         |new_level - new_mean| <= new_noise
    not stuck:        new_noise >= QUIETEST * usual error, unless the channel is always at rest
    not noisy:        new_noise <= NOISIEST * usual error

The shift is taken against the level just before the alarm, so a drift too slow to tell from a steady level has not
shifted by much; and against the mean of the whole alarm, so one that goes on while it is open never looks steady.
"""

import numpy as np
from numpy.typing import NDArray

from edge.across import some
from edge.alarm import AlarmPolicy
from edge.reading import Change
from edge.score import LEAST_SPREAD
from edge.state import Records

MOVED = 0.5  #: a channel whose level has shifted by less of its band stays where it is
QUIETEST = 0.25  #: of the usual error; a channel that varies less is stuck
NOISIEST = 2.5  #: of the usual error
_RECENT = 4  # new_level forgets so many times faster than level


class Levels:
    """Follows the levels of streams and says which new ones are normal from now on."""

    def __init__(self, policy: AlarmPolicy) -> None:
        self.rule = policy.level
        self._after = policy.level_after
        self._share = np.array(1 / policy.level_after, np.float32)  # of a slot in the mean

    def follow(
        self,
        observed: NDArray[np.float32],
        records: Records,
        calm: NDArray[np.bool_],
        filling: NDArray[np.bool_],
        first: int,
    ) -> None:
        """Take one slot's scaled values (n, C) into the levels of the rows that are `calm` (n,) or `filling` (n,).

        A level begins anew with the memory: while that is filled, which it is from `first` slots seen on, the level is
        the mean of the values so far.
        """
        if self.rule == "never":
            return
        step = calm * self._share
        if some(filling):
            step[filling] = 1 / (records["seen"][filling] - first + 1.0)
        change = observed - records["level"]
        np.add(records["level"], change * step[:, None], out=records["level"], where=~np.isnan(change))

    def accepted(
        self,
        observed: NDArray[np.float32],
        reach: NDArray[np.float32],
        records: Records,
        change: NDArray[np.uint8],
    ) -> NDArray[np.intp]:
        """Take one slot of the streams in alarm as evidence and return the rows whose new level is normal from now on.

        `observed` and `reach`, the band's half-width, are (n, C), scaled; `change` (n,) is what became of the
        alarms.
        """
        rows = records["alarm"].nonzero()[0]
        if self.rule == "never" or rows.size == 0:
            return rows[:0]
        self._take(observed[rows], records, rows, change[rows] == Change.OPENED)
        level, reach = records["level"][rows], reach[rows]
        shift = np.abs(records["new_level"][rows] - level) / reach
        accepted = records["confirmed"][rows] != 0
        if accepted.any():
            accepted &= (np.minimum(shift, np.abs(observed[rows] - level) / reach) > MOVED).any(axis=1)
        if self.rule == "sustained":
            long = records["new_slots"][rows] >= self._after
            accepted |= long & (shift > 1).any(axis=1) & _steady(records, rows)
        chosen: NDArray[np.intp] = rows[accepted]
        return chosen

    def move(self, reach: NDArray[np.float32], records: Records, rows: NDArray[np.intp]) -> None:
        """Move the location of the rows' channels that have moved by their shifts; `reach` is (n, C), scaled."""
        shift = records["new_level"][rows] - records["level"][rows]
        shift[np.abs(shift) <= reach[rows] * MOVED] = 0
        records["location"][rows] += records["scale"][rows] * shift

    def _take(
        self, observed: NDArray[np.float32], records: Records, rows: NDArray[np.intp], opened: NDArray[np.bool_]
    ) -> None:
        """Take one slot's scaled values (m, C) of the rows (m,) as evidence, anew where an alarm has just opened."""
        slots = np.where(opened, 0, records["new_slots"][rows]) + 1
        deviation = np.abs(observed - records["new_level"][rows])
        if opened.any():
            new = rows[opened]
            records["new_mean"][new] = records["new_level"][new] = records["level"][new]
            records["new_noise"][new] = deviation[opened] = _usual_error(records, new)

        _average(records, "new_noise", rows, deviation, np.minimum(slots, self._after))
        _average(records, "new_mean", rows, observed, slots)
        _average(records, "new_level", rows, observed, np.minimum(slots, max(self._after // _RECENT, 1)))
        records["new_slots"][rows] = slots


def _average(
    records: Records, name: str, rows: NDArray[np.intp], value: NDArray[np.float32], count: NDArray[np.integer]
) -> None:
    """Take values (m, C) into a field's running means of the last `count` (m,); a missing one changes nothing."""
    before = records[name][rows]
    change = (value - before) / count[:, None].astype(np.float32)
    change[np.isnan(change)] = 0
    records[name][rows] = before + change


def _steady(records: Records, rows: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Return which rows' channels all stay where they are, varying as they usually do."""
    noise, usual = records["new_noise"][rows], _usual_error(records, rows)
    stays = np.abs(records["new_level"][rows] - records["new_mean"][rows]) <= np.maximum(noise, LEAST_SPREAD)
    alive = (noise >= QUIETEST * usual) | (records["spread"][rows] <= 2 * LEAST_SPREAD)
    steady: NDArray[np.bool_] = (stays & alive & (noise <= NOISIEST * usual)).all(axis=1)
    return steady


def _usual_error(records: Records, rows: NDArray[np.intp]) -> NDArray[np.float32]:
    """Return the learnt mean absolute error of the rows' channels, scaled."""
    usual: NDArray[np.float32] = np.maximum(records["spread"][rows] * records["width"][rows], LEAST_SPREAD)
    return usual
