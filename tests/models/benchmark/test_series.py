from pathlib import Path

import numpy as np
import pytest

from edge.errors import DataError
from models.benchmark.series import NOMINAL_MS, Rows, read_columns

VALUES = np.arange(400.0)[:, None]


def stamps(minutes: float) -> list[str]:
    times = np.datetime64("2020-01-01T00:00:07") + (np.arange(400) * minutes * 60_000).astype("timedelta64[ms]")
    return [str(each).replace("T", " ") for each in times]


def test_rows_are_slots_at_the_median_interval_of_those_learnt_from() -> None:
    irregular = stamps(5)
    irregular[3] = irregular[4]
    later = irregular[:300] + stamps(60)[300:]
    for each in (irregular, later):
        recording = Rows(VALUES, 300, each).recording("a")
        assert recording.interval_ms == 300_000
        assert recording.first * 300_000 == np.datetime64("2020-01-01T00:00", "ms").astype(int)
        assert recording.values is VALUES


@pytest.mark.parametrize("without", [(), ("",) * 400, ("soon",) * 400])
def test_rows_without_times_have_a_nominal_interval_and_know_no_days(without: tuple[str, ...]) -> None:
    rows = Rows(VALUES, 300, without)
    assert rows.recording("a").interval_ms == NOMINAL_MS
    assert not rows.knows_days


def test_rows_know_days_if_those_learnt_from_span_one() -> None:
    assert Rows(VALUES, 288, stamps(5)).knows_days
    assert not Rows(VALUES, 287, stamps(5)).knows_days


def test_a_file_that_is_no_table_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"absent\.csv: expected a CSV file that can be read, got: "):
        read_columns(tmp_path / "absent.csv", lambda _: True)
