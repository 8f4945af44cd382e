from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest

from edge.bundle import Bundle
from edge.errors import BundleError
from edge.golden import self_test
from edge.runtimes import open_runtime, opening
from edge.runtimes.litert import LiteRuntime
from edge.runtimes.onnx import OnnxRuntime

MakeBundle = Callable[..., Bundle]
MakeModel = Callable[..., bytes]


@pytest.fixture
def both(make_bundle: MakeBundle, make_model: MakeModel) -> Bundle:
    """Return a bundle that has its step, which expects the last value, in both forms."""
    bundle = make_bundle()
    model = make_model(lambda x, memory: (x[:, None, :] * 1.0, memory * 0.0 + x), inputs=1, memory=1)
    return replace(bundle, files=bundle.files | {"step.tflite": model, "step.int8.tflite": model})


def without(monkeypatch: pytest.MonkeyPatch, *modules: str) -> None:
    monkeypatch.setattr(opening, "find_spec", lambda name: None if name in modules else find_spec(name))


def test_a_runtime_is_chosen_by_name(both: Bundle) -> None:
    assert isinstance(open_runtime(both.files, "onnx"), OnnxRuntime)
    assert isinstance(open_runtime(both.files, "litert"), LiteRuntime)
    assert isinstance(open_runtime(both.files, "litert-int8"), LiteRuntime)


def test_without_a_name_what_is_installed_is_taken(both: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(open_runtime(both.files), OnnxRuntime)
    without(monkeypatch, "onnxruntime")
    assert isinstance(open_runtime(both.files), LiteRuntime)


def test_without_a_name_what_is_installed_must_have_its_file(both: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    only = {name: data for name, data in both.files.items() if name != "step.onnx"}
    assert isinstance(open_runtime(only), LiteRuntime)
    without(monkeypatch, "onnxruntime")
    del only["step.tflite"]
    with pytest.raises(BundleError, match=r"expected a bundle with step\.tflite for the installed litert, got one wit"):
        open_runtime(only)


def test_a_runtime_that_is_not_installed_is_told(both: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BundleError, match=r"runtime tflite-runtime: expected tflite_runtime to be installed \(pip ins"):
        open_runtime(both.files, "tflite-runtime")
    without(monkeypatch, "onnxruntime", "ai_edge_litert")
    with pytest.raises(BundleError, match="runtime: expected one of onnx, litert, tflite-runtime to be installed"):
        open_runtime(both.files)


def test_a_bundle_without_the_file_of_the_wanted_runtime_is_told(make_bundle: MakeBundle) -> None:
    with pytest.raises(BundleError, match=r"runtime litert-int8: expected a bundle with step\.int8\.tflite, got one w"):
        open_runtime(make_bundle().files, "litert-int8")


def test_an_unknown_name_is_told(both: Bundle) -> None:
    with pytest.raises(
        BundleError, match="runtime: expected one of onnx, litert, tflite-runtime, litert-int8, got 'tf'"
    ):
        open_runtime(both.files, "tf")


@pytest.mark.parametrize("runtime", ["onnx", "litert", "litert-int8"])
def test_golden_verdicts_hold_in_every_runtime(both: Bundle, runtime: str) -> None:
    assert self_test(both, runtime) == 40


@pytest.mark.parametrize("file", ["step.tflite", "step.int8.tflite"])
def test_a_step_that_answers_nan_fails_its_golden_verdicts(both: Bundle, make_model: MakeModel, file: str) -> None:
    broken = make_model(lambda x, memory: (x[:, None, :] * np.float32(np.nan), memory + x), inputs=1, memory=1)
    runtime = "litert" if file == "step.tflite" else "litert-int8"
    with pytest.raises(BundleError, match="golden verdicts: "):
        self_test(replace(both, files=both.files | {file: broken}), runtime)
