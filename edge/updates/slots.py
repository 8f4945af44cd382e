"""Slots: a bundle's versions side by side, one of them in charge.

BUNDLES/NAME/7, 8     versions
BUNDLES/NAME/current  -> 8, in charge; another takes its place by the renaming of a link
BUNDLES/NAME/.incoming  an update that is not whole yet
"""

import shutil
from pathlib import Path

from edge.updates.document import VERSION
from edge.updates.durable import flush_folder

CURRENT = "current"
_INCOMING = ".incoming"


class Slots:
    """The folders of one bundle's versions."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.incoming = folder / _INCOMING

    def path(self, version: str) -> Path:
        """Return the folder of a version."""
        return self.folder / version

    def current(self) -> str:
        """Return the version that `current` names, '' if none that is there."""
        link = self.folder / CURRENT
        version = link.readlink().name if link.is_symlink() else ""
        return version if VERSION.fullmatch(version) and self.path(version).is_dir() else ""

    def newest(self) -> str:
        """Return the highest version that is there, '' if there is none."""
        versions = [p.name for p in self.folder.glob("*") if VERSION.fullmatch(p.name) and p.is_dir()]
        return max(versions, key=int, default="")

    def point(self, version: str) -> None:
        """Have `current` name another version, at once or not at all."""
        draft = self.folder / f".{CURRENT}.draft"
        draft.unlink(missing_ok=True)
        draft.symlink_to(version)
        draft.replace(self.folder / CURRENT)
        flush_folder(self.folder)

    def admit(self, version: str) -> None:
        """Make what has come, whose files are on the disk already, the folder of a version."""
        self.remove(version)
        self.incoming.rename(self.path(version))
        flush_folder(self.folder)

    def expel(self, version: str) -> None:
        """Take the folder of a version that was never in charge for an update that is not whole yet."""
        if self.path(version).is_dir() and not self.incoming.exists():
            self.path(version).rename(self.incoming)
            flush_folder(self.folder)

    def remove(self, version: str) -> None:
        """Remove a version's folder, which must not be in charge."""
        _remove(self.path(version))

    def discard(self) -> None:
        """Remove what has come of an update."""
        _remove(self.incoming)


def _remove(path: Path) -> None:
    if path.exists():
        shutil.rmtree(path)
        flush_folder(path.parent)
