"""Files: a CSV or Parquet file, or a folder of them, read piece by piece."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edge.errors import ConfigError, DataError
from models.data.sources.frames import ENDINGS, read_frames, read_header
from models.data.sources.layout import Layout
from models.data.sources.rows import Rows
from models.data.sources.source import BLOCK_ROWS, Block


@dataclass(frozen=True, slots=True)
class Files:
    """A file or a folder; all its files have the same columns and are read in the order of their names.

    With a device column, or a name for the one stream, the files are parts of the same streams; else each
    file is a stream of its own, which has the file's name without its ending.
    """

    path: Path
    layout: Layout
    stream: str | None = None  #: name of the one stream

    @property
    def label(self) -> str:
        """Return the path."""
        return str(self.path)

    def blocks(self, rows: int = BLOCK_ROWS) -> Iterator[Block]:
        """Yield all rows in order, at most so many at a time. Rows are counted from 1, the header not included."""
        paths = self._paths()
        layout = self.layout.fitted(read_header(paths[0]))
        if layout.device is not None and self.stream is not None:
            raise ConfigError(
                f"--stream: expected it only where no column tells streams apart, got {layout.device!r} too"
            )
        for path in paths:
            layout.check(path, read_header(path))
        reader, count = Rows(layout), 0
        for path in paths:
            for frame in read_frames(path, layout, rows):
                block = reader.read(path, frame, self.stream or stem(path))
                count += block.rows
                yield block
        if count == 0:
            others = f"rows of {', '.join(map(repr, sorted(reader.others)[:10]))}" if reader.others else "none"
            wanted = f" of {' or '.join(map(repr, layout.channels))}" if reader.others else ""
            raise DataError(f"{self.path}: expected at least one row{wanted}, got {others}")

    def _paths(self) -> list[Path]:
        if not self.path.is_dir():
            return [self.path]
        paths = sorted(each for each in self.path.iterdir() if each.name.lower().endswith(ENDINGS))
        if not paths:
            raise DataError(f"{self.path}: expected a folder with files that end in {', '.join(ENDINGS)}, got none")
        return paths


def stem(path: Path) -> str:
    """Return a file's name without its ending.

    >>> stem(Path("data/pump-1.csv.gz"))
    'pump-1'
    """
    return next((path.name[: -len(end)] for end in ENDINGS if path.name.lower().endswith(end)), path.stem)
