"""Golden verdicts: what a bundle must say of readings it carries, on any device and runtime."""

import io
from dataclasses import fields
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from edge.agreement import LEAST_GOLDEN, agreement
from edge.bundle import GOLDEN, STEP_INT8, Bundle
from edge.engine import open_engine
from edge.errors import BundleError
from edge.reading import Readings, Status, Verdicts
from edge.runtimes import RUNTIMES, open_runtime

TOLERANCE = 1e-3  #: of a band's half-width, within which runtimes must agree


def golden_bytes(names: list[str], readings: Readings, verdicts: Verdicts) -> bytes:
    """Return golden.npz: readings of named streams and the verdicts that they must give."""
    arrays = {"names": np.array(names, str)}
    arrays |= {f"reading_{f.name}": getattr(readings, f.name) for f in fields(readings)}
    arrays |= {f"verdict_{f.name}": getattr(verdicts, f.name) for f in fields(verdicts)}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def read_golden(data: bytes, where: str) -> tuple[list[str], Readings, Verdicts]:
    """Return names, readings and verdicts of a golden.npz; BundleError if it is none."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as golden:
            names = golden["names"].tolist()
            readings = Readings(*(golden[f"reading_{f.name}"] for f in fields(Readings)))
            return names, readings, Verdicts(*(golden[f"verdict_{f.name}"] for f in fields(Verdicts)))
    except (KeyError, ValueError, OSError, EOFError, BadZipFile) as error:
        raise BundleError(f"{where}: expected golden readings and verdicts, got: {error}") from error


def self_test(bundle: Bundle, runtime: str | None = None) -> int:
    """Replay the golden readings and return how many verdicts agreed; BundleError if any does not.

    The runtime is the one of a name, or one that is installed. The verdicts are those of single precision: a step in
    whole numbers has to raise the same alarms.
    """
    where = str(bundle.path / GOLDEN)
    try:
        names, readings, expected = read_golden(bundle.files[GOLDEN], where)
        engine = open_engine(bundle, runtime=open_runtime(bundle.files, runtime))
        engine.add(names)
        got = engine.feed(readings)
    except (KeyError, IndexError, ValueError) as error:
        raise BundleError(f"{where}: expected golden readings and verdicts, got: {error}") from error
    told = f"bundle {bundle.reference}: golden verdicts"
    if runtime is not None and RUNTIMES[runtime].file == STEP_INT8:
        _check_alarms(told, expected, got)
    else:
        _check_agreement(told, expected, got)
    return len(got)


def _check_alarms(where: str, expected: Verdicts, got: Verdicts) -> None:
    _check_whole(where, expected, got)
    if not (found := agreement(expected, got)).holds(LEAST_GOLDEN):
        raise BundleError(
            f"{where}: expected {LEAST_GOLDEN:.1%} of slots on the same side and every alarm, got {found}"
        )


def _check_whole(where: str, expected: Verdicts, got: Verdicts) -> None:
    if len(expected) != len(got):
        raise BundleError(f"{where}: expected {len(expected)}, got {len(got)}")
    for at in np.flatnonzero((got.status != Status.LEARNING) & ~np.isfinite(got.expected).all(axis=1)):
        raise BundleError(f"{where}: expected finite forecasts, got {got.expected[at]} in verdict {at}")


def _check_agreement(where: str, expected: Verdicts, got: Verdicts) -> None:
    _check_whole(where, expected, got)
    for name in ("stream", "time", "status", "channel", "alarm", "change", "signal", "coverage", "quality", "ready_in"):
        if (differs := np.nonzero(getattr(expected, name) != getattr(got, name))[0]).size:
            at = differs[0]
            wanted, had = getattr(expected, name)[at], getattr(got, name)[at]
            raise BundleError(f"{where}: {name} of verdict {at}: expected {wanted}, got {had}")
    half = (expected.upper - expected.lower) / 2
    for name in ("value", "expected", "lower", "upper"):
        _check_close(f"{where}: {name}", getattr(expected, name), getattr(got, name), half)
    score, rarity = np.maximum(expected.score, 1), np.log(expected.once_in)
    parts = [each.share * expected.score[:, None] for each in (expected, got)]
    _check_close(f"{where}: score", expected.score, got.score, score)
    _check_close(f"{where}: achieved", expected.achieved, got.achieved, np.maximum(expected.achieved, 1))
    _check_close(f"{where}: share", parts[0], parts[1], score[:, None])
    _check_close(f"{where}: once_in", rarity, np.log(got.once_in), np.maximum(rarity, 1))


def _check_close(
    where: str, expected: NDArray[np.floating], got: NDArray[np.floating], unit: NDArray[np.floating]
) -> None:
    if (np.isnan(expected) != np.isnan(got)).any():
        raise BundleError(f"{where}: expected numbers just where the golden ones are, got NaN elsewhere")
    worst = float(np.nanmax(np.abs(expected - got) / unit, initial=0))
    if not worst <= TOLERANCE:
        raise BundleError(f"{where}: expected within {TOLERANCE:g} of the band, got {worst:.2g}")
