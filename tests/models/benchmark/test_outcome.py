import numpy as np

from edge.alarm import AlarmPolicy
from edge.quality import Quality
from edge.reading import Verdicts
from models.benchmark.outcome import CRITICAL, FLAWED, alarms_of, of_scores, of_verdicts


def verdicts(time: list[int], score: list[float]) -> Verdicts:
    """Return verdicts on two channels of which nothing is known."""
    none = np.full((len(time), 2), np.nan)
    return Verdicts(
        stream=np.zeros(len(time), np.int32),
        time=np.array(time),
        status=np.zeros(len(time), np.uint8),
        score=np.array(score, np.float32),
        channel=np.zeros(len(time), np.int16),
        value=none.copy(),
        expected=none.copy(),
        lower=none.copy(),
        upper=none.copy(),
        alarm=np.zeros(len(time), np.int64),
        change=np.zeros(len(time), np.uint8),
        share=none.astype(np.float32),
        signal=np.zeros(len(time), np.int8),
        once_in=none[:, 0].astype(np.float32),
        achieved=none[:, 0].astype(np.float32),
        coverage=np.ones(len(time), np.float32),
        quality=np.zeros((len(time), 2), np.uint8),
        ready_in=np.zeros(len(time), np.int32),
    )


def test_a_row_without_a_verdict_scores_nothing_and_is_calm() -> None:
    said = verdicts([1010, 1020, 1040], [np.nan, 3.0, 0.5])
    outcome = of_verdicts(said, AlarmPolicy(recovery=2), 1000, 10, 6)
    assert outcome.score.tolist() == [0, 0, 3, 0, 0.5, 0]
    assert outcome.alarm.tolist() == [False, False, True, True, False, False]


def test_the_error_is_the_greatest_of_any_channel_over_its_band() -> None:
    said = verdicts([1000, 1010], [0.5, np.nan])
    said.value[0], said.expected[0] = (3.0, 5.0), (2.0, 9.0)
    said.lower[0], said.upper[0] = (0.0, 7.0), (4.0, 11.0)
    error = of_verdicts(said, AlarmPolicy(), 1000, 10, 3).error
    np.testing.assert_array_equal(error, [2.0, np.nan, np.nan])


def test_an_alarm_is_open_as_its_policy_says() -> None:
    score = np.array([2.0, 0, 2, 2, 0.7, 0.5, 0.5, 0])
    assert np.flatnonzero(alarms_of(score, AlarmPolicy(recovery=2, release=0.6))).tolist() == [0, 1, 2, 3, 4, 5]
    assert np.flatnonzero(alarms_of(score, AlarmPolicy(k=2, n=3, recovery=1, release=0.6))).tolist() == [2, 3, 4]


def test_the_limit_is_one_half() -> None:
    assert of_scores(np.array([0.0, 1.0, 3.0, np.inf])).anomaly_score.tolist() == [0, 0.5, 0.75, 1]


def test_episodes_are_counted_from_a_row_on() -> None:
    outcome = of_scores(np.array([2.0, 2, 2, 0, 0, 1, 0, 5, 5]))
    assert outcome.episodes(0).tolist() == [[0, 2], [5, 5], [7, 8]]
    assert outcome.episodes(2).tolist() == [[0, 0], [3, 3], [5, 6]]
    assert np.flatnonzero(outcome.alarm).tolist() == [0, 1, 2, 5, 7, 8]


def test_a_critical_score_needs_no_company() -> None:
    policy, score = AlarmPolicy(k=2, n=3, recovery=2, release=0.5), [0.0, CRITICAL, 0.6, 0.4, 0.4, 0, 3, 0]
    alarm = of_verdicts(verdicts(list(range(8)), score), policy, 0, 1, 8).alarm
    assert np.flatnonzero(alarm).tolist() == [1, 2, 3]


def test_an_event_is_also_that_all_sensors_have_been_flawed_for_long() -> None:
    said = verdicts(list(range(1000, 1100)), [0.5] * 100)
    said.quality[10 : 10 + FLAWED - 1] = Quality.STUCK
    said.quality[50:90] = Quality.STUCK, Quality.FLAPPING
    alarm = of_verdicts(said, AlarmPolicy(), 1000, 1, 100).alarm
    assert np.flatnonzero(alarm).tolist() == list(range(50 + FLAWED - 1, 90))


def test_a_flaw_of_some_sensors_or_of_the_clock_is_no_event() -> None:
    said = verdicts(list(range(1000, 1100)), [0.5] * 100)
    said.quality[:, 0] = Quality.STUCK
    assert not of_verdicts(said, AlarmPolicy(), 1000, 1, 100).alarm.any()
    said.quality[:] = Quality.CLOCK
    assert not of_verdicts(said, AlarmPolicy(), 1000, 1, 100).alarm.any()
