"""A task: what forecasters are trained for, the same for all that are tried on it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edge.bundle import Bundle
from edge.limits import Budget
from edge.manifest import Channel
from models.data.account import Account
from models.data.recordings import Recording
from models.spec import ForecasterSpec, TrainingSpec

if TYPE_CHECKING:
    from models.training.fitting import Epoch

WEEK_MS = 7 * 86_400_000


@dataclass(frozen=True, slots=True)
class Task:
    """Recordings and what is said of them."""

    name: str  #: of the bundle
    recordings: tuple[Recording, ...]
    channels: tuple[Channel, ...] = ()  #: as declared; plain ones if none
    time_zone: str = "UTC"
    budget: str = "1 per month"
    account: Account | None = None  #: of how the recordings were made; none if they were not read from anywhere
    int8: bool = False  #: whether a step in whole numbers is tried as well

    @property
    def interval_ms(self) -> int:
        """Return the interval of the recordings, which is the same in all."""
        return self.recordings[0].interval_ms

    @property
    def budget_per_week(self) -> float:
        """Return how many alarms a stream may raise in a week."""
        return Budget.parse(self.budget).per_slot(self.interval_ms) * WEEK_MS / self.interval_ms

    def train(
        self,
        spec: ForecasterSpec,
        training: TrainingSpec,
        out: Path,
        *,
        progress: bool = False,
        on_epoch: "Callable[[Epoch], None] | None" = None,
    ) -> Bundle:
        """Train one forecaster and return its bundle, which lies in OUT/NAME/VERSION."""
        from models.bundling import train_bundle

        return train_bundle(
            self.recordings,
            spec,
            training,
            name=self.name,
            out=out,
            channels=self.channels,
            time_zone=self.time_zone,
            budget=self.budget,
            account=self.account.facts() if self.account else None,
            int8=self.int8,
            progress=progress,
            on_epoch=on_epoch,
        )
