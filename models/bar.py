"""A progress bar on stderr, if that is a terminal."""

import sys
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import Progress, ProgressColumn, TextColumn, TimeElapsedColumn


class Bar:
    """Shows one task while it is entered, and leaves nothing behind; on anything but a terminal it shows nothing."""

    def __init__(self, name: str, *columns: ProgressColumn, shown: bool, total: float, **fields: Any) -> None:
        self._bar = Progress(
            TextColumn(name),
            *columns,
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
            disable=not (shown and sys.stderr.isatty()),
        )
        self._task = self._bar.add_task(name, total=total, **fields)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def show(self, **state: Any) -> None:
        """Show how far it has come: `advance` or `completed`, and the fields of its columns."""
        self._bar.update(self._task, **state)
