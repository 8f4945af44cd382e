"""Where a monitor's bundle lies: NAME's slot in charge, its highest version, or the version that is asked for.

Should that one be damaged, there are the versions before it.
"""

from pathlib import Path

from edge.bundle import find_bundle, versions_in
from edge.errors import ConfigError

CURRENT = "current"  #: a link to the version in charge; who changes bundles puts another in its place by renaming


def check_reference(reference: str) -> None:
    """ConfigError unless this is NAME or NAME/VERSION."""
    name, _, version = reference.partition("/")
    if {name, version} & {".", ".."} or not name or "/" in version or (version == "" and "/" in reference):
        raise ConfigError(f"bundle: expected NAME or NAME/VERSION, got {reference!r}")


def in_charge(root: Path, reference: str) -> Path:
    """Return the folder of the bundle to open; BundleError if there is none."""
    current = root / reference / CURRENT
    if "/" not in reference and current.exists():
        return current.resolve()
    return find_bundle(root, reference)


def before(path: Path, reference: str) -> list[Path]:
    """Return the folders of the versions before a bundle's, the newest first; none if a version is asked for."""
    if "/" in reference or not path.name.isdecimal():
        return []
    return [each for each in versions_in(path.parent) if int(each.name) < int(path.name)]
