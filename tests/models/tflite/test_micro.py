import pytest

from edge.errors import BundleError
from models.forecaster import Forecaster
from models.spec import ForecasterSpec
from models.tflite.conversion import export_tflite
from models.tflite.micro import fit


def exported(family: str, activation: str | None = None) -> bytes:
    return export_tflite(Forecaster(ForecasterSpec(family=family, lookback=4, activation=activation), 2))  # type: ignore[arg-type]


def test_a_step_of_known_operators_runs_and_its_arena_is_measured() -> None:
    found = fit(exported("elman"), "step.tflite")
    assert 1024 < found.arena < 32_768
    assert found.worst < 1e-5


def test_a_step_whose_operators_it_does_not_have_is_refused() -> None:
    with pytest.raises(BundleError, match=r"step\.tflite: expected operators that TFLite Micro has, got: "):
        fit(exported("mlp", "gelu"), "step.tflite")
