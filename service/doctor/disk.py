"""The disk: how long it will hold the database, and whether it keeps what it is given."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from service.doctor.finding import Finding, fail, ok, warn
from service.doctor.history import History

_MIB = 1024 * 1024
_LEAST, _LITTLE = 100 * _MIB, 1024 * _MIB
_LEAST_DAYS, _FEW_DAYS = 1, 14
_MOUNTS = Path("/proc/self/mountinfo")
_IN_MEMORY = ("tmpfs", "ramfs")
_OF_A_CONTAINER = ("overlay", "aufs")
_OF_A_NETWORK = ("nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "ceph", "glusterfs")


def look_at_disk(database: Path, history: History | None, mounts: Path = _MOUNTS) -> Iterator[Finding]:
    """Look at the disk that a database is on, or will be; `history`: what is in it, if it is there."""
    folder = next(parent for parent in database.resolve().parents if parent.exists())
    yield _space(folder, history)
    yield _kind(folder, mounts)


def _space(folder: Path, history: History | None) -> Finding:
    free = shutil.disk_usage(folder).free
    said, days = f"{folder} has {free / _MIB:.0f} MiB left", float("inf")
    if history is not None and history.bytes_a_day > 0:
        days = free / history.bytes_a_day
        said += f", enough for {min(days, 9999):.0f} days at {history.bytes_a_day / _MIB:.3g} MiB a day"
    remedy = "make room, or move the database to a larger disk"
    if free < _LEAST or days < _LEAST_DAYS:
        return fail("disk", said, remedy)
    if free < _LITTLE or days < _FEW_DAYS:
        return warn("disk", said, remedy)
    return ok("disk", said)


def _kind(folder: Path, mounts: Path) -> Finding:
    kind, options = mount_of(folder, mounts)
    elsewhere = "set `database` to a folder on a disk"
    if kind in _IN_MEMORY:
        return warn("file system", f"{folder} is in memory ({kind}): all is gone when this host restarts", elsewhere)
    if kind in _OF_A_CONTAINER:
        said = f"{folder} is within a container ({kind}): all is gone when the container is made anew"
        return warn("file system", said, "mount a volume there")
    if kind in _OF_A_NETWORK:
        return warn("file system", f"{folder} is on a network ({kind}), where SQLite may lose data", elsewhere)
    if {"nobarrier", "barrier=0"} & options:
        said = f"{folder} is mounted so that it keeps nothing for sure ({kind}, nobarrier)"
        return warn("file system", said, "mount it without that option")
    return ok("file system", f"{folder} is on {kind or 'a file system that is not known'}")


def mount_of(folder: Path, mounts: Path = _MOUNTS) -> tuple[str, set[str]]:
    """Return the kind of file system that a folder is on, '' if that is not known, and its options."""
    found, kind, options = "", "", set[str]()
    try:
        lines = mounts.read_text().splitlines()
    except OSError:
        return kind, options
    for line in lines:
        before, _, after = line.partition(" - ")
        place = before.split()[4].replace("\\040", " ")
        if len(place) >= len(found) and folder.is_relative_to(place):
            kind, _, more = after.split()[:3]
            found, options = place, {*before.split()[5].split(","), *more.split(",")}
    return kind, options
