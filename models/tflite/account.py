"""What became of TFLite and int8, in words: for a terminal and for a report. It needs no TensorFlow."""

from typing import Any

from edge.agreement import LEAST_SAME_SIDE, Agreement
from edge.manifest import Manifest


def told_of(manifest: Manifest) -> list[tuple[str, str]]:
    """Return what is missing of TFLite and what was tried of int8, each under its name; nothing if all is as usual."""
    exports = manifest.exports
    lines = [("TFLite", exports["tflite"]["refused"])] if "refused" in exports.get("tflite", {}) else []
    if "int8" not in exports:
        return lines
    shipped = exports["int8"]["shipped"]
    needs = f"not shipped: it needs {LEAST_SAME_SIDE:.1%} and no alarm missed"
    for kind, facts in exports["int8"]["tried"].items():
        lines.append((f"int8, {kind}", f"{_found(facts)}; {'shipped' if kind == shipped else needs}"))
    return lines


def _found(facts: dict[str, Any]) -> str:
    if "refused" in facts:
        return str(facts["refused"])
    parts = (("held out", facts["held_out"]), ("golden readings", facts["golden"]))
    return "; ".join([f"{facts['bytes']} bytes", *(f"{where}: {Agreement(**part)}" for where, part in parts)])
