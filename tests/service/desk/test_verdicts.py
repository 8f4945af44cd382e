"""The command `foresense verdicts` on databases that are quick to make; tests/system compares it with `detect`."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

import service.desk.verdicts
from edge.table import HEADER
from service.cli import main
from service.storage.store import SCHEMA_VERSION, Store
from service.storage.verdict_book import add_series, insert

T0 = 1_700_000_000_000


def say(store: Store, slot: int, stream: int, channels: dict[str, float | None]) -> None:
    """Store what is said of a slot, the channels in the order of their bundle."""
    alarm = T0 if stream == 1 else None
    series = add_series(store.db, [stream], list(channels))[0].tolist()
    for place, (value, one) in enumerate(zip(channels.values(), series, strict=True)):
        row = (T0 + 1000 * slot, one, value, 1.25, 1.0, 2.0, 0.5, 2 if alarm else 1, 0.5, 6 * place, alarm)
        insert(store.db, *([each] for each in row))


@pytest.fixture
def kept(database: Path) -> Path:
    """Return the database of two monitors; the channels of the first changed with its bundle."""
    store = Store(database)
    store.open()
    with store.transaction():
        store.add_streams("pumps", ["b", "a,1"])
        store.add_streams("fans", ["a,1"])
        say(store, 0, 1, {"heat": 1.5, "flow": 1.5})
        say(store, 0, 2, {"heat": None, "flow": 1.5})
        say(store, 1, 1, {"heat": 1.5, "flow": 1.5})
        say(store, 2, 1, {"load": 1.5})
        say(store, 0, 3, {"speed": 1.5})
    store.close()
    return database


def run(database: Path, *options: str) -> tuple[int, str, list[str]]:
    result = CliRunner().invoke(main, ["verdicts", str(database), *options])
    return result.exit_code, result.stderr, result.stdout.splitlines()


@pytest.mark.parametrize("rows", [1, 2, 3, 100])
def test_rows_are_by_stream_time_and_the_bundles_order_of_channels(
    kept: Path, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service.desk.verdicts, "ROWS", rows)
    code, _, lines = run(kept, "--monitor", "pumps")
    assert code == 0
    assert lines[0] == HEADER
    assert lines[1:3] == [
        '"a,1",2023-11-14T22:13:20.000Z,heat,,1.25,1,2,0.5,normal,,0.5,',
        '"a,1",2023-11-14T22:13:20.000Z,flow,1.5,1.25,1,2,0.5,normal,,0.5,stuck+range',
    ]
    assert lines[3] == "b,2023-11-14T22:13:20.000Z,heat,1.5,1.25,1,2,0.5,anomaly,2023-11-14T22:13:20.000Z,0.5,"
    assert [line.split(",")[1:3] for line in lines[4:]] == [
        ["2023-11-14T22:13:20.000Z", "flow"],
        ["2023-11-14T22:13:21.000Z", "heat"],
        ["2023-11-14T22:13:21.000Z", "flow"],
        ["2023-11-14T22:13:22.000Z", "load"],
    ]


def test_a_stream_and_a_period_are_chosen(kept: Path, tmp_path: Path) -> None:
    period = ("--from", "2023-11-14T22:13:21Z", "--to", "2023-11-14T23:13:22+01:00")
    code, _, lines = run(kept, "--monitor", "pumps", "--stream", "b", *period)
    assert (code, [line.split(",")[2] for line in lines[1:]]) == (0, ["heat", "flow"])
    out = tmp_path / "verdicts.csv"
    assert run(kept, "--monitor", "pumps", "--stream", "b", *period, "--out", str(out)) == (0, "", [])
    assert out.read_text().splitlines() == lines
    by_day = ("--from", "2023-11-14", "--to", "1700000002")
    assert run(kept, "--monitor", "pumps", "--stream", "b", *by_day)[2][-2:] == lines[-2:]


def test_what_is_not_there_is_told(kept: Path) -> None:
    code, said, _ = run(kept)
    assert (code, said) == (2, "foresense: --monitor: expected one of fans, pumps, got none\n")
    code, said, _ = run(kept, "--monitor", "fans", "--stream", "b")
    assert (code, said) == (2, "foresense: --stream: expected one of a,1, got 'b'\n")
    code, said, _ = run(kept, "--monitor", "fans", "--from", "noon")
    assert (code, said[:33]) == (2, "foresense: --from: expected a tim")
    code, said, _ = run(kept, "--monitor", "fans", "--out", "/none/such.csv")
    assert (code, said[:64]) == (2, "foresense: --out: /none/such.csv: expected a file that can be wr")


def test_a_database_that_is_none_of_ours_or_of_another_schema_is_told(kept: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as db:
        db.execute("CREATE TABLE verdict (guilty INTEGER)")
    code, said, _ = run(other)
    assert code == 2
    assert "expected the database of a foresense service, got: no such table: stream" in said
    with closing(sqlite3.connect(kept)) as db:
        db.execute("PRAGMA user_version = 1")
    code, said, _ = run(kept, "--monitor", "fans")
    assert code == 2
    assert f"of schema {SCHEMA_VERSION}, got 1; `foresense serve` brings an older one up to date" in said
