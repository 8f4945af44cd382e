"""The progress of a search on a terminal."""

from collections.abc import Sequence
from time import monotonic
from typing import TYPE_CHECKING

from rich.progress import BarColumn, TextColumn

from models.bar import Bar

if TYPE_CHECKING:
    from models.search.tuning import Trial


class SearchProgress(Bar):
    """Shows how far a search has come, in trials or in time, and the best so far."""

    def __init__(self, trials: int | None, seconds: float | None, *, shown: bool) -> None:
        self._trials, self._seconds, self._began = trials, seconds, monotonic()
        told = TextColumn("{task.fields[told]}")
        super().__init__("searching", BarColumn(), told, shown=shown, total=1.0, told="starting")

    def update(self, trials: "Sequence[Trial]") -> None:
        """Show where the search is."""
        done = [each for each in trials if each.state != "running"]
        shares = [len(done) / self._trials] if self._trials else []
        if self._seconds:
            shares.append((monotonic() - self._began) / self._seconds)
        self.show(completed=min(max(shares, default=0), 1), told=_told(trials, len(done)))


def _told(trials: "Sequence[Trial]", done: int) -> str:
    complete = [each for each in trials if each.state == "complete"]
    if not complete:
        return f"{done} trials done"
    best = min(complete, key=lambda each: each.error)
    return f"{done} trials done, best {best.error:.4f} ({best.settings['family']})"
