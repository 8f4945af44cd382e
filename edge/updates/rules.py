"""The rules by which a signed bundle is taken or refused, before any of its files is fetched."""

import os
import re
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from edge.errors import BundleError
from edge.updates.document import Document, time_text

RESERVE_BYTES = 16 * 1024 * 1024  #: of the disk, that an update leaves free
_SKEW_S = 86_400.0  # that a device's clock may be behind that of whoever signs


class Now(NamedTuple):
    """What a device knows when it decides."""

    time_s: float  #: UTC epoch seconds
    highest: int  #: version that has been in charge here
    agent: str  #: release that runs here


def agent_release() -> str:
    """Return the release that runs here."""
    return version("foresense")


def check_rules(document: Document, now: Now) -> None:
    """Check expiry, clock, age of the version and of the agent; BundleError says which rule is broken."""
    where = f"bundle {document.name}/{document.version}"
    if now.time_s >= document.expires_s:
        raise BundleError(f"{where}: expected one that has not expired, got one that did at {document.expires}")
    if now.time_s < document.created_s - _SKEW_S:
        got = time_text(now.time_s)
        raise BundleError(f"{where}: expected a clock that is later than its signature ({document.created}), got {got}")
    if int(document.version) < now.highest:
        raise BundleError(f"{where}: expected version {now.highest}, which was in charge here, or a newer one")
    if _numbers(now.agent) < _numbers(document.minimum_agent):
        raise BundleError(f"{where}: expected foresense {document.minimum_agent} or newer here, got {now.agent}")


def check_room(document: Document, incoming: Path) -> None:
    """Check that the files that are still to come fit on the disk; BundleError if they do not."""
    space = os.statvfs(incoming)
    here = [incoming / name for name in document.files if (incoming / name).exists()]
    needed = document.size - sum(path.stat().st_size for path in here) + RESERVE_BYTES
    if (free := space.f_bavail * space.f_frsize) < needed:
        where = f"bundle {document.name}/{document.version}"
        raise BundleError(f"{where}: expected {needed / 1e6:,.1f} MB free on the disk, got {free / 1e6:,.1f} MB")


def _numbers(release: str) -> tuple[int, ...]:
    """Return a release's numbers; what follows them, such as a mark of a development release, does not count."""
    match = re.match(r"\d+(\.\d+)*", release)
    numbers = [int(part) for part in match[0].split(".")] if match else []
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)
