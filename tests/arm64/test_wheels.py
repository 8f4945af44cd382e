"""What pip finds for a 64-bit Raspberry Pi OS: wheels for everything, so that nothing is compiled there."""

import json
from pathlib import Path

import pytest

from tests.arm64.root import install_wheels

RELEASES = {"12": "3.11", "13": "3.13"}  #: of Raspberry Pi OS, and the Python that each has


@pytest.mark.slow
@pytest.mark.parametrize("release", RELEASES)
def test_there_are_wheels_for_every_part_of_it(release: str, wheel: Path, tmp_path: Path) -> None:
    what = f"foresense[onnx,litert] @ {wheel.as_uri()}"
    report = json.loads(install_wheels(tmp_path, what, RELEASES[release], "--dry-run", "--report=-"))
    found = {part["metadata"]["name"]: part["download_info"]["url"] for part in report["install"]}
    assert {"ai-edge-litert", "onnxruntime", "numpy", "PyYAML"} <= found.keys()
    assert all(url.endswith(("aarch64.whl", "-none-any.whl")) for url in found.values()), found
