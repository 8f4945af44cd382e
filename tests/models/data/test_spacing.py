import numpy as np

from edge.reading import Readings
from models.data.spacing import Spacing, measure_spacing


def readings(stream: list[int], channel: list[int], time: list[int]) -> Readings:
    return Readings(np.array(stream, np.int32), np.array(channel, np.int16), np.array(time), np.zeros(len(time)))


def test_spacing_is_that_of_a_channel_of_a_stream_over_blocks() -> None:
    first = readings([0, 0, 1, 0], [0, 1, 0, 0], [0, 500, 700, 1000])
    second = readings([0, 0, 0], [1, 0, 0], [1500, 2000, 2000])
    assert measure_spacing([first, second], 2) == Spacing(1000, 1000, 1000)


def test_single_readings_have_no_spacing() -> None:
    assert measure_spacing([readings([0, 1, 0], [0, 0, 1], [0, 10, 20])], 2) is None
    assert measure_spacing([], 2) is None


def test_percentiles_tell_how_irregular_it_is() -> None:
    time = np.cumsum([0, *[900] * 10, *[1000] * 80, *[5000] * 10]).tolist()
    assert measure_spacing([readings([0] * 101, [0] * 101, time)], 1) == Spacing(900, 1000, 5000)


def test_the_interval_is_in_whole_seconds_where_the_median_nearly_is() -> None:
    assert [Spacing(0, median, 0).interval_ms for median in (59_980, 60_020, 250, 1490)] == [60_000, 60_000, 250, 1490]
