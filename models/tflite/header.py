"""The C header: a bundle's step and what a microcontroller needs beside it, as constants."""

import re
from collections.abc import Iterator, Sequence

import numpy as np

from edge import score
from edge.bundle import STEP_INT8, STEP_TFLITE, Bundle
from edge.calendar import CALENDAR_INPUTS
from edge.errors import BundleError, ConfigError
from edge.limits import Budget
from edge.manifest import Manifest, StreamScaling
from edge.signals import ERROR
from edge.state import new_records, record_dtype
from edge.surprise import Followed
from models.tflite.micro import Fit

_BYTES_A_LINE = 16
_LEAST_SCALE = 1e-30  # in single precision


def step_of(bundle: Bundle, *, float32: bool) -> str:
    """Return which of a bundle's files a microcontroller gets: whole numbers, if what is computed is whole as well."""
    is_whole = bundle.manifest.exports.get("int8", {}).get("shipped") == "full"
    file = STEP_INT8 if is_whole and not float32 else STEP_TFLITE
    if file not in bundle.files:
        raise BundleError(f"{bundle.reference}: expected a bundle with {file}, got one without")
    return file


def header(bundle: Bundle, file: str, fit: Fit, operators: Sequence[str], stream: str | None) -> str:
    """Return the text of the header for one of the bundle's streams, the first if none is named."""
    manifest = bundle.manifest
    name, known = _stream(manifest, stream)
    macro = re.sub(r"\W", "_", manifest.name).upper()
    prefix = macro.lower() if macro[0].isalpha() else f"bundle_{macro.lower()}"
    macro = prefix.upper()
    lines = [
        f"/* {_plain(bundle.reference)}, {file}, stream {_plain(name)}. Made by `foresense export-c`; do not edit.",
        " *",
        " * Each slot: z = (value - location) / scale. x is z held to low..high, then, where it has them, sine and",
        " * cosine of the minute of the day and of the minute of the week from Monday, of the next slot, in the local",
        f" * time of {_plain(manifest.time_zone)}.",
        " * The model turns x and memory (zeros at first) into the forecast of the next z, and the memory after it.",
        " * A value is an anomaly by its error alone if |z - forecast| > reach * max(spread * width, least_spread);",
        " * width is 1 without an output of that name. Before burn_in slots it says nothing.",
        f" * Operators for MicroMutableOpResolver: {', '.join(operators)}.",
        " */",
        f"#ifndef FORESENSE_{macro}_H",
        f"#define FORESENSE_{macro}_H",
        "",
        *(f"#define {macro}_{each} {number}" for each, number in _sizes(manifest, fit)),
        "",
        "/* x: " + ", ".join(_inputs(manifest)) + " */",
        *(_numbers(f"{prefix}_{each}", numbers) for each, numbers in _scaling(manifest, known)),
        f"static const float {prefix}_reach = {_number(_reach(manifest))}; /* at {_plain(manifest.budget)} */",
        f"static const float {prefix}_least_spread = {_number(score.LEAST_SPREAD)};",
        "",
        f"#define {macro}_MODEL_BYTES {len(bundle.files[file])}",
        "#ifdef __cplusplus",
        "alignas(16)",
        "#elif defined(__GNUC__)",
        "__attribute__((aligned(16)))",
        "#endif",
        f"static const unsigned char {prefix}_model[{macro}_MODEL_BYTES] = {{",
        *_bytes(bundle.files[file]),
        "};",
        "",
        "#endif",
    ]
    return "\n".join(lines) + "\n"


def _stream(manifest: Manifest, wanted: str | None) -> tuple[str, StreamScaling]:
    known = manifest.scaling.streams
    if wanted is not None and wanted not in known:
        raise ConfigError(f"--stream: expected one that {manifest.name} was trained on, got {wanted!r}")
    name = wanted or next(iter(known), "")
    if found := manifest.scaling.of(name):
        return name, found
    raise BundleError(f"{manifest.name}: expected a bundle that was trained on a stream, got one that knows none")


def _sizes(manifest: Manifest, fit: Fit) -> Iterator[tuple[str, int]]:
    """Yield names and whole numbers: sizes, times, and where inputs and outputs are found."""
    has_width = manifest.spec.get("head", "point") != "point"
    yield from (
        ("CHANNELS", len(manifest.channels)),
        ("INPUTS", manifest.inputs),
        ("MEMORY", manifest.memory),
        ("HORIZON", manifest.horizon),
        ("INTERVAL_MS", manifest.interval_ms),
        ("BURN_IN", manifest.burn_in),
        ("MAX_GAP", manifest.max_gap),
        ("ARENA_BYTES", fit.arena),
        ("INPUT_X", 0),
        ("INPUT_MEMORY", 1),
        ("OUTPUT_FORECAST", 0),
    )
    if has_width:
        yield "OUTPUT_WIDTH", 1
    yield "OUTPUT_MEMORY", 2 if has_width else 1


def _scaling(manifest: Manifest, known: StreamScaling) -> Iterator[tuple[str, Sequence[float]]]:
    yield "location", known.location
    yield "scale", [each if each > _LEAST_SCALE else 1.0 for each in known.scale]  # of one that never moved any will do
    yield "spread", known.spread
    yield "low", manifest.scaling.low
    yield "high", manifest.scaling.high


def _inputs(manifest: Manifest) -> list[str]:
    channels = [_plain(each.name + (f" in {each.unit}" if each.unit else "")) for each in manifest.channels]
    return [*channels, *(CALENDAR_INPUTS if manifest.calendar else ())]


def _reach(manifest: Manifest) -> float:
    """Return by how many usual errors a value may miss its forecast, at the bundle's own budget."""
    records = new_records(1, record_dtype(len(manifest.channels), 0))
    manifest.reference.begin(records)
    limit = manifest.tail.limit(Budget.parse(manifest.budget).per_slot(manifest.interval_ms))
    return float(Followed(records).signal_at(np.array([limit], np.float32), ERROR)[0])


def _numbers(name: str, numbers: Sequence[float]) -> str:
    return f"static const float {name}[] = {{{', '.join(map(_number, numbers))}}};"


def _number(number: float) -> str:
    return f"{number:.9e}f"


def _bytes(data: bytes) -> Iterator[str]:
    for at in range(0, len(data), _BYTES_A_LINE):
        yield "  " + ", ".join(f"0x{each:02x}" for each in data[at : at + _BYTES_A_LINE]) + ","


def _plain(text: str) -> str:
    """Return text that cannot end a comment or break a line."""
    return re.sub(r"[^\w /.,:+°%-]", "?", text).replace("*/", "?/")
