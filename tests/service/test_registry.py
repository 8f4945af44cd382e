import shutil
from pathlib import Path

import pytest

from edge.bundle import GOLDEN, write_bundle
from edge.errors import BundleError
from service.registry import Registry
from tests.conftest import MakeBundle


def test_a_name_alone_is_its_highest_version(make_bundle: MakeBundle, tmp_path: Path) -> None:
    for version in ("2", "10", "9"):
        make_bundle(version=version)
    registry = Registry(tmp_path / "bundles")
    assert registry.get("pump").reference == "pump/10"
    assert registry.get("pump/2").reference == "pump/2"


def test_a_bundle_is_read_once(make_bundle: MakeBundle, tmp_path: Path) -> None:
    make_bundle()
    registry = Registry(tmp_path / "bundles")
    assert registry.get("pump") is registry.get("pump/1")


def test_a_bundle_that_does_not_give_its_golden_verdicts_is_refused(make_bundle: MakeBundle, tmp_path: Path) -> None:
    bundle, other = make_bundle(), make_bundle(name="other", interval_ms=20_000)
    mixed = bundle.files | {GOLDEN: other.files[GOLDEN]}
    write_bundle(tmp_path / "mixed", bundle.manifest, mixed)
    with pytest.raises(BundleError, match="golden verdicts"):
        Registry(tmp_path / "mixed").get("pump")


def test_a_bundle_with_another_seal_is_read_again_and_those_not_kept_are_forgotten(
    make_bundle: MakeBundle, tmp_path: Path
) -> None:
    make_bundle()
    registry = Registry(tmp_path / "bundles")
    old = registry.get("pump")
    shutil.rmtree(old.path)
    make_bundle(burn_in=5)
    new = registry.get("pump")
    assert (old.manifest.burn_in, new.manifest.burn_in) == (4, 5)
    registry.keep([new])
    assert registry.get("pump") is new
    registry.keep([])
    assert registry.get("pump") is not new
