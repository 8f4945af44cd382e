"""The latest: what was said last of each stream of a monitor, and which of it is due to be told."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge.quality import Quality
from service.pipeline.transaction import Scored


class Latest:
    """Keeps the last verdict of each stream, by row; of many that come between two looks only the last is told."""

    def __init__(self, names: list[str], channels: Sequence[str]) -> None:
        self.names = names  #: by row; the monitor's own list, which grows
        self.channels = list(channels)
        self.rows: dict[str, int] = {}
        self.score: NDArray[np.float32] = np.zeros(0, np.float32)  #: (streams,)
        self.expected: NDArray[np.float64] = np.zeros((0, len(channels)))  #: (streams, C)
        self.silent: NDArray[np.bool_] = np.zeros(0, np.bool_)  #: (streams,)
        self._fresh: NDArray[np.bool_] = np.zeros(0, np.bool_)  # not yet told
        self._told_s: NDArray[np.float64] = np.zeros(0)

    def take(self, scored: Scored) -> list[str]:
        """Take verdicts over, and return the names of the streams that fell silent or speak again."""
        said, before = scored.verdicts, len(self.score)
        count = int(said.stream.max(initial=-1)) + 1
        if count > before:
            self._grow(count - before)
        was = self.silent.copy()
        self.score[said.stream] = said.score  # of several of one stream the last stays
        self.expected[said.stream] = said.expected
        self.silent[said.stream] = (said.quality & Quality.SILENT != 0).all(axis=1)
        self._fresh[said.stream] = True
        return [self.names[row] for row in np.flatnonzero(was != self.silent).tolist()]

    def due(self, now_s: float, every_s: float) -> list[str]:
        """Return the names of the streams of which there is news, and that were not told for so long."""
        rows = np.flatnonzero(self._fresh & (now_s - self._told_s >= every_s))
        return [self.names[row] for row in rows.tolist()]

    def told(self, name: str, now_s: float) -> None:
        """Note that a stream's last verdict is told."""
        if (row := self.rows.get(name)) is not None:
            self._fresh[row], self._told_s[row] = False, now_s

    def _grow(self, more: int) -> None:
        begin = len(self.score)
        self.rows |= {name: begin + i for i, name in enumerate(self.names[begin : begin + more])}
        self.score = np.concatenate([self.score, np.full(more, np.nan, np.float32)])
        self.expected = np.concatenate([self.expected, np.full((more, len(self.channels)), np.nan)])
        self.silent = np.concatenate([self.silent, np.zeros(more, np.bool_)])
        self._fresh = np.concatenate([self._fresh, np.zeros(more, np.bool_)])
        self._told_s = np.concatenate([self._told_s, np.full(more, -np.inf)])
