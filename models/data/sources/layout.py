"""Layouts: what the columns of a table mean."""

from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

from edge.errors import DataError

LONG = {"stream", "time", "channel", "value"}  #: the header by which a long table is known


@dataclass(frozen=True, slots=True)
class Layout:
    """A wide table has a row for each time of a stream, a long one a row for each reading."""

    time: str  #: column of the times
    channels: tuple[str, ...]  #: wide: columns of the values; long: what is in the column `channel`
    device: str | None = None  #: column that names the stream
    channel: str | None = None  #: long: column that names the channel; a wide table has none
    value: str = "value"  #: long: column of the values
    time_zone: str = "UTC"  #: of times that tell no offset

    @property
    def columns(self) -> list[str]:
        """Return all columns that are read."""
        values = list(self.channels) if self.channel is None else [self.channel, self.value]
        return [self.time, *([self.device] if self.device else []), *values]

    def fitted(self, there: list[str]) -> "Layout":
        """Return the layout as it is for a table with such columns: long if its header says so.

        A table that has the channels as columns of its own besides is a wide one.
        """
        as_columns = set(self.channels) <= set(there) - LONG
        if self.channel or self.device not in {None, "stream"} or as_columns or not set(there) >= LONG:
            return self
        return replace(self, device="stream", channel="channel", value="value")

    def check(self, path: Path, there: list[str]) -> None:
        """Raise DataError if a file has not all the columns."""
        for column in self.columns:
            if column not in there:
                near = get_close_matches(column, there, 1)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                raise DataError(f"{path}: expected a column {column!r}, got {', '.join(map(repr, there))}{hint}")
