from collections.abc import Callable
from pathlib import Path

import numpy as np

from edge.manifest import Channel
from models.data.recordings import Recording
from models.report.stretch import SLOTS, choose
from models.search.evidence import gather
from models.search.task import Task
from models.spec import ForecasterSpec, TrainingSpec


def test_the_middle_stream_and_the_greatest_error_are_shown(
    make_recording: Callable[..., Recording], tmp_path: Path
) -> None:
    quiet, middle, wild = (
        make_recording(name, ("flow", "heat"), slots=1600, seed=k) for k, name in enumerate(("quiet", "middle", "wild"))
    )
    noise = np.random.default_rng(9).normal(size=(400, 2))
    quiet.values[1200:] += 0.01 * noise
    middle.values[1200:] += 0.3 * noise
    wild.values[1200:] += noise
    middle.values[1500, 1] += 40
    task = Task("pump", (quiet, middle, wild), (Channel("flow"), Channel("heat", "K")))
    bundle = task.train(ForecasterSpec("last", lookback=6), TrainingSpec(), tmp_path)

    typical, worst = choose(gather(bundle, task.recordings))

    assert (typical.stream, len(typical.time)) == ("middle", SLOTS)
    assert (worst.stream, worst.channel, worst.unit, len(worst.time)) == ("middle", "heat", "K", SLOTS)
    jump = (middle.first + 1500) * middle.interval_ms
    assert worst.time[0] < jump < worst.time[-1]
    assert worst.outside[worst.time == jump].all()
