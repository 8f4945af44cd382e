from pathlib import Path

import pytest

from edge.errors import ConfigError, DataError
from edge.payloads.rejects import Reason
from service.desk.dead_letters import DeadLetters, Which, escaped
from service.storage.access import Access, database_of
from service.storage.store import DeadLetter, Store


@pytest.fixture
def desk(database: Path) -> DeadLetters:
    """Return the desk of a database with four dead letters, the last of which is too large to be kept whole."""
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
    store.close()
    return DeadLetters(Access(database), "me")


@pytest.mark.parametrize(
    ("which", "ids"),
    [
        (Which(), [1, 2, 3, 4]),
        (Which(reason="syntax"), [2, 3]),
        (Which(reason="syntax", topic="*/b/*"), [3]),
        (Which(start_ms=2000, end_ms=4000), [2, 3]),
        (Which((1, 4, 9)), [1, 4]),
        (Which(topic="plant/[a"), []),
    ],
)
def test_letters_are_chosen_by_id_reason_topic_and_time(desk: DeadLetters, which: Which, ids: list[int]) -> None:
    assert [letter.id for letter in desk.list(which, 10)] == ids
    assert sum(desk.count(which).values()) == len(ids)


def test_a_list_has_the_newest(desk: DeadLetters) -> None:
    assert [letter.id for letter in desk.list(Which(), 2)] == [3, 4]
    assert desk.count(Which()) == {"syntax": 2, "not-a-number": 1, "too-large": 1}


def test_one_is_shown_with_its_payload(desk: DeadLetters) -> None:
    letter, payload = desk.show(1)
    assert (letter.topic, letter.reason, letter.whole, payload) == ("plant/a/flow", "not-a-number", True, b"warm")
    with pytest.raises(DataError, match="expected the id of a dead letter, got 9"):
        desk.show(9)


def test_what_was_not_kept_whole_is_not_put_back(desk: DeadLetters) -> None:
    assert desk.replay(Which()) == (3, 1)
    assert desk.replay(Which((4,))) == (0, 1)


def test_purged_letters_are_gone(desk: DeadLetters) -> None:
    assert desk.purge(Which(reason="syntax")) == 2
    assert [letter.id for letter in desk.list(Which(), 10)] == [1, 4]


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
