import numpy as np

from service.pipeline.columns import Columns


def test_runs_follow_each_other_in_order_of_arrival() -> None:
    columns = Columns()
    columns.add(7, 1, [5, 4, 3], [0.5, 0.4, 0.3])
    columns.extend([2, 7], [0, 1], [1, 2], np.array([9, 8, 6]), np.array([1.0, 2.0, 3.0]))

    readings = columns.readings()

    assert len(columns) == len(readings) == 6
    assert readings.stream.tolist() == [7, 7, 7, 2, 7, 7]
    assert readings.channel.tolist() == [1, 1, 1, 0, 1, 1]
    assert readings.time.tolist() == [5, 4, 3, 9, 8, 6]
    assert readings.value.tolist() == [0.5, 0.4, 0.3, 1.0, 2.0, 3.0]


def test_readings_have_the_types_that_the_engine_takes() -> None:
    columns = Columns()
    columns.add(0, 0, [1_700_000_000_000], [1])
    readings = columns.readings()
    assert [readings.stream.dtype, readings.channel.dtype] == [np.int32, np.int16]
    assert [readings.time.dtype, readings.value.dtype] == [np.int64, np.float64]


def test_nothing_is_no_reading() -> None:
    assert not Columns()
