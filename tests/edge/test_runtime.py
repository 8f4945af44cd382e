from collections.abc import Callable

import numpy as np
import pytest

from edge.bundle import Bundle
from edge.errors import BundleError
from edge.runtime import OnnxRuntime, open_runtime

MakeBundle = Callable[..., Bundle]


@pytest.mark.parametrize("rows", [1, 3, 5000])
def test_a_step_takes_any_number_of_rows(make_bundle: MakeBundle, rows: int) -> None:
    runtime = open_runtime(make_bundle(channels=("flow", "pressure")).files)
    x = np.arange(rows * 2, dtype=np.float32).reshape(rows, 2)
    forecast, memory = runtime.step(x, np.zeros_like(x))
    np.testing.assert_array_equal(forecast, x[:, None])
    np.testing.assert_array_equal(memory, x)


def test_bytes_that_are_no_model_are_refused() -> None:
    with pytest.raises(BundleError, match=r"step\.onnx: expected a model"):
        OnnxRuntime(b"not a model")
