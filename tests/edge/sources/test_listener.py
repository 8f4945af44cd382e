"""The listener: what comes on descriptors and from other threads ends its wait."""

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from threading import Timer
from time import monotonic

import pytest

from edge.inbox import Message
from edge.sources.listener import Listener

LONG_S = 20.0


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.close()


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def read(fd: int) -> list[Message]:
    return [Message(0, 0, 0, "", os.read(fd, 100), False, 0)]


def test_what_comes_on_a_descriptor_is_read(listener: Listener, pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    assert listener.watch(reader, partial(read, reader))
    assert listener.listen(0) == []
    os.write(writer, b"1")
    assert listener.is_behind
    assert [message.payload for message in listener.listen(LONG_S)] == [b"1"]
    assert not listener.is_behind


def test_a_descriptor_that_is_watched_while_it_listens_is_heard(listener: Listener, pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    os.write(writer, b"1")
    Timer(0.1, lambda: listener.watch(reader, partial(read, reader))).start()
    assert [message.payload for message in listener.listen(LONG_S)] == [b"1"]


def test_what_is_forgotten_is_not_read(listener: Listener, pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    listener.watch(reader, partial(read, reader))
    listener.forget(reader)
    listener.forget(reader)
    os.write(writer, b"1")
    assert listener.listen(0) == []
    assert not listener.is_behind


def test_it_returns_when_it_is_woken_and_once_only(listener: Listener) -> None:
    Timer(0.1, listener.wake).start()
    began = monotonic()
    assert listener.listen(LONG_S) == []
    assert monotonic() - began < LONG_S / 2
    listener.wake()
    assert not listener.is_behind
    listener.listen(LONG_S)
    began = monotonic()
    listener.listen(0.05)
    assert monotonic() - began >= 0.05


def test_files_cannot_be_waited_for(listener: Listener, tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_text("1")
    with path.open() as file:
        assert not listener.watch(file.fileno(), partial(read, file.fileno()))
    assert listener.listen(0) == []
