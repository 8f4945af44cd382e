import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from edge.payloads.rejects import Reason
from service.cli import main
from service.storage.store import DeadLetter, Store


@pytest.fixture
def path(database: Path) -> Path:
    """Return a database with three dead letters."""
    store = Store(database)
    store.open()
    with store.transaction():
        store.add_dead_letters(
            [
                DeadLetter(1_700_000_001_000, "plant/a", b"\x1b[2J", 4, Reason.NUMBER, "got '\x1b[2J'"),
                DeadLetter(1_700_000_002_000, "", b"{", 1, Reason.TOPIC, "not UTF-8"),
                DeadLetter(1_700_000_003_000, "plant/b", b" ", 300_000, Reason.SIZE, "too large"),
            ]
        )
    store.close()
    return database


def run(command: str, path: Path, *arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["dead-letters", command, str(path), *map(str, arguments)])
    return result.exit_code, result.output


def test_they_are_listed_a_line_each_and_counted(path: Path) -> None:
    code, said = run("list", path)
    assert code == 0
    assert said.splitlines() == [
        "1  2023-11-14T22:13:21.000Z  not-a-number  plant/a  4 B  got '\\x1b[2J'",
        "2  2023-11-14T22:13:22.000Z  topic  -  1 B  not UTF-8",
        "3  2023-11-14T22:13:23.000Z  too-large  plant/b  300000 B  too large",
        "3 dead letters: not-a-number 1, too-large 1, topic 1",
    ]
    listed = json.loads(run("list", path, "--topic", "plant/*", "--most", 1, "--json")[1])
    assert listed["counts"] == {"not-a-number": 1, "too-large": 1}
    assert [(each["id"], each["whole"]) for each in listed["dead_letters"]] == [("3", False)]


def test_one_is_shown_and_its_bytes_are_written(path: Path, tmp_path: Path) -> None:
    out = tmp_path / "payload"
    code, said = run("show", path, 1, "--out", out)
    assert code == 0
    assert "  payload: \\x1b[2J\n" in said
    assert "\x1b" not in said
    assert out.read_bytes() == b"\x1b[2J"
    assert json.loads(run("show", path, 1, "--json")[1])["reason"] == "not-a-number"


def test_they_are_put_back_and_thrown_away(path: Path) -> None:
    assert run("replay", path, 1) == (0, "1 dead letter: the service is asked to try it again\n")
    code, said = run("replay", path, "--reason", "too-large")
    assert code == 1
    assert "1 dead letter cannot be: larger than 262144 bytes, of which only the beginning was kept" in said
    assert run("purge", path, "--to", "2023-11-14T22:13:23Z") == (0, "2 dead letters thrown away\n")
    assert run("purge", path, "--all") == (0, "1 dead letter thrown away\n")
    assert run("list", path) == (0, "0 dead letters\n")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "expected ids, a choice such as --reason, or --all, got none"),
        (["1", "--all"], "expected ids, a choice such as --reason, or --all, got both"),
        (["--from", "yesterday"], "--from: expected"),
    ],
)
def test_what_is_meant_must_be_said(path: Path, arguments: list[str], expected: str) -> None:
    for command in ("replay", "purge"):
        code, said = run(command, path, *arguments)
        assert code == 2
        assert expected in said
