import numpy as np

from models.backtest.judged import alarms_of, judge
from tests.models.backtest.conftest import spans, verdicts

NAN = float("nan")
TIME = np.tile(np.arange(100, 160, 10), 2)
STREAM = np.repeat([1, 0], 6)  # as detect orders them, by name
SCORE = np.array([NAN, 0, 0, 2, 0, 0, 0, 3, 0, 0, 4, 0])
ALARM = np.array([0, 0, 0, 130, 130, 0, 0, 110, 0, 0, 140, 140])


def test_an_alarm_goes_from_the_slot_it_opened_in_to_the_last_it_was_open_in() -> None:
    found = alarms_of(verdicts(TIME, SCORE, STREAM, ALARM), 10)
    assert found.start.tolist() == [130, 110, 140]
    assert found.end.tolist() == [150, 120, 160]
    assert len(alarms_of(verdicts(TIME, SCORE), 10)) == 0


def test_only_what_opened_from_the_moment_on_counts_by_stream_and_time() -> None:
    judged = judge(verdicts(TIME, SCORE, STREAM, ALARM), 10, 120, None)
    assert judged.alarms.stream.tolist() == [0, 1]
    assert judged.alarms.start.tolist() == [140, 130]
    assert judged.verdicts.stream.tolist() == [0] * 4 + [1] * 4
    assert judged.opened.sum() == 2
    assert judged.alarmed.tolist() == [False, False, True, True, False, True, True, False]
    assert judged.windows is None
    assert judged.learning == 0


def test_an_alarm_that_was_open_before_is_none_of_those_judged() -> None:
    judged = judge(verdicts(TIME, SCORE, STREAM, ALARM), 10, 140, None)
    assert judged.alarms.start.tolist() == [140]
    assert judged.open_before == 1


def test_slots_of_streams_that_are_learnt_are_not_judged_but_counted() -> None:
    judged = judge(verdicts(TIME, SCORE, STREAM, ALARM), 10, 0, None)
    assert (len(judged.verdicts), judged.learning) == (11, 1)


def test_windows_are_cut_to_the_stretch_and_dropped_where_there_is_no_data() -> None:
    given = spans((0, 0, 115), (0, 105, 125), (1, 100, 105), (1, 131, 133), (1, 300, 400))
    judged = judge(verdicts(TIME, SCORE, STREAM, ALARM), 10, 120, given)
    assert judged.windows is not None
    assert judged.windows.stream.tolist() == [0, 1]
    assert judged.windows.start.tolist() == [120, 131]
    assert judged.unseen == 1
