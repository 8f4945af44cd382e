from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge.errors import ConfigError
from models.data.opening import open_data
from models.data.options import DataOptions
from models.data.periods import Period
from models.data.sources.files import Files
from models.data.sources.history import History
from models.data.sources.influx import Credentials, Influx
from models.data.sources.layout import Layout
from service.storage.store import Store

NOTHING = DataOptions(
    data="line.csv",
    time="time",
    device=None,
    stream=None,
    channel_column=None,
    value_column=None,
    only=(),
    start=None,
    end=None,
    exclude=(),
    exclude_file=None,
    monitor=None,
    normal=False,
    database=None,
    measurement=None,
    user=None,
    password_file=None,
    token_file=None,
)
INFLUX: dict[str, Any] = {"data": "http://localhost:8086", "database": "plant", "measurement": "line"}


def refusal(**options: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        open_data(replace(NOTHING, **options), ["flow"], "UTC")
    return str(caught.value)


def test_a_path_is_a_table() -> None:
    data = open_data(replace(NOTHING, device="dev", start="1970-01-02"), ["flow"], "Europe/Rome")
    assert data.source == Files(Path("line.csv"), Layout("time", ("flow",), "dev", time_zone="Europe/Rome"))
    assert data.selection.start_ms == 82_800_000


def test_a_long_table_has_columns_of_any_name() -> None:
    data = open_data(replace(NOTHING, channel_column="what", value_column="number"), ["flow"], "UTC")
    assert data.source == Files(Path("line.csv"), Layout("time", ("flow",), None, "what", "number"))


def test_a_sqlite_file_is_a_history(tmp_path: Path) -> None:
    store = Store(tmp_path / "foresense.db")
    store.open()
    store.close()
    options = replace(NOTHING, data=str(tmp_path / "foresense.db"), monitor="pumps", normal=True, end="1970-01-02")
    data = open_data(options, ["flow"], "UTC")
    assert data.source == History(tmp_path / "foresense.db", ("flow",), "pumps", True, None, 86_400_000)


def test_a_url_is_an_influxdb(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("t0ken\n")
    data = open_data(replace(NOTHING, **INFLUX, device="pump", token_file=tmp_path / "secret"), ["flow"], "UTC")
    assert data.source == Influx(
        "http://localhost:8086", "plant", "line", ("flow",), "pump", credentials=Credentials("t0ken")
    )


def test_excluded_periods_come_from_options_and_a_file(tmp_path: Path) -> None:
    (tmp_path / "faults.csv").write_text("start,end,stream\n1970-01-02,1970-01-03,a\n")
    options = replace(NOTHING, exclude=("1970-01-04/1970-01-05",), exclude_file=tmp_path / "faults.csv")
    day = 86_400_000
    assert open_data(options, ["flow"], "UTC").selection.excluded == (
        Period(3 * day, 4 * day),
        Period(day, 2 * day, "a"),
    )


def test_an_option_that_would_do_nothing_is_refused(tmp_path: Path) -> None:
    assert refusal(monitor="pumps") == (
        "--monitor: expected it only where DATA is a service's database or InfluxDB, got it with line.csv"
    )
    assert refusal(**INFLUX, normal=True).startswith(
        "--normal: expected it only where DATA is a file, got it with http"
    )
    (tmp_path / "foresense.db").write_bytes(b"SQLite format 3\0")
    assert refusal(data=str(tmp_path / "foresense.db"), device="dev").startswith("--device: expected it only where")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"start": "noon"}, "--start: expected a time such as"),
        ({"exclude": ("noon",)}, "--exclude: expected START/END such as"),
        ({"value_column": "number"}, "--value-column: expected --channel-column beside it, got none"),
        ({"data": "http://localhost:8086"}, "expected --database and --measurement, got only one of them or none"),
        (INFLUX | {"user": "reader"}, "--user: expected --user and --password-file, got only one of them"),
        (INFLUX | {"token_file": Path("none")}, "none: expected a readable password file, got: No such file"),
        (
            INFLUX | {"user": "reader", "password_file": Path("a"), "token_file": Path("b")},
            "--token-file: expected either a token or a user, got both",
        ),
    ],
)
def test_options_that_do_not_fit_are_told(options: dict[str, Any], message: str) -> None:
    assert message in refusal(**options)
