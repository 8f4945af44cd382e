"""The progress of a search on a terminal."""

import sys
from collections.abc import Sequence
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from models.search.tuning import Trial


class SearchProgress:
    """Shows how far a search has come, in trials or in time, and the best so far, on stderr if that is a terminal."""

    def __init__(self, trials: int | None, seconds: float | None, *, shown: bool) -> None:
        self._trials, self._seconds, self._began = trials, seconds, monotonic()
        self._bar = Progress(
            TextColumn("searching"),
            BarColumn(),
            TextColumn("{task.fields[told]}"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
            disable=not (shown and sys.stderr.isatty()),
        )
        self._task = self._bar.add_task("searching", total=1.0, told="starting")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def update(self, trials: "Sequence[Trial]") -> None:
        """Show where the search is."""
        done = [each for each in trials if each.state != "running"]
        shares = [len(done) / self._trials] if self._trials else []
        if self._seconds:
            shares.append((monotonic() - self._began) / self._seconds)
        self._bar.update(self._task, completed=min(max(shares, default=0), 1), told=_told(trials, len(done)))


def _told(trials: "Sequence[Trial]", done: int) -> str:
    complete = [each for each in trials if each.state == "complete"]
    if not complete:
        return f"{done} trials done"
    best = min(complete, key=lambda each: each.error)
    return f"{done} trials done, best {best.error:.4f} ({best.settings['family']})"
