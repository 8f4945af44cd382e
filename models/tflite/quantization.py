"""Quantisation: the step in whole numbers of 8 bits, in a process of its own.

What calibrates the ranges can end its process with a segmentation fault, or take for ever. So it is given files, a
time limit, and nothing that would be missed.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from edge.errors import BundleError
from models.forecaster import Forecaster
from models.runtime import KerasRuntime
from models.spec import ForecasterSpec
from models.training.sequences import Stretches

Kind = Literal["full", "dynamic range"]
KINDS: tuple[Kind, ...] = ("full", "dynamic range")  #: weights and what is computed, or weights alone
TIMEOUT_S = 120
SAMPLES = 512  #: slots that the ranges are taken from
STREAMS = 64  #: stretches that are run to get them

Rows = NDArray[np.float32]


def representative(forecaster: Forecaster, learnt: Stretches) -> tuple[Rows, Rows]:
    """Return x (n, C') and memory (n, S) as they are in the part learnt from, in evenly spaced slots of stretches."""
    chosen = learnt.x[np.linspace(0, len(learnt) - 1, min(len(learnt), STREAMS)).astype(int)]
    runtime = KerasRuntime(forecaster)
    memory = np.zeros((len(chosen), forecaster.memory_size), np.float32)
    seen = []
    for slot in range(chosen.shape[1]):
        seen.append(memory)
        _, _, memory = runtime.step(chosen[:, slot], memory)
    x, memories = chosen.swapaxes(0, 1).reshape(-1, forecaster.inputs), np.concatenate(seen)
    rows = np.linspace(0, len(x) - 1, min(len(x), SAMPLES)).astype(int)
    return x[rows], memories[rows]


def quantise(forecaster: Forecaster, samples: tuple[Rows, Rows], kind: Kind, timeout_s: float = TIMEOUT_S) -> bytes:
    """Return the step as a TFLite model of 8-bit numbers; its inputs and outputs stay in single precision.

    BundleError says why there is none.
    """
    from models.export import export_weights

    with tempfile.TemporaryDirectory(prefix="foresense-") as name:
        folder = Path(name)
        (folder / "weights.npz").write_bytes(export_weights(forecaster))
        (folder / "given.json").write_text(
            json.dumps({"spec": asdict(forecaster.spec), "channels": forecaster.channels, "kind": kind})
        )
        np.savez(folder / "samples.npz", x=samples[0], memory=samples[1])
        try:
            done = subprocess.run(  # noqa: S603 our own module
                [sys.executable, "-m", __name__, name], capture_output=True, text=True, timeout=timeout_s, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise BundleError(f"int8, {kind}: expected a model within {timeout_s:g} s, got none") from error
        if done.returncode:
            raise BundleError(f"int8, {kind}: expected a model, got none: {_reason(done)}")
        return (folder / "step.tflite").read_bytes()


def _reason(done: subprocess.CompletedProcess[str]) -> str:
    if done.returncode < 0:
        return f"the converter was ended by signal {-done.returncode}"
    return (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]


def _convert(folder: Path) -> bytes:
    """Return the model of what `quantise` has put into a folder."""
    from models.export import load_weights
    from models.tflite.conversion import convert, converter_of

    given = json.loads((folder / "given.json").read_text())
    forecaster = Forecaster(ForecasterSpec(**given["spec"]), given["channels"])
    load_weights(forecaster, (folder / "weights.npz").read_bytes())
    converter = converter_of(forecaster)
    _set_kind(converter, given["kind"], folder)
    return convert(converter)


def _set_kind(converter: Any, kind: Kind, folder: Path) -> None:
    import tensorflow as tf

    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if kind == "full":
        with np.load(folder / "samples.npz") as arrays:
            x, memory = arrays["x"], arrays["memory"]

        def rows() -> Iterator[list[Rows]]:
            for at in range(len(x)):
                yield [x[at : at + 1], memory[at : at + 1]]

        converter.representative_dataset = rows
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]


if __name__ == "__main__":
    (Path(sys.argv[1]) / "step.tflite").write_bytes(_convert(Path(sys.argv[1])))
