"""What every source of recorded readings does."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from edge.reading import Readings

BLOCK_ROWS = 200_000


@dataclass(frozen=True, slots=True)
class Block:
    """Successive readings of a source, checked: their times never go back within a stream."""

    names: list[str]  #: of all streams met so far, in order of appearance; it grows from block to block
    readings: Readings  #: their stream is its index in `names`, their channel that in the channels asked for
    rows: int  #: that were read for it
    empty: int  #: cells of these that held no number


class Source(Protocol):
    """Recorded readings of some channels, wherever they lie."""

    @property
    def label(self) -> str:
        """Return how messages call it."""
        ...

    def blocks(self) -> Iterator[Block]:
        """Yield all of it in order, some of it at a time; DataError says what is wrong where."""
        ...
