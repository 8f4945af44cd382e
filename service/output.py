"""The output: the file that a command's option --out names."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge.errors import ConfigError


@contextmanager
def writing(out: Path) -> Iterator[None]:
    """Raise ConfigError where the file cannot be written within the block."""
    try:
        yield
    except OSError as error:
        raise ConfigError(f"--out: {out}: expected a file that can be written, got: {error.strerror}") from error
