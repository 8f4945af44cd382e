"""A board: public data with known anomalies, in the layout of its own repository."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from edge.errors import DataError
from models.benchmark.outcome import Outcome
from models.benchmark.series import Rows, Series


@dataclass(frozen=True, slots=True)
class Board:
    """What is known of a board; its series are read and its score files written by functions of its own."""

    name: str
    layout: str  #: of its data, in words
    channels: int  #: of each series
    find: Callable[[Path], list[Series]]  #: folder -> series, in order
    read: Callable[[Series], Rows]
    table: Callable[[Series, Rows, Outcome], pd.DataFrame]  #: what the scorer reads of one series
    joined: str = ""  #: the one file that the scorer reads all tables from, if it does

    def series(self, data: Path) -> list[Series]:
        """Return the series in a folder; DataError if there is none."""
        found = self.find(data)
        if not found:
            raise DataError(f"{data}: expected {self.layout}, found no such file")
        return found
