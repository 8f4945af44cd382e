"""TFLite Micro: whether a microcontroller's interpreter runs a step, and how much memory it needs for it.

The interpreter may end its process instead of raising, so it is asked in one of its own.
"""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from edge.errors import BundleError, ConfigError
from edge.runtimes.litert import LiteRuntime

STEPS = 32  #: that are compared with LiteRT
TOLERANCE = 1e-4  #: between the two, scaled, in single precision
WHOLE_TOLERANCE = 0.1  #: likewise in whole numbers, where a value between two may be rounded either way
MOST_ARENA = 1 << 24
TIMEOUT_S = 120
_GRAIN = 1024


@dataclass(frozen=True, slots=True)
class Fit:
    """What a step needs of a microcontroller."""

    arena: int  #: bytes that the interpreter is given for all but the model; on 64 bits, so less on a microcontroller
    worst: float  #: greatest difference from LiteRT, scaled


def fit(model: bytes, file: str) -> Fit:
    """Run a bundle's step in TFLite Micro; BundleError says why it cannot be, or that it answers something else."""
    if find_spec("tflite_micro") is None:
        raise ConfigError("export-c: expected tflite-micro to be installed (pip install 'foresense[micro]'), got none")
    with tempfile.TemporaryDirectory(prefix="foresense-") as folder:
        path = Path(folder) / file
        path.write_bytes(model)
        try:
            done = subprocess.run(  # noqa: S603 our own module
                [sys.executable, "-m", __name__, path], capture_output=True, text=True, timeout=TIMEOUT_S, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise BundleError(f"{file}: expected an answer of TFLite Micro within {TIMEOUT_S} s, got none") from error
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[0]
        raise BundleError(f"{file}: expected operators that TFLite Micro has, got: {reason}")
    found = Fit(**json.loads(done.stdout))
    most = WHOLE_TOLERANCE if "int8" in file else TOLERANCE
    if not found.worst <= most:
        raise BundleError(f"{file}: expected TFLite Micro within {most:g} of LiteRT, got {found.worst:.2g}")
    return found


def _measure(path: Path) -> Fit:
    """Compare with an arena that is surely large enough, then look for the least."""
    model = path.read_bytes()
    worst = _divergence(_open(model, MOST_ARENA), LiteRuntime(model, file=path.name))
    low, high = 0, MOST_ARENA
    while high - low > _GRAIN:
        middle = (low + high) // 2 // _GRAIN * _GRAIN
        low, high = (low, middle) if _allocates(model, middle) else (middle, high)
    return Fit(high, worst)


def _open(model: bytes, arena: int) -> Any:
    from tflite_micro import runtime

    return runtime.Interpreter.from_bytes(model, arena_size=arena)


def _allocates(model: bytes, arena: int) -> bool:
    """Tell whether so many bytes are enough, in a process that may be ended by it."""
    process = os.fork()
    if process == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        _open(model, arena).invoke()
        os._exit(0)
    return os.waitpid(process, 0)[1] == 0


def _divergence(micro: Any, lite: LiteRuntime) -> float:
    """Return the greatest difference of what both answer to the same inputs and memory, LiteRT's."""
    random, worst = np.random.default_rng(0), 0.0
    memory = np.zeros((1, lite.widths[1]), np.float32)
    for _ in range(STEPS):
        x = random.uniform(-3, 3, (1, lite.widths[0])).astype(np.float32)
        micro.set_input(x, 0)
        if memory.size:
            micro.set_input(memory, 1)
        micro.invoke()
        forecast, width, memory = lite.step(x, memory)
        expected = [each for each in (forecast, width, memory) if each is not None and each.size]
        for at, each in enumerate(expected):
            difference = np.abs(micro.get_output(at) - each) / np.maximum(np.abs(each), 1)
            worst = max(worst, float(difference.max()) if np.isfinite(difference).all() else np.inf)
    return worst


if __name__ == "__main__":
    print(json.dumps(asdict(_measure(Path(sys.argv[1])))))  # noqa: T201 it is the answer
