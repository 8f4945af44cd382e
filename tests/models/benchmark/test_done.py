from pathlib import Path

import pytest

from edge.errors import ConfigError
from models.benchmark.done import finish, is_done, made_from, make_folder, told_of


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data.csv").write_text("1\n")
    return tmp_path / "data.csv"


def test_what_is_finished_is_done_and_tells_what_was_told(data: Path, tmp_path: Path) -> None:
    origin, path = made_from({"family": "ar"}, [data]), tmp_path / "out" / "family" / "one.csv"
    assert not is_done(path, origin)
    finish(path, "anomaly_score\n0\n", origin, {"note": "short"})
    assert is_done(path, origin)
    assert told_of(path) == {"note": "short"}
    assert sorted(each.name for each in path.parent.iterdir()) == ["one.csv", "one.csv.json"]


def test_other_parameters_data_or_scores_are_not_done(data: Path, tmp_path: Path) -> None:
    origin, path = made_from({"family": "ar"}, [data]), tmp_path / "one.csv"
    finish(path, "anomaly_score\n0\n", origin, {})
    assert not is_done(path, made_from({"family": "last"}, [data]))
    path.write_text("anomaly_score\n")
    assert not is_done(path, origin)
    finish(path, "anomaly_score\n0\n", origin, {})
    data.write_text("2\n")
    assert not is_done(path, made_from({"family": "ar"}, [data]))


def test_a_half_written_file_is_not_done(data: Path, tmp_path: Path) -> None:
    origin, path = made_from({}, [data]), tmp_path / "one.csv"
    finish(path, "anomaly_score\n0\n", origin, {})
    mark = path.with_name("one.csv.json")
    mark.write_text(mark.read_text()[:40])
    assert not is_done(path, origin)


def test_a_folder_that_cannot_be_written_to_is_told(data: Path) -> None:
    with pytest.raises(ConfigError, match=r"expected a folder that can be written to, got: Not a directory"):
        make_folder(data / "scores")
