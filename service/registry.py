"""The registry: bundles by name and version, each proven before it is used."""

from pathlib import Path

from edge.bundle import Bundle, find_bundle, read_bundle
from edge.golden import self_test


class Registry:
    """Finds bundles in a folder; a bundle is read and tested once."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._tested: dict[Path, Bundle] = {}

    def get(self, reference: str) -> Bundle:
        """Return the bundle NAME/VERSION, or the highest version of NAME; BundleError if it may not be trusted."""
        path = find_bundle(self._root, reference)
        if path not in self._tested:
            bundle = read_bundle(path)
            self_test(bundle)
            self._tested[path] = bundle
        return self._tested[path]
