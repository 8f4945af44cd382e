from collections.abc import Iterator

import numpy as np
import pytest

from edge.errors import DataError
from edge.reading import Readings
from models.data.account import Counts
from models.data.periods import Period
from models.data.selection import Selection, select
from models.data.sources.source import Block


def blocks() -> Iterator[Block]:
    """Yield streams a, b and, only later, c, with a reading a second each; 2 rows have no number."""
    for names, first in ((["a", "b"], 0), (["a", "b", "c"], 10)):
        stream = np.tile(np.arange(len(names), dtype=np.int32), 10)
        time = np.repeat(1000 * np.arange(first, first + 10), len(names))
        readings = Readings(stream, np.zeros(len(stream), np.int16), time, time / 1000)
        yield Block(names, readings, len(stream) + 1, 1)


def kept(selection: Selection, counts: Counts) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for block in select(blocks(), selection, counts):
        for stream, value in zip(block.readings.stream.tolist(), block.readings.value.tolist(), strict=True):
            found.setdefault(block.names[stream], []).append(int(value))
    return found


def test_all_of_it_is_used_if_nothing_is_said() -> None:
    counts = Counts()
    assert kept(Selection(), counts) == {"a": list(range(20)), "b": list(range(20)), "c": list(range(10, 20))}
    assert (counts.rows, counts.empty, counts.readings, counts.unused()) == (52, 2, 50, {})


def test_a_period_has_its_start_and_not_its_end() -> None:
    counts = Counts()
    assert kept(Selection(start_ms=8000, end_ms=11_000), counts) == {"a": [8, 9, 10], "b": [8, 9, 10], "c": [10]}
    assert counts.outside == 43


def test_excluded_periods_may_overlap_and_be_of_one_stream() -> None:
    counts = Counts()
    periods = (Period(0, 9000), Period(5000, 12_000), Period(3000, 4000), Period(14_000, 18_000, "b"))
    assert kept(Selection(excluded=periods), counts) == {
        "a": list(range(12, 20)),
        "b": [12, 13, 18, 19],
        "c": list(range(12, 20)),
    }
    assert counts.excluded == 50 - 20


def test_streams_that_were_not_asked_for_have_no_row() -> None:
    counts = Counts()
    found = list(select(blocks(), Selection(only=frozenset({"c", "b"})), counts))
    assert [block.names for block in found] == [["b"], ["b", "c"]]
    assert found[1].readings.stream.max() == 1
    assert counts.other == 20


def test_a_stream_that_never_comes_is_told() -> None:
    with pytest.raises(DataError, match=r"--only: expected a stream that is there \(a, b, c\), got 'd'"):
        kept(Selection(only=frozenset({"a", "d"})), Counts())


def test_an_excluded_period_of_an_unknown_stream_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    kept(Selection(excluded=(Period(0, 1, "pump"),)), Counts())
    assert "an excluded period is of stream 'pump', which is not there (a, b, c)" in caplog.text
