"""Which runtime a bundle is run in: the one that is asked for, or one that is installed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec

from edge.bundle import STEP_INT8, STEP_ONNX, STEP_TFLITE
from edge.errors import BundleError
from edge.runtimes.litert import LiteRuntime
from edge.runtimes.onnx import OnnxRuntime
from edge.runtimes.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Kind:
    """A runtime by the name under which it is chosen."""

    module: str  #: that must be installed
    extra: str  #: of foresense, that installs it
    file: str  #: of a bundle, that it executes
    open: Callable[[bytes], Runtime]


#: in the order in which they are tried where none is asked for; int8 has to be asked for
RUNTIMES: Mapping[str, Kind] = {
    "onnx": Kind("onnxruntime", "onnx", STEP_ONNX, OnnxRuntime),
    "litert": Kind("ai_edge_litert", "litert", STEP_TFLITE, LiteRuntime),
    "tflite-runtime": Kind(
        "tflite_runtime", "tflite", STEP_TFLITE, lambda model: LiteRuntime(model, module="tflite_runtime")
    ),
    "litert-int8": Kind("ai_edge_litert", "litert", STEP_INT8, lambda model: LiteRuntime(model, file=STEP_INT8)),
}
_UNASKED = ("onnx", "litert", "tflite-runtime")


def open_runtime(files: Mapping[str, bytes], name: str | None = None) -> Runtime:
    """Open the step model among a bundle's files in the runtime of a name, or in one that is installed.

    BundleError if it is not known or not installed, or if the bundle lacks the file that it executes.
    """
    kind = RUNTIMES[name or _installed(files)] if name in (None, *RUNTIMES) else None
    if kind is None:
        raise BundleError(f"runtime: expected one of {', '.join(RUNTIMES)}, got {name!r}")
    if not _is_installed(kind):
        raise BundleError(f"runtime {name}: expected {kind.module} to be installed ({_install(kind)}), got none")
    if kind.file not in files:
        raise BundleError(f"runtime {name}: expected a bundle with {kind.file}, got one without")
    return kind.open(files[kind.file])


def _installed(files: Mapping[str, bytes]) -> str:
    """Return the name of the first installed runtime that has its file."""
    there = [name for name in _UNASKED if _is_installed(RUNTIMES[name])]
    if not there:
        raise BundleError(
            f"runtime: expected one of {', '.join(_UNASKED)} to be installed ({_install(RUNTIMES['onnx'])}), got none"
        )
    for name in there:
        if RUNTIMES[name].file in files:
            return name
    wanted = " or ".join(dict.fromkeys(RUNTIMES[name].file for name in there))
    raise BundleError(f"runtime: expected a bundle with {wanted} for the installed {', '.join(there)}, got one without")


def _is_installed(kind: Kind) -> bool:
    return find_spec(kind.module) is not None


def _install(kind: Kind) -> str:
    return f"pip install 'foresense[{kind.extra}]'"
