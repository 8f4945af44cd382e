import numpy as np

from edge.reading import Change, Verdicts
from models.benchmark.outcome import of_scores, of_verdicts


def verdicts(time: list[int], score: list[float], alarm: list[int], change: list[int]) -> Verdicts:
    none = np.full((len(time), 1), np.nan)
    return Verdicts(
        stream=np.zeros(len(time), np.int32),
        time=np.array(time),
        status=np.zeros(len(time), np.uint8),
        score=np.array(score, np.float32),
        channel=np.zeros(len(time), np.int16),
        value=none,
        expected=none,
        lower=none,
        upper=none,
        alarm=np.array(alarm),
        change=np.array(change, np.uint8),
        share=none.astype(np.float32),
        once_in=none[:, 0].astype(np.float32),
    )


def test_a_row_without_a_verdict_scores_nothing_and_leaves_the_alarm_as_it_is() -> None:
    said = verdicts([1010, 1020, 1040], [np.nan, 3.0, 0.5], [0, 1020, 0], [0, Change.OPENED, Change.CLOSED])
    outcome = of_verdicts(said, 1000, 10, 6)
    assert outcome.score.tolist() == [0, 0, 3, 0, 0.5, 0]
    assert outcome.alarm.tolist() == [False, False, True, True, False, False]
    assert np.flatnonzero(outcome.opened).tolist() == [2]
    assert np.flatnonzero(outcome.closed).tolist() == [4]


def test_the_limit_is_one_half() -> None:
    assert of_scores(np.array([0.0, 1.0, 3.0, np.inf])).anomaly_score.tolist() == [0, 0.5, 0.75, 1]


def test_episodes_are_counted_from_a_row_on() -> None:
    outcome = of_scores(np.array([2.0, 2, 2, 0, 0, 1, 0, 5, 5]))
    assert outcome.episodes(0).tolist() == [[0, 2], [5, 5], [7, 8]]
    assert outcome.episodes(2).tolist() == [[0, 0], [3, 3], [5, 6]]
    assert np.flatnonzero(outcome.opened).tolist() == [0, 5, 7]
    assert np.flatnonzero(outcome.closed).tolist() == [3, 6]
