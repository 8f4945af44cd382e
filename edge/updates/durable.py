"""Files that are there after a power cut: written, flushed, renamed, and the folder flushed, in this order."""

import os
from pathlib import Path


def write_durably(path: Path, data: bytes) -> None:
    """Put a file in the place of another, whole or not at all; OSError if it cannot be written."""
    draft = path.with_name(f".{path.name}.draft")
    try:
        with draft.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    flush_folder(path.parent)


def flush_folder(path: Path) -> None:
    """Have the disk keep the names in a folder."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
