import sqlite3
from pathlib import Path

import pytest

from edge.errors import ConfigError, DataError
from edge.reading import Status
from models.data.sources.history import History, is_history
from models.data.sources.source import Block
from service.storage.store import Store
from service.storage.verdict_book import add_series, insert

T0 = 1_700_000_000_000


def say(
    store: Store, slot: int, stream: int, channel: str, value: float | None, status: Status = Status.NORMAL
) -> None:
    series = int(add_series(store.db, [stream], [channel])[0, 0])
    insert(store.db, [T0 + 1000 * slot], [series], [value], [None], [None], [None], [0.5], [int(status)])


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Return the database of two monitors; a stream of the first misses a value and has an anomaly."""
    path = tmp_path / "foresense.db"
    store = Store(path)
    store.open()
    with store.transaction():
        one, other = store.add_streams("pumps", ["a", "b"])
        (fan,) = store.add_streams("fans", ["a"])
        say(store, 0, one, "flow", 1.5, Status.LEARNING)
        say(store, 0, one, "heat", 20.0, Status.LEARNING)
        say(store, 0, other, "flow", 2.5)
        say(store, 1, one, "flow", None)
        say(store, 1, one, "heat", 21.0)
        say(store, 2, one, "flow", 9.5, Status.ANOMALY)
        say(store, 1, fan, "speed", 7.0)
    store.close()
    return path


def told(blocks: list[Block]) -> list[tuple[str, int, int, float]]:
    return [
        (block.names[stream], channel, (time - T0) // 1000, value)
        for block in blocks
        for stream, channel, time, value in zip(
            block.readings.stream.tolist(),
            block.readings.channel.tolist(),
            block.readings.time.tolist(),
            block.readings.value.tolist(),
            strict=True,
        )
    ]


@pytest.mark.parametrize("rows", [2, 100])
def test_the_values_of_a_monitor_come_by_time(database: Path, rows: int) -> None:
    blocks = list(History(database, ("heat", "flow"), "pumps").blocks(rows))
    assert told(blocks) == [("a", 1, 0, 1.5), ("a", 0, 0, 20), ("b", 1, 0, 2.5), ("a", 0, 1, 21), ("a", 1, 2, 9.5)]
    assert (sum(block.rows for block in blocks), sum(block.empty for block in blocks)) == (6, 1)


def test_what_was_not_judged_normal_can_be_left_empty(database: Path) -> None:
    blocks = list(History(database, ("flow",), "pumps", normal=True).blocks())
    assert told(blocks) == [("b", 0, 0, 2.5)]
    assert (blocks[0].rows, blocks[0].empty) == (4, 3)


def test_only_a_period_is_read(database: Path) -> None:
    history = History(database, ("flow", "heat"), "pumps", start_ms=T0 + 1000, end_ms=T0 + 2000)
    assert told(list(history.blocks())) == [("a", 1, 1, 21)]


def test_a_database_that_is_being_written_can_be_read(database: Path) -> None:
    store = Store(database)
    store.open()
    try:
        with store.transaction():
            say(store, 9, 3, "speed", 1.0)
            assert len(told(list(History(database, ("speed",), "fans").blocks()))) == 1
        assert len(told(list(History(database, ("speed",), "fans").blocks()))) == 2
    finally:
        store.close()


def test_the_monitor_must_be_told_where_there_are_several(database: Path) -> None:
    with pytest.raises(ConfigError, match="--monitor: expected one of fans, pumps, got none"):
        list(History(database, ("flow",)).blocks())
    with pytest.raises(DataError, match="expected a monitor 'motors', got fans, pumps"):
        list(History(database, ("flow",), "motors").blocks())


def test_an_unknown_channel_is_told_with_those_there(database: Path) -> None:
    with pytest.raises(DataError, match="pumps: expected a channel 'load', got flow, heat"):
        list(History(database, ("load",), "pumps").blocks())


def test_a_database_that_is_none_of_ours_is_told(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE verdict (guilty INTEGER)")
    db.commit()
    db.close()
    assert is_history(path)
    with pytest.raises(DataError, match=r"other\.db: expected the database of a foresense service, got: no such table"):
        list(History(path, ("flow",)).blocks())


def test_an_empty_database_of_ours_is_told(tmp_path: Path) -> None:
    store = Store(tmp_path / "foresense.db")
    store.open()
    store.close()
    with pytest.raises(DataError, match="expected a database with at least one stream, got an empty one"):
        list(History(tmp_path / "foresense.db", ("flow",)).blocks())


def test_a_table_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "line.csv").write_text("time,flow\n")
    assert not is_history(tmp_path / "line.csv")
    assert not is_history(tmp_path)
    assert not is_history(tmp_path / "none.db")
