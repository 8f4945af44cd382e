"""The trial of int8: it is shipped where it gives the verdicts of single precision on what was held out."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from edge.agreement import LEAST_GOLDEN, Agreement, agreement
from edge.bundle import GOLDEN, STEP_INT8
from edge.engine import Engine
from edge.errors import BundleError
from edge.golden import read_golden
from edge.limits import Budget
from edge.manifest import Manifest
from edge.reading import Verdicts
from edge.runtimes import Runtime
from edge.runtimes.litert import LiteRuntime
from models.calibration import replay
from models.forecaster import Forecaster
from models.tflite.quantization import KINDS, Kind, quantise, representative
from models.training.sequences import Split, Stretches


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of one kind of quantisation."""

    kind: Kind
    model: bytes = b""
    held_out: Agreement | None = None
    golden: Agreement | None = None
    refused: str = ""  #: why there is no model

    @property
    def holds(self) -> bool:
        """Tell whether it may be shipped."""
        if self.held_out is None or self.golden is None:
            return False
        return self.held_out.holds() and self.golden.holds(LEAST_GOLDEN)

    def facts(self) -> dict[str, object]:
        """Return all but the model, JSON-ready."""
        if self.held_out is None or self.golden is None:
            return {"refused": self.refused}
        return {"bytes": len(self.model), "held_out": asdict(self.held_out), "golden": asdict(self.golden)}


@dataclass(frozen=True, slots=True)
class Trial:
    """What was tried, and the first that may be shipped."""

    tried: tuple[Tried, ...] = field(default=())

    @property
    def shipped(self) -> Tried | None:
        """Return what is shipped, if anything is."""
        return next((each for each in self.tried if each.holds), None)

    @property
    def files(self) -> Mapping[str, bytes]:
        """Return what a bundle carries of it."""
        return {STEP_INT8: self.shipped.model} if self.shipped else {}

    def facts(self) -> dict[str, object]:
        """Return what the manifest tells of it."""
        return {
            "shipped": self.shipped.kind if self.shipped else None,
            "tried": {each.kind: each.facts() for each in self.tried},
        }


def try_int8(
    forecaster: Forecaster,
    manifest: Manifest,
    float32: Runtime,
    learnt: Stretches,
    splits: Sequence[Split],
    golden: bytes,
) -> Trial:
    """Quantise a forecaster, fully if that will do, else its weights alone, and compare verdicts with `float32`.

    They are compared on what was held out, with the manifest's own budget, and on the readings of `golden`.
    """
    samples, tried = representative(forecaster, learnt), list[Tried]()
    per_slot = Budget.parse(manifest.budget).per_slot(manifest.interval_ms)
    names, readings, _ = read_golden(golden, GOLDEN)

    def verdicts(runtime: Runtime) -> tuple[Verdicts, Verdicts]:
        engine = Engine(manifest, runtime, per_slot)
        engine.add(names)
        return replay(manifest, runtime, splits, per_slot), engine.feed(readings)

    expected = verdicts(float32)
    for kind in KINDS:
        try:
            model = quantise(forecaster, samples, kind)
            got = verdicts(LiteRuntime(model, file=STEP_INT8))
            tried.append(Tried(kind, model, agreement(expected[0], got[0]), agreement(expected[1], got[1])))
        except BundleError as error:
            tried.append(Tried(kind, refused=str(error)))
        if tried[-1].holds:
            break
    return Trial(tuple(tried))
