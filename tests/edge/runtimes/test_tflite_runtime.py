"""tflite-runtime needs NumPy 1, so it is run in an environment of its own."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

MakeModel = Callable[..., bytes]
ROOT = Path(__file__).parents[3]
REQUIREMENTS = ("numpy<2", "tflite-runtime>=2.14", "pyyaml", "click", "paho-mqtt")
SCRIPT = """
import sys
from pathlib import Path
import numpy as np
from edge.bundle import read_bundle
from edge.golden import self_test
from edge.runtimes import open_runtime
bundle = read_bundle(Path(sys.argv[1]))
runtime = open_runtime(bundle.files)  # nothing else is installed
x = np.random.default_rng(0).normal(size=(70, bundle.manifest.inputs)).astype(np.float32)
memory = np.zeros((70, bundle.manifest.memory), np.float32)
whole = runtime.step(x, memory)
alone = runtime.step(x[:1], memory[:1])
print(self_test(bundle, "tflite-runtime"), all(map(np.array_equal, (whole[0][:1], whole[2][:1]), alone[::2])))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.version_info >= (3, 12), reason="there is no tflite-runtime for it")
def test_golden_verdicts_hold_in_tflite_runtime(tmp_path: Path) -> None:
    from models.bundling import train_bundle
    from tests.models.conftest import BRIEF, TINY, recording

    bundle = train_bundle([recording()], TINY, BRIEF, name="pump", out=tmp_path)
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    python = tmp_path / "venv/bin/python"
    subprocess.run([python, "-m", "pip", "install", "-q", *REQUIREMENTS], check=True)
    done = subprocess.run([python, "-c", SCRIPT, bundle.path], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(200 + TINY.lookback), "True"]
