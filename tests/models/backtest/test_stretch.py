from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from edge.manifest import Manifest
from edge.reading import Verdicts
from models.backtest.stretch import AFTER_BASELINES, SEEN, UNSEEN, choose_stretch
from tests.conftest import INTERVAL_MS, MakeBundle
from tests.models.backtest.conftest import verdicts

DAY_MS = 86_400_000
ISO = "1970-01-{:02d}T00:00:00Z"


@pytest.fixture
def learnt(make_bundle: MakeBundle) -> Callable[[int, int], Manifest]:
    """Return a maker of manifests that have learnt from a stream `a` from one day of January 1970 to another."""
    manifest = make_bundle(streams=("a",)).manifest
    return lambda start, end: replace(manifest, data={"start": ISO.format(start), "end": ISO.format(end)})


@pytest.fixture
def days_10_to_20() -> Verdicts:
    time = np.arange(9 * DAY_MS, 19 * DAY_MS, DAY_MS // 4)
    return verdicts(time=time, score=np.zeros(len(time)))


@pytest.mark.parametrize("baselines", [True, False])
def test_what_the_bundle_has_learnt_from_is_not_judged(
    learnt: Callable[[int, int], Manifest], days_10_to_20: Verdicts, baselines: bool
) -> None:
    stretch = choose_stretch(learnt(5, 13), ["a"], days_10_to_20, DAY_MS // 4, baselines=baselines)
    assert (stretch.start_ms, stretch.end_ms, stretch.reason) == (12 * DAY_MS, 19 * DAY_MS, UNSEEN)


@pytest.mark.parametrize(
    ("names", "period", "reason"),
    [
        (["a"], (1, 5), AFTER_BASELINES),
        (["b"], (5, 13), AFTER_BASELINES),  # a stream that the bundle does not know
        (["a"], (5, 25), SEEN),
    ],
)
def test_otherwise_baselines_learn_from_the_first_half(
    learnt: Callable[[int, int], Manifest],
    days_10_to_20: Verdicts,
    names: list[str],
    period: tuple[int, int],
    reason: str,
) -> None:
    manifest = learnt(*period)
    stretch = choose_stretch(manifest, names, days_10_to_20, DAY_MS // 4, baselines=True)
    assert (stretch.start_ms, stretch.reason) == (14 * DAY_MS, reason)
    alone = choose_stretch(manifest, names, days_10_to_20, DAY_MS // 4, baselines=False)
    assert (alone.start_ms, alone.reason) == (9 * DAY_MS, SEEN if reason == SEEN else UNSEEN)


def test_a_bundle_that_does_not_say_what_it_learnt_from_may_be_judged_by_all(
    make_bundle: MakeBundle, days_10_to_20: Verdicts
) -> None:
    manifest = make_bundle(streams=("a",)).manifest
    assert choose_stretch(manifest, ["a"], days_10_to_20, INTERVAL_MS, baselines=False).start_ms == 9 * DAY_MS
