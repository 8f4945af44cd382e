from pathlib import Path

import numpy as np
import pytest

from edge.errors import DataError
from models.data import recordings as module
from models.data.periods import Period
from models.data.recordings import Data, Recording, fingerprint, read_recordings
from models.data.selection import Selection
from models.data.sources.files import Files
from models.data.sources.layout import Layout

START = 1_700_000_000  # in slot 170000000 of 10 s


def data(tmp_path: Path, *rows: str, selection: Selection | None = None, zone: str = "UTC") -> Data:
    path = tmp_path / "line.csv"
    path.write_text("\n".join(["time,device,flow,heat", *rows]) + "\n")
    channels = ("flow", "heat")
    return Data(Files(path, Layout("time", channels, "device", time_zone=zone)), channels, selection or Selection())


def test_the_first_reading_of_a_channel_in_a_slot_counts(tmp_path: Path) -> None:
    rows = (f"{START + 1},a,,5", f"{START + 2},a,1,6", f"{START + 9},a,2,", f"{START + 10},a,3,inf")
    (recording,), _ = read_recordings(data(tmp_path, *rows), 10_000)
    assert (recording.name, recording.first, recording.channels) == ("a", START // 10, ("flow", "heat"))
    np.testing.assert_array_equal(recording.values, [[1, 5], [3, np.nan]])


def test_slots_without_readings_are_nan_and_streams_are_told_apart(tmp_path: Path) -> None:
    rows = (f"{START},b,1,1", f"{START},a,2,2", f"{START + 30},b,3,3")
    (one, other), _ = read_recordings(data(tmp_path, *rows), 10_000)
    assert (one.name, other.name) == ("b", "a")
    np.testing.assert_array_equal(one.values[:, 0], [1, np.nan, np.nan, 3])
    assert other.values.tolist() == [[2, 2]]
    assert one.slots.tolist() == list(range(START // 10, START // 10 + 4))


@pytest.mark.parametrize(("offsets", "interval_ms"), [((0, 60, 121, 180, 900), 60_000), ((0, 0.25, 0.5), 250)])
def test_the_interval_is_the_median_spacing(tmp_path: Path, offsets: tuple[float, ...], interval_ms: int) -> None:
    rows = [f"{1000 * START + round(1000 * offset)},a,1,1" for offset in offsets]
    assert read_recordings(data(tmp_path, *rows))[0][0].interval_ms == interval_ms


def test_one_time_gives_no_interval(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected at least two times of one stream"):
        read_recordings(data(tmp_path, f"{START},a,1,1", f"{START + 5},b,1,1"))


def test_a_wrong_time_does_not_fill_the_memory(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"expected at most 50000000 slots of 10 ms.*from 1973-03-03T.*to 2023-11-14T"):
        read_recordings(data(tmp_path, "100000000000,a,1,1", f"{START},a,1,1"), 10)


def test_slots_of_an_excluded_period_are_missing_and_the_account_says_so(tmp_path: Path) -> None:
    rows = [f"{START + 10 * slot},a,{slot},1" for slot in range(6)]
    selection = Selection(excluded=(Period(1000 * START + 20_000, 1000 * START + 40_000),))
    (recording,), account = read_recordings(data(tmp_path, *rows, selection=selection))
    np.testing.assert_array_equal(recording.values[:, 0], [0, 1, np.nan, np.nan, 4, 5])
    assert np.isnan(recording.values[2:4]).all()
    assert (account.counts.readings, account.counts.used, account.counts.excluded) == (12, 8, 4)
    assert (account.gaps, account.longest_gap, account.slots) == (1, 2, 6)


def test_every_reading_is_accounted_for(tmp_path: Path) -> None:
    rows = (
        f"{START - 60},a,1,1",
        f"{START},a,1,inf",
        f"{START + 4},a,2,",
        f"{START + 10},a,3,1e200",
        f"{START + 10},b,4,4",
        f"{START + 20},c,5,5",
        f"{START + 30},a,6,6",
        f"{START + 900},b,6,6",
    )
    selection = Selection(
        start_ms=1000 * START,
        end_ms=1000 * (START + 600),
        excluded=(Period(1000 * (START + 30), 1000 * (START + 40)),),
        only=frozenset({"a", "b"}),
    )
    recordings, account = read_recordings(data(tmp_path, *rows, selection=selection), 10_000)
    counts = account.counts
    assert (counts.rows, counts.empty, counts.readings) == (8, 1, 15)
    assert (counts.used, counts.invalid, counts.repeated) == (4, 2, 1)
    assert (counts.excluded, counts.outside, counts.other) == (2, 4, 2)
    assert counts.readings == counts.used + sum(counts.unused().values())
    assert [each.name for each in recordings] == ["a", "b"]


def test_a_stream_of_which_nothing_can_be_used_is_left_out(tmp_path: Path) -> None:
    rows = (f"{START},a,1,1", f"{START},b,inf,inf", f"{START + 10},a,1,1")
    recordings, account = read_recordings(data(tmp_path, *rows))
    assert [each.name for each in recordings] == ["a"]
    assert account.left_out == {"b": "no reading of it can be used"}


def test_a_period_in_which_there_is_nothing_is_told(tmp_path: Path) -> None:
    rows = (f"{START},a,1,1", f"{START + 10},a,1,1")
    with pytest.raises(
        DataError, match=r"line\.csv: expected at least one reading that can be used, got 4 readings in 2"
    ):
        read_recordings(data(tmp_path, *rows, selection=Selection(end_ms=1000)), 10_000)


def test_a_channel_without_a_number_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"line\.csv: heat: expected a number somewhere, got none"):
        read_recordings(data(tmp_path, f"{START},a,1,", f"{START + 10},a,1,"))


def test_no_slot_is_lost_or_doubled_where_clocks_change(tmp_path: Path) -> None:
    back = ["01:30", "02:00", "02:30", "02:00", "02:30", "03:00"]
    (autumn,), account = read_recordings(
        data(tmp_path, *(f"2024-10-27T{each},a,{k},1" for k, each in enumerate(back)), zone="Europe/Rome")
    )
    np.testing.assert_array_equal(autumn.values[:, 0], range(6))
    assert (autumn.interval_ms, account.gaps, account.counts.repeated) == (1_800_000, 0, 0)
    forward = ["01:00", "01:30", "03:00", "03:30"]
    (spring,), account = read_recordings(
        data(tmp_path, *(f"2024-03-31T{each},a,{k},1" for k, each in enumerate(forward)), zone="Europe/Rome")
    )
    np.testing.assert_array_equal(spring.values[:, 0], range(4))
    assert (spring.interval_ms, account.gaps) == (1_800_000, 0)


def test_blocks_and_the_readings_held_to_measure_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(0)
    rows = [f"{START + 3 * k},{random.choice(['a', 'b', 'c'])},{k},{k if k % 3 else ''}" for k in range(200)]
    whole, account = read_recordings(data(tmp_path, *rows), 10_000)
    monkeypatch.setattr(module, "MEASURED", 20)
    monkeypatch.setattr(Files.blocks, "__defaults__", (7,))
    pieces, other = read_recordings(data(tmp_path, *rows), 10_000)
    assert fingerprint(pieces) == fingerprint(whole)
    assert other.counts == account.counts


def test_the_fingerprint_tells_values_times_and_names_apart() -> None:
    def digest(name: str, first: int, value: float) -> object:
        return fingerprint([Recording(name, ("flow",), 10_000, first, np.array([[value], [np.nan]]))])["sha256"]

    assert digest("a", 100, 1) == digest("a", 100, 1)
    assert len({digest("a", 100, 1), digest("b", 100, 1), digest("a", 101, 1), digest("a", 100, 2)}) == 4


def test_the_fingerprint_tells_rows_and_period() -> None:
    told = fingerprint([Recording("a", ("flow",), 10_000, 100, np.array([[1.0], [np.nan], [2.0]]))])
    assert (told["rows"], told["streams"]) == (2, 1)
    assert (told["start"], told["end"]) == ("1970-01-01T00:16:40Z", "1970-01-01T00:17:10Z")
