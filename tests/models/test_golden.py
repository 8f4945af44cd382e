import io

import numpy as np

from edge.bundle import GOLDEN, Bundle
from edge.golden import self_test
from edge.reading import Change, Status


def test_an_alarm_opens_and_closes_in_every_golden_stream(trained: Bundle) -> None:
    with np.load(io.BytesIO(trained.files[GOLDEN])) as golden:
        stream, change = golden["verdict_stream"], golden["verdict_change"]
        status = golden["verdict_status"]
    for row in (0, 1):
        assert change[stream == row][change[stream == row] > 0].tolist() == [Change.OPENED, Change.CLOSED]
        assert set(status[stream == row].tolist()) == {Status.LEARNING, Status.NORMAL, Status.ANOMALY}


def test_they_hold_in_the_runtime_that_serves(trained: Bundle) -> None:
    assert self_test(trained) == 2 * (6 + 100)
