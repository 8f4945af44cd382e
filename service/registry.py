"""The registry: bundles by name and version, each proven before it is used."""

from collections.abc import Iterable
from pathlib import Path

from edge.bundle import SEAL, Bundle, find_bundle, read_bundle
from edge.golden import self_test


class Registry:
    """Finds bundles in a folder; a bundle is read and tested once, and again only if its seal is another."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._tested: dict[Path, tuple[bytes, Bundle]] = {}  # by folder, with the seal

    def get(self, reference: str) -> Bundle:
        """Return the bundle NAME/VERSION, or the highest version of NAME; BundleError if it may not be trusted."""
        path = find_bundle(self._root, reference)
        seal = _seal(path)
        known = self._tested.get(path)
        if known is not None and known[0] == seal:
            return known[1]
        bundle = read_bundle(path)
        self_test(bundle)
        self._tested[path] = seal, bundle
        return bundle

    def keep(self, bundles: Iterable[Bundle]) -> None:
        """Forget all others."""
        paths = {bundle.path for bundle in bundles}
        self._tested = {path: known for path, known in self._tested.items() if path in paths}


def _seal(path: Path) -> bytes:
    try:
        return (path / SEAL).read_bytes()
    except OSError:
        return b""  # reading the bundle tells what is wrong with it
