"""Evidence: what a bundle does on the part of recordings that it did not learn from, as service would see it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.bundle import Bundle
from edge.limits import Budget
from edge.manifest import Manifest
from edge.reading import Change, Verdicts
from edge.runtimes import open_runtime
from models.calibration import replay
from models.data.recordings import Recording
from models.search.task import WEEK_MS
from models.spec import ForecasterSpec, TrainingSpec
from models.training.sequences import Split, split


@dataclass(frozen=True, slots=True)
class Evidence:
    """The verdicts on the held-out parts, stream k being row k, under the bundle's own budget."""

    manifest: Manifest
    splits: tuple[Split, ...]
    verdicts: Verdicts  #: only of slots that were judged
    limit: float  #: decades of surprise

    @property
    def surprises(self) -> NDArray[np.float64]:
        """Return how surprising the slots were (n,), in decades; the limit is on these."""
        return self.verdicts.score.astype(np.float64) * self.limit

    @property
    def residuals(self) -> list[NDArray[np.float64]]:
        """Return each stream's errors (T, C), observed minus forecast, scaled; NaN in slots without one."""
        return [self._residuals(row, each) for row, each in enumerate(self.splits)]

    @property
    def alarms_per_week(self) -> float:
        """Return how many alarms a stream raised in a week, on average."""
        alarms = int((self.verdicts.change == Change.OPENED).sum())
        return alarms * WEEK_MS / (len(self.verdicts) * self.manifest.interval_ms)

    def _residuals(self, row: int, each: Split) -> NDArray[np.float64]:
        part = self.verdicts.take(self.verdicts.stream == row)
        errors = np.full((len(each.recording.values) - each.held_from, len(each.scale)), np.nan)
        slots = part.time // self.manifest.interval_ms - each.recording.first - each.held_from
        errors[slots] = (part.value - part.expected) / each.scale
        return errors


def gather(bundle: Bundle, recordings: Sequence[Recording]) -> Evidence:
    """Run the bundle over what was held out of the recordings it was trained on."""
    manifest = bundle.manifest
    spec, training = specs_of(manifest)
    splits = tuple(split(each, spec, training) for each in recordings if each.name in manifest.scaling.streams)
    per_slot = Budget.parse(manifest.budget).per_slot(manifest.interval_ms)
    verdicts = replay(manifest, open_runtime(bundle.files), splits, per_slot, adapts=False)
    return Evidence(manifest, splits, verdicts.take(np.isfinite(verdicts.score)), manifest.tail.limit(per_slot))


def specs_of(manifest: Manifest) -> tuple[ForecasterSpec, TrainingSpec]:
    """Return the specs that a bundle was trained with."""
    network: dict[str, Any] = {name: value for name, value in manifest.spec.items() if name != "training"}
    return ForecasterSpec(**network), TrainingSpec(**manifest.spec["training"])
