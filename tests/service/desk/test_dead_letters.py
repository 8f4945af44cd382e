import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from edge.errors import ConfigError, DataError
from edge.payloads.rejects import Reason
from service.desk.dead_letters import DeadLetters, Which, escaped
from service.relays.letters import Letter, keep
from service.storage.access import Access, database_of
from service.storage.store import DeadLetter, Store


@pytest.fixture
def desk(database: Path) -> DeadLetters:
    """Return the desk of a database with six dead letters.

    The last message is too large to be kept whole, and a sink has refused two more.
    """
    store = Store(database)
    store.open()
    letters = [
        DeadLetter(1000, "plant/a/flow", b"warm", 4, Reason.NUMBER, "expected a number"),
        DeadLetter(2000, "plant/a/flow", b"{", 1, Reason.SYNTAX, "expected JSON"),
        DeadLetter(3000, "plant/b/flow", b"{{", 2, Reason.SYNTAX, "expected JSON"),
        DeadLetter(4000, "plant/b/flow", b"   ", 300_000, Reason.SIZE, "expected less"),
    ]
    with store.transaction():
        store.add_dead_letters(letters)
        keep(
            store.db,
            [Letter(2500, "pager", "alarm", "b", b"{}", "400"), Letter(5000, "pager", "verdict", "", b"v", "4")],
        )
    store.close()
    return DeadLetters(Access(database), "me")


@pytest.mark.parametrize(
    ("which", "ids"),
    [
        (Which(), ["1", "2", "pager:1", "3", "4", "pager:2"]),
        (Which(reason="syntax"), ["2", "3"]),
        (Which(reason="refused"), ["pager:1", "pager:2"]),
        (Which(sink="pager", topic="b/alarm"), ["pager:1"]),
        (Which(reason="syntax", topic="*/b/*"), ["3"]),
        (Which(start_ms=2000, end_ms=4000), ["2", "pager:1", "3"]),
        (Which(("1", "4", "9", "pager:2", "phone:1", "pager:x")), ["1", "4", "pager:2"]),
        (Which(topic="plant/[a"), []),
    ],
)
def test_letters_are_chosen_by_id_reason_topic_and_time(desk: DeadLetters, which: Which, ids: list[str]) -> None:
    assert [letter.id for letter in desk.list(which, 10)] == ids
    assert sum(desk.count(which).values()) == len(ids)


def test_a_list_has_the_newest(desk: DeadLetters) -> None:
    assert [letter.id for letter in desk.list(Which(), 2)] == ["4", "pager:2"]
    assert desk.count(Which()) == {"refused": 2, "syntax": 2, "not-a-number": 1, "too-large": 1}


def test_one_is_shown_with_its_payload(desk: DeadLetters) -> None:
    letter, payload = desk.show("1")
    assert (letter.topic, letter.reason, letter.whole, payload) == ("plant/a/flow", "not-a-number", True, b"warm")
    letter, payload = desk.show("pager:1")
    assert (letter.topic, letter.reason, letter.detail, letter.whole) == ("b/alarm", "refused", "400", True)
    assert payload == b"{}"
    with pytest.raises(DataError, match="expected the id of a dead letter, got 'pager:9'"):
        desk.show("pager:9")


def test_what_was_not_kept_whole_is_not_put_back(desk: DeadLetters) -> None:
    assert desk.replay(Which()) == (5, 1)
    assert desk.replay(Which(("4",))) == (0, 1)


def test_purged_letters_are_gone(desk: DeadLetters) -> None:
    assert desk.purge(Which(reason="syntax")) == 2
    assert desk.purge(Which(sink="pager", end_ms=3000)) == 1
    assert [letter.id for letter in desk.list(Which(), 10)] == ["1", "4", "pager:2"]


def test_what_was_asked_of_purged_letters_is_not_done_with_those_that_get_their_numbers(
    desk: DeadLetters, database: Path
) -> None:
    assert desk.replay(Which(reason="syntax")) == (2, 0)
    assert desk.replay(Which(reason="refused")) == (2, 0)
    assert desk.replay(Which(reason="not-a-number")) == (1, 0)
    desk.purge(Which(reason="syntax"))
    desk.purge(Which(("pager:2",)))
    with closing(sqlite3.connect(database)) as db:
        assert db.execute("SELECT kind, stream FROM request ORDER BY kind, stream").fetchall() == [
            ("replay", "1"),
            ("resend", "1"),
        ]


def test_no_sign_of_a_payload_reaches_the_terminal_as_a_command() -> None:
    hostile = "\x1b]0;title\x07\u202eevil\n\x9b".encode() + b"\xff\\x1b"
    assert escaped(hostile) == "\\x1b]0;title\\x07\\u202eevil\\n\\x9b\\xff\\\\x1b"


def test_a_path_names_a_database_or_a_configuration(desk: DeadLetters, database: Path, tmp_path: Path) -> None:
    config = tmp_path / "foresense.yaml"
    config.write_text("database: data/foresense.db\nmonitors: {main: {topic: 'a/{channel}', bundle: pump}}\n")
    assert desk.count(Which())
    assert database_of(database) == database_of(config) == database
    with pytest.raises(ConfigError, match="expected a configuration or a database"):
        database_of(tmp_path / "none")
