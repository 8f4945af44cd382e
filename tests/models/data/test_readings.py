import numpy as np

from models.data.readings import of_recordings
from models.data.recordings import Recording


def test_each_value_of_a_recording_is_a_reading_at_the_start_of_its_slot() -> None:
    one = Recording("a", ("flow", "heat"), 10_000, 100, np.array([[1, np.nan], [2, 3]]))
    readings = of_recordings([one, Recording("b", ("flow", "heat"), 10_000, 200, np.array([[4.0, 5.0]]))])
    assert readings.stream.tolist() == [0, 0, 0, 1, 1]
    assert readings.channel.tolist() == [0, 0, 1, 0, 1]
    assert readings.time.tolist() == [1_000_000, 1_010_000, 1_010_000, 2_000_000, 2_000_000]
    assert readings.value.tolist() == [1, 2, 3, 4, 5]
