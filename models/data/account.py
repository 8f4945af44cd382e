"""The account of recorded data: how much was read, how much of it is used, and why the rest is not."""

from dataclasses import asdict, dataclass, field

from models.data.spacing import Spacing

_NAMED = 10  # streams left out that are named in the account


@dataclass(slots=True)
class Counts:
    """What became of every cell that was read.

    readings = used + invalid + repeated + excluded + outside + other
    """

    rows: int = 0
    empty: int = 0  #: cells without a number
    readings: int = 0  #: cells with a number
    used: int = 0
    invalid: int = 0  #: infinite or absurdly large, or at a time that no set clock shows
    repeated: int = 0  #: of a channel and a slot that had a reading already
    excluded: int = 0  #: of an excluded period
    outside: int = 0  #: before the start or not before the end
    other: int = 0  #: of streams that were not asked for

    def of_selection(self) -> dict[str, int]:
        """Return what is counted while blocks are read; the rest is where they are cut into slots."""
        return {name: getattr(self, name) for name in ("rows", "empty", "readings", "excluded", "outside", "other")}

    def unused(self) -> dict[str, int]:
        """Return how many readings are not used, by reason, where there are any."""
        reasons = {
            "invalid": self.invalid,
            "in a slot that had one": self.repeated,
            "excluded": self.excluded,
            "outside the period": self.outside,
            "of other streams": self.other,
        }
        return {reason: count for reason, count in reasons.items() if count}


@dataclass(frozen=True, slots=True)
class Account:
    """What was made of a source: its readings, its interval, its gaps, and the streams that were left out."""

    counts: Counts
    interval_ms: int
    interval_given: bool  #: else it is the median spacing
    spacing: Spacing | None  #: of the readings of a channel; None if no two came
    streams: int
    slots: int
    gaps: int  #: runs of slots for which nothing is used
    longest_gap: int  #: slots
    left_out: dict[str, str] = field(default_factory=dict)  #: stream -> reason

    def facts(self) -> dict[str, object]:
        """Return all of it as a JSON-ready object; of the streams left out the first ten."""
        facts = asdict(self)
        del facts["streams"]  # the trained ones are fewer if some were too short
        named = dict(list(self.left_out.items())[:_NAMED])
        return facts | {"streams_read": self.streams, "left_out": named, "streams_left_out": len(self.left_out)}

    def lines(self) -> list[str]:
        """Return all of it in a few lines for people."""
        counts = self.counts
        unused = ({"empty cells": counts.empty} if counts.empty else {}) | counts.unused()
        reasons = ", ".join(f"{count} {reason}" for reason, count in unused.items()) or "nothing left out"
        found = [
            f"{counts.used} readings of {self.streams} streams, from {counts.rows} rows; {reasons}",
            f"a slot every {_seconds(self.interval_ms)} ({'given' if self.interval_given else 'the median spacing'})"
            f"{self._spread()}; {self.slots} slots, {self._gaps()}",
        ]
        if counts.repeated > counts.used:
            found.append("most readings share a slot with another: does a column tell devices apart (--device)?")
        found += [f"left out: {stream}: {reason}" for stream, reason in list(self.left_out.items())[:_NAMED]]
        if len(self.left_out) > _NAMED:
            found.append(f"left out: {len(self.left_out) - _NAMED} more")
        return found

    def _spread(self) -> str:
        if self.spacing is None or self.spacing.low_ms == self.spacing.high_ms:
            return ""
        return f", readings come every {_seconds(self.spacing.low_ms)} to {_seconds(self.spacing.high_ms)}"

    def _gaps(self) -> str:
        if not self.gaps:
            return "no gaps"
        return f"{self.gaps} gaps, the longest {_seconds(self.longest_gap * self.interval_ms)}"


def _seconds(ms: int) -> str:
    return f"{ms / 1000:.10g} s"
