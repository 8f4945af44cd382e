import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.errors import BundleError
from edge.runtimes.litert import LiteRuntime

MakeModel = Callable[..., bytes]


def last_value(x: Any, memory: Any) -> Any:
    """Forecast the last value and remember it beside what was remembered."""
    return x[:, None, :] * 1.0, memory * 0.5 + x


@pytest.fixture(scope="module")
def model(make_model: MakeModel) -> bytes:
    return make_model(last_value)


@pytest.mark.parametrize("rows", [1, 3, 64, 65, 300])
def test_a_step_takes_any_number_of_rows(model: bytes, rows: int) -> None:
    x = np.arange(rows * 2, dtype=np.float32).reshape(rows, 2)
    forecast, width, memory = LiteRuntime(model).step(x, np.ones_like(x))
    np.testing.assert_array_equal(forecast, x[:, None])
    np.testing.assert_array_equal(memory, x + 0.5)
    assert width is None


def test_a_model_that_says_how_wide_its_errors_are_is_heard(make_model: MakeModel) -> None:
    runtime = LiteRuntime(make_model(lambda x, memory: (x[:, None, :] + 1.0, x[:, None, :] * 0.0 + 0.5, memory + x)))
    for rows in (1, 3):
        x = np.ones((rows, 2), np.float32)
        forecast, width, memory = runtime.step(x, x)
        np.testing.assert_array_equal(forecast, np.full((rows, 1, 2), 2.0))
        np.testing.assert_array_equal(width, np.full((rows, 1, 2), 0.5))
        np.testing.assert_array_equal(memory, np.full((rows, 2), 2.0))


def test_a_step_without_memory_is_run(make_model: MakeModel) -> None:
    runtime = LiteRuntime(make_model(lambda x, memory: (x[:, None, :] * 1.0, memory), memory=0))
    for rows in (1, 70):
        x = np.ones((rows, 2), np.float32)
        forecast, _, memory = runtime.step(x, np.zeros((rows, 0), np.float32))
        np.testing.assert_array_equal(forecast, x[:, None])
        assert memory.shape == (rows, 0)


def test_a_step_whose_number_of_rows_is_fixed_is_run_row_by_row(make_model: MakeModel) -> None:
    import tensorflow as tf

    fixed = make_model(lambda x, memory: (tf.reshape(x * 2.0, (1, 1, 2)), memory + x), rows=1)
    x = np.arange(20, dtype=np.float32).reshape(10, 2)
    forecast, _, memory = LiteRuntime(fixed).step(x, x)
    np.testing.assert_array_equal(forecast, 2 * x[:, None])
    np.testing.assert_array_equal(memory, 2 * x)


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_file_that_is_no_model_or_not_a_whole_one_is_refused(model: bytes, share: float) -> None:
    data = model[: int(len(model) * share)] or b"not a model"
    with pytest.raises(BundleError, match=r"step\.tflite: expected a model that the interpreter loads, got: .*valid"):
        LiteRuntime(data)


def test_operators_of_tensorflow_proper_are_refused(make_model: MakeModel, tmp_path: Path) -> None:
    import tensorflow as tf

    path = tmp_path / "step.tflite"
    path.write_bytes(
        make_model(lambda x, memory: (tf.linalg.inv(x[:, :, None] * x[:, None])[:, :1], memory), flex=True)
    )
    script = "import sys, pathlib, edge.runtimes.litert as l; l.LiteRuntime(pathlib.Path(sys.argv[1]).read_bytes())"
    done = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, check=False)
    told = done.stderr.splitlines()[-1]  # in a process without TensorFlow, as on a device
    assert "BundleError: step.tflite: expected a model that the interpreter loads, got: " in told
    assert "FlexMatrixInverse" in told


def test_a_model_with_other_ends_than_a_step_is_refused(make_model: MakeModel) -> None:
    import tensorflow as tf

    with pytest.raises(BundleError, match=r"got: 1 outputs rather than forecast"):
        LiteRuntime(make_model(lambda x, memory: x + memory))
    whole = make_model(lambda x, memory: (tf.cast(x, tf.int32)[:, None], memory + x))
    with pytest.raises(BundleError, match="inputs or outputs that are not of single precision"):
        LiteRuntime(whole)


def test_a_step_of_other_sizes_than_the_bundle_s_is_refused(model: bytes) -> None:
    with pytest.raises(BundleError, match="expected a step of 3 inputs and 2 numbers of memory, got one of 2 and 2"):
        LiteRuntime(model).step(np.zeros((1, 3), np.float32), np.zeros((1, 2), np.float32))
