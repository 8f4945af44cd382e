"""The probation: how a bundle does in charge, until it may stay or must go."""

import time
from collections.abc import Sequence

from edge.agent.part import Health
from edge.errors import BundleError

_PATIENCE = 3  # healthy periods, or intervals if these are longer, within which there must be verdicts


class Probation:
    """Begins when the bundle, or the program with it, begins; times are monotonic, so no clock ends it early."""

    def __init__(self, bundle: str, healthy_s: float, interval_s: float) -> None:
        self._bundle = bundle
        self._healthy_s = healthy_s
        self._patience_s = _PATIENCE * max(healthy_s, interval_s)
        self._began_s = time.monotonic()
        self._well_since_s: float | None = None

    def may_stay(self, health: Sequence[Health]) -> bool:
        """Whether the bundle has done well with all its monitors for long enough; BundleError if it must go."""
        now_s = time.monotonic()
        for each in health:
            if each.failures or each.not_finite or each.bundle != self._bundle:
                raise BundleError(
                    f"on trial: expected {self._bundle} to give verdicts without a failure, got {each.failures} "
                    f"failures and {each.not_finite} verdicts that are no numbers of {each.bundle}"
                )
        if self._well_since_s is None and all(each.verdicts for each in health):
            self._well_since_s = now_s
        if self._well_since_s is not None:
            return now_s - self._well_since_s >= self._healthy_s
        if now_s - self._began_s > self._patience_s:
            raise BundleError(f"on trial: expected verdicts of all monitors within {self._patience_s:g} s, got none")
        return False
