"""Functions as sources: values, exceptions, calls that hang."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from threading import Event

import pytest

from edge.errors import ConfigError
from edge.inbox import Inbox
from edge.sources import function
from edge.sources.function import FunctionSource, load_function
from tests.system.conftest import wait_until

MakeSource = Callable[..., FunctionSource]


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def make_source(inbox: Inbox) -> Iterator[MakeSource]:
    made: list[FunctionSource] = []

    def make(read: function.Read, every_s: float = 0.01) -> FunctionSource:
        made.append(FunctionSource("plug-in", inbox, lambda: 5, read, every_s))
        made[-1].start()
        return made[-1]

    yield make
    for source in made:
        source.stop()


def test_each_call_is_a_message_and_a_value_that_is_none_is_left_out(inbox: Inbox, make_source: MakeSource) -> None:
    make_source(lambda: {"flow": 3, "level": None})
    wait_until(lambda: inbox.waiting >= 2, "two calls")
    assert {message.payload for message in inbox.take(2, 0)} == {b'{"flow": 3.0}'}


def test_one_that_raises_is_told_once_and_called_again(
    inbox: Inbox, make_source: MakeSource, caplog: pytest.LogCaptureFixture
) -> None:
    calls: list[int] = []

    def read() -> Mapping[str, float]:
        calls.append(1)
        if len(calls) == 1:
            raise KeyError("bus")
        return {"flow": 1.0}

    make_source(read)
    wait_until(lambda: inbox.waiting >= 1, "a value")
    assert caplog.text.count("plug-in: KeyError: 'bus'; trying again") == 1


def test_one_that_returns_no_numbers_is_told(make_source: MakeSource, caplog: pytest.LogCaptureFixture) -> None:
    make_source(lambda: {"flow": "much"})
    wait_until(lambda: "could not convert string to float: 'much'" in caplog.text, "it is told")


def test_one_that_hangs_is_told_once_and_holds_up_nobody(
    make_source: MakeSource, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(function, "_LEAST_PATIENCE_S", 0.05)
    let_go = Event()

    def read() -> Mapping[str, float]:
        let_go.wait(20)
        return {}

    source = make_source(read)

    def told() -> int:
        source.turn()
        return caplog.text.count("the function has not returned")

    wait_until(lambda: told() > 0, "it is told")
    assert told() == 1
    let_go.set()


def test_a_function_is_found_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "sensors_of_a_test.py").write_text("def read():\n    return {'flow': 2.5}\n")
    assert json.dumps(dict(load_function("sensors_of_a_test:read", tmp_path)())) == '{"flow": 2.5}'


@pytest.mark.parametrize(
    ("text", "got"),
    [
        ("nowhere_at_all:read", "ModuleNotFoundError"),
        ("edge.sources.pi:write", "AttributeError"),
        ("edge.sources.pi:_ROOT", "PosixPath"),
    ],
)
def test_what_is_no_function_is_told(tmp_path: Path, text: str, got: str) -> None:
    with pytest.raises(ConfigError, match=f"source: expected a function {text}, got:? {got}"):
        load_function(text, tmp_path)
