from collections.abc import Callable

import numpy as np
import pytest
from onnx import TensorProto, helper

from edge.bundle import Bundle
from edge.errors import BundleError
from edge.runtimes import open_runtime
from edge.runtimes.onnx import OnnxRuntime
from tests.conftest import last_value_model, softplus_model

MakeBundle = Callable[..., Bundle]


@pytest.mark.parametrize("rows", [1, 3, 5000])
def test_a_step_takes_any_number_of_rows(make_bundle: MakeBundle, rows: int) -> None:
    runtime = open_runtime(make_bundle(channels=("flow", "pressure")).files)
    x = np.arange(rows * 2, dtype=np.float32).reshape(rows, 2)
    forecast, width, memory = runtime.step(x, np.zeros_like(x))
    np.testing.assert_array_equal(forecast, x[:, None])
    np.testing.assert_array_equal(memory, x)
    assert width is None


def test_a_model_that_says_how_wide_its_errors_are_is_heard() -> None:
    runtime = OnnxRuntime(last_value_model(2, width=0.5))
    forecast, width, _ = runtime.step(np.ones((3, 2), np.float32), np.zeros((3, 2), np.float32))
    np.testing.assert_array_equal(forecast, np.ones((3, 1, 2)))
    np.testing.assert_array_equal(width, np.full((3, 1, 2), 0.5))


def test_bytes_that_are_no_model_are_refused() -> None:
    with pytest.raises(BundleError, match=r"step\.onnx: expected a model"):
        OnnxRuntime(b"not a model")


def test_a_step_of_other_inputs_is_refused() -> None:
    runtime = OnnxRuntime(last_value_model(2))
    with pytest.raises(
        BundleError, match=r"step\.onnx: expected a step of 3 inputs and 2 numbers of memory, got one of 2 "
    ):
        runtime.step(np.zeros((1, 3), np.float32), np.zeros((1, 2), np.float32))


def test_a_model_that_is_no_step_is_refused() -> None:
    node = helper.make_node("Identity", ["a"], ["b"])
    ends = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 1]) for name in "ab")
    graph = helper.make_graph([node], "other", [next(ends)], [next(ends)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    with pytest.raises(
        BundleError, match="expected a step from x and memory to forecast and memory_out, got one from a to b"
    ):
        OnnxRuntime(model.SerializeToString())


def test_a_row_is_answered_alike_whatever_rows_are_beside_it() -> None:
    runtime = OnnxRuntime(softplus_model())
    x = np.random.default_rng(0).normal(size=(100, 1)).astype(np.float32)
    whole, _, _ = runtime.step(x, x)
    for rows in (1, 2, 3, 7, 17, 33, 99):
        part, _, memory = runtime.step(x[:rows], x[:rows])
        np.testing.assert_array_equal(part, whole[:rows])
        assert len(memory) == rows
