"""Agreement: whether a coarser step raises the alarms of a finer one."""

from dataclasses import dataclass

import numpy as np

from edge.reading import Change, Verdicts

LEAST_SAME_SIDE = 0.995  #: share of slots
LEAST_GOLDEN = 0.98  #: likewise, of golden readings, which are few and half of them about a jump


@dataclass(frozen=True, slots=True)
class Agreement:
    """How two runs of the same readings compare."""

    slots: int  #: that both judged
    same_side: float  #: share of them on the same side of the limit
    alarms: int  #: that the finer one raised
    missed: int  #: of these, where the coarser one had none open at any time

    def holds(self, least: float = LEAST_SAME_SIDE) -> bool:
        """Tell whether the coarser one may stand for the finer one, with at least that share on the same side."""
        return self.slots > 0 and self.same_side >= least and self.missed == 0

    def __str__(self) -> str:
        return (
            f"{self.same_side:.2%} of {self.slots} slots on the same side of the limit, "
            f"{self.missed} of {self.alarms} alarms missed"
        )


def agreement(expected: Verdicts, got: Verdicts) -> Agreement:
    """Compare verdicts on the same slots in the same order; a slot that only one judged is on the other side."""
    judged = np.isfinite(expected.score)
    same = (expected.score >= 1.0) == (got.score >= 1.0)
    same &= judged == np.isfinite(got.score)
    opened = np.flatnonzero(expected.change == Change.OPENED)
    missed = sum(
        not got.alarm[(expected.stream == expected.stream[at]) & (expected.alarm == expected.alarm[at])].any()
        for at in opened
    )
    slots = int(judged.sum())
    return Agreement(slots, float(same[judged].mean()) if slots else 0.0, len(opened), int(missed))
