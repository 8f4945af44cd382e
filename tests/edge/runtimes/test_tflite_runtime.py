"""tflite-runtime needs NumPy 1, so it is run in an environment of its own."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

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
with np.load(sys.argv[2]) as keras:
    x, memory, expected = keras["x"], keras["memory"], keras["forecast"]
forecast, _, _ = runtime.step(x, memory)
alone, _, _ = runtime.step(x[:1], memory[:1])
is_close = np.abs(forecast - expected).max() <= 1e-5
print(self_test(bundle, "tflite-runtime"), np.array_equal(alone, forecast[:1]), is_close)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.version_info >= (3, 12), reason="there is no tflite-runtime for it")
def test_golden_verdicts_hold_in_tflite_runtime(tmp_path: Path) -> None:
    from models.bundling import train_bundle
    from models.export import load_weights
    from models.forecaster import Forecaster
    from models.runtime import KerasRuntime
    from tests.models.conftest import BRIEF, TINY, recording

    bundle = train_bundle([recording()], TINY, BRIEF, name="pump", out=tmp_path)
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    python = tmp_path / "venv/bin/python"
    subprocess.run([python, "-m", "pip", "install", "-q", *REQUIREMENTS], check=True)
    forecaster = Forecaster(TINY, 1)
    load_weights(forecaster, bundle.files["weights.npz"])
    x = np.random.default_rng(0).normal(size=(70, forecaster.inputs)).astype(np.float32)
    memory = np.zeros((70, forecaster.memory_size), np.float32)
    np.savez(tmp_path / "keras.npz", x=x, memory=memory, forecast=KerasRuntime(forecaster).step(x, memory)[0])
    told = [str(python), "-c", SCRIPT, str(bundle.path), str(tmp_path / "keras.npz")]
    done = subprocess.run(told, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    verdicts, is_alike, is_close = done.stdout.split()
    assert int(verdicts) > 100
    assert (is_alike, is_close) == ("True", "True")
