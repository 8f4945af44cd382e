from pathlib import Path

import numpy as np
import pytest

from edge.errors import DataError
from models.data import Recording, fingerprint, read_recordings
from models.table import Table

START = 1_700_000_000  # in slot 170000000 of 10 s


def table(tmp_path: Path, *rows: str) -> Table:
    path = tmp_path / "line.csv"
    path.write_text("\n".join(["time,device,flow,heat", *rows]) + "\n")
    return Table(path, "time", ("flow", "heat"), "device")


def test_the_first_reading_of_a_channel_in_a_slot_counts(tmp_path: Path) -> None:
    rows = (f"{START + 1},a,,5", f"{START + 2},a,1,6", f"{START + 9},a,2,", f"{START + 10},a,3,inf")
    (recording,) = read_recordings(table(tmp_path, *rows), 10_000)
    assert (recording.name, recording.first, recording.channels) == ("a", START // 10, ("flow", "heat"))
    np.testing.assert_array_equal(recording.values, [[1, 5], [3, np.nan]])


def test_slots_without_readings_are_nan_and_streams_are_told_apart(tmp_path: Path) -> None:
    rows = (f"{START},b,1,1", f"{START},a,2,2", f"{START + 30},b,3,3")
    one, other = read_recordings(table(tmp_path, *rows), 10_000)
    assert (one.name, other.name) == ("b", "a")
    np.testing.assert_array_equal(one.values[:, 0], [1, np.nan, np.nan, 3])
    assert other.values.tolist() == [[2, 2]]
    assert one.slots.tolist() == list(range(START // 10, START // 10 + 4))


@pytest.mark.parametrize(("offsets", "interval_ms"), [((0, 60, 121, 180, 900), 60_000), ((0, 0.25, 0.5), 250)])
def test_the_interval_is_the_median_spacing(tmp_path: Path, offsets: tuple[float, ...], interval_ms: int) -> None:
    rows = [f"{1000 * START + round(1000 * offset)},a,1,1" for offset in offsets]
    assert read_recordings(table(tmp_path, *rows))[0].interval_ms == interval_ms


def test_one_time_gives_no_interval(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected at least two times of one stream"):
        read_recordings(table(tmp_path, f"{START},a,1,1", f"{START + 5},b,1,1"))


def test_repeated_times_are_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = (f"{START},a,1,1", f"{START + 10},a,1,1", f"{START + 10},a,1,1", f"{START + 10},b,1,1")
    read_recordings(table(tmp_path, *rows))
    assert "1 rows repeat their stream's last time" in caplog.text


def test_a_wrong_time_does_not_fill_the_memory(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"expected at most 50000000 slots of 10 ms.*from 1973-03-03T.*to 2023-11-14T"):
        read_recordings(table(tmp_path, "100000000000,a,1,1", f"{START},a,1,1"), 10)


def test_a_period_can_be_cut() -> None:
    recording = Recording("a", ("flow",), 10_000, 100, np.arange(10.0)[:, None])
    cut = recording.cut(1_025_000, 1_060_000)
    assert (cut.first, cut.values[:, 0].tolist()) == (103, [3, 4, 5])
    assert recording.cut(None, None).values.shape == (10, 1)
    assert recording.cut(0, 10**9).values.shape == (10, 1)
    assert recording.cut(10**9, None).values.shape == (0, 1)
    assert recording.cut(None, 0).values.shape == (0, 1)


def test_the_fingerprint_tells_values_times_and_names_apart() -> None:
    def digest(name: str, first: int, value: float) -> object:
        return fingerprint([Recording(name, ("flow",), 10_000, first, np.array([[value], [np.nan]]))])["sha256"]

    assert digest("a", 100, 1) == digest("a", 100, 1)
    assert len({digest("a", 100, 1), digest("b", 100, 1), digest("a", 101, 1), digest("a", 100, 2)}) == 4


def test_the_fingerprint_tells_rows_and_period() -> None:
    told = fingerprint([Recording("a", ("flow",), 10_000, 100, np.array([[1.0], [np.nan], [2.0]]))])
    assert (told["rows"], told["streams"]) == (2, 1)
    assert (told["start"], told["end"]) == ("1970-01-01T00:16:40Z", "1970-01-01T00:17:10Z")
