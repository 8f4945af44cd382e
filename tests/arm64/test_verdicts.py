"""An arm64 machine says of the same bundles what this one says: every family, in each runtime."""

import shutil
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from edge.reading import Verdicts
from models.bundling import train_bundle
from models.families import FAMILIES
from models.spec import TrainingSpec
from tests.arm64 import replay
from tests.arm64.root import Root
from tests.contract.test_families import recordings, spec_of

RUNTIMES = ("onnx", "litert")
TOLERANCE = 1e-5  #: of a number, or absolute below 1
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]  # emulated, and perhaps on a busy machine


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a bundle of each family, as good as one epoch makes it."""
    folder = tmp_path_factory.mktemp("bundles")
    for family in FAMILIES:
        train_bundle(recordings(), spec_of(family), TrainingSpec(epochs=1, stretch=24), name=family, out=folder)
    return folder


@pytest.fixture(scope="module")
def machine(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Root]:
    """Return an arm64 machine with the wheel of this source."""
    for program in ("qemu-aarch64-static", "apt-get", "dpkg-deb"):
        if shutil.which(program) is None:
            pytest.skip(f"needs {program}: apt-get install qemu-user-static, on Debian")
    folder = tmp_path_factory.mktemp("arm64")
    root = Root(folder)
    root.build(wheel)
    yield root
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def said(bundles: Path, machine: Root, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of what the arm64 machine says."""
    out = tmp_path_factory.mktemp("said")
    assert machine.python(replay.__file__, bundles, out, *RUNTIMES).split()[-1] == "aarch64"
    return out


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("family", FAMILIES)
def test_an_arm64_machine_gives_the_same_verdicts(family: str, runtime: str, bundles: Path, said: Path) -> None:
    here = replay.replay(bundles / family / "1", runtime)
    assert np.isfinite(here.score).any()
    with np.load(said / runtime / f"{family}.npz") as there:
        for column in fields(Verdicts):
            ours, theirs = getattr(here, column.name), there[column.name]
            if ours.dtype.kind == "f":
                np.testing.assert_allclose(theirs, ours, rtol=TOLERANCE, atol=TOLERANCE, err_msg=column.name)
            else:
                np.testing.assert_array_equal(theirs, ours, err_msg=column.name)
