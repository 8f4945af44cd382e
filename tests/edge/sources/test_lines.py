"""Lines from files, FIFOs and serial lines, as they are written to."""

import os
import pty
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread

import pytest

from edge.inbox import Inbox
from edge.payloads.payload import LARGEST_PAYLOAD
from edge.sources.lines import LineSource, open_file, open_serial
from edge.sources.listener import Listener
from tests.system.conftest import wait_until

MakeSource = Callable[..., LineSource]


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def listener(inbox: Inbox) -> Iterator[Listener]:
    """Return a listener that passes on to the inbox what it hears."""
    made, over = Listener(), Event()

    def pass_on() -> None:
        while not over.is_set():
            assert inbox.put(heard := made.listen(0.05), 0) == len(heard)

    thread = Thread(target=pass_on)
    thread.start()
    yield made
    over.set()
    thread.join()
    made.close()


@pytest.fixture
def make_source(inbox: Inbox, listener: Listener) -> Iterator[MakeSource]:
    made: list[LineSource] = []

    def make(open_: Callable[[], int], **options: int | bool) -> LineSource:
        made.append(LineSource("lines", inbox, listener, lambda: 5, open_, **options))  # type: ignore[arg-type]
        made[-1].start()
        return made[-1]

    yield make
    for source in made:
        source.stop()


def take(inbox: Inbox, count: int) -> list[tuple[int, bytes]]:
    """Return place and payload of so many messages, once they are there."""
    wait_until(lambda: inbox.waiting >= count, f"{count} lines")
    return [(message.mid, message.payload) for message in inbox.take(count, 0)]


def test_a_file_is_read_to_its_end_and_followed(tmp_path: Path, inbox: Inbox, make_source: MakeSource) -> None:
    path = tmp_path / "lines"
    path.write_text("1\n\n2\r\n3")
    make_source(lambda: open_file(path))
    assert take(inbox, 2) == [(2, b"1"), (6, b"2")]
    with path.open("a") as file:
        file.write("4\n")
    assert take(inbox, 1) == [(9, b"34")]


def test_a_file_is_read_on_at_its_place_and_from_its_beginning_if_it_is_shorter(
    tmp_path: Path, inbox: Inbox, make_source: MakeSource
) -> None:
    path = tmp_path / "lines"
    path.write_text("1\n2\n3\n")
    source = make_source(lambda: open_file(path), place=4)
    assert take(inbox, 1) == [(6, b"3")]
    source.stop()
    path.write_text("7\n")
    make_source(lambda: open_file(path), place=6)
    assert take(inbox, 1) == [(2, b"7")]


def test_a_file_that_is_the_standard_input_is_read_from_where_it_stands_to_its_last_line(
    tmp_path: Path, inbox: Inbox, make_source: MakeSource
) -> None:
    path = tmp_path / "lines"
    path.write_text("time value\n1\n2")
    fd = os.open(path, os.O_RDONLY)
    os.read(fd, len("time value\n"))  # as a shell does that takes the header off
    source = make_source(lambda: fd, ends=True)
    assert take(inbox, 2) == [(0, b"1"), (0, b"2")]
    wait_until(lambda: source.is_over, "the end")


def test_a_fifo_may_be_written_to_by_one_after_the_other(tmp_path: Path, inbox: Inbox, make_source: MakeSource) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    make_source(lambda: open_file(path))
    for number in range(3):
        path.write_text(f"{number}\n")
        assert take(inbox, 1) == [(0, str(number).encode())]


def test_a_serial_line_is_read_from_the_first_whole_line_on(inbox: Inbox, make_source: MakeSource) -> None:
    device, line = pty.openpty()
    try:
        make_source(lambda: open_serial(Path(os.ttyname(line)), 19200), joins=True)
        os.write(device, b"1.5\r\n21")
        os.write(device, b".5\r\n22\n")
        assert take(inbox, 2) == [(0, b"21.5"), (0, b"22")]
    finally:
        os.close(device)
        os.close(line)


def test_what_is_no_serial_line_is_told(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    with pytest.raises(OSError, match="expected a serial line that can have 9600 baud"):
        open_serial(path, 9600)


def test_a_file_that_comes_later_is_waited_for(
    tmp_path: Path, inbox: Inbox, make_source: MakeSource, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "later"
    source = make_source(lambda: open_file(path))
    wait_until(lambda: "No such file" in caplog.text, "it is told")
    path.write_text("1\n")
    assert take(inbox, 1) == [(2, b"1")]
    assert not source.is_over


def test_the_end_of_what_ends_is_the_end_of_the_source(inbox: Inbox, make_source: MakeSource) -> None:
    reader, writer = os.pipe()
    os.write(writer, b"1\n2")
    os.close(writer)
    source = make_source(lambda: reader, ends=True)
    assert take(inbox, 2) == [(0, b"1"), (0, b"2")]
    wait_until(lambda: source.is_over, "it is over")


def test_standard_input_that_has_nothing_is_over(inbox: Inbox, make_source: MakeSource) -> None:
    source = make_source(lambda: os.open(os.devnull, os.O_RDONLY), ends=True)
    wait_until(lambda: source.is_over, "it is over")
    assert not inbox.waiting


def test_a_line_that_fails_is_told_and_opened_again(
    tmp_path: Path, inbox: Inbox, make_source: MakeSource, caplog: pytest.LogCaptureFixture
) -> None:
    device, line = pty.openpty()
    path = tmp_path / "line"
    path.symlink_to(os.ttyname(line))
    make_source(lambda: open_serial(path, 9600))
    os.write(device, b"1\n")
    assert take(inbox, 1) == [(0, b"1")]
    os.close(line)
    os.close(device)
    wait_until(lambda: "trying again" in caplog.text, "it is told")


def test_a_line_without_an_end_takes_no_more_than_a_payload(
    tmp_path: Path, inbox: Inbox, make_source: MakeSource
) -> None:
    path = tmp_path / "lines"
    path.write_bytes(b"1" * (3 * LARGEST_PAYLOAD) + b"\n2\n")
    make_source(lambda: open_file(path))
    (_, long), (place, short) = take(inbox, 2)
    assert place == path.stat().st_size
    assert len(long) <= LARGEST_PAYLOAD + 2 * 64 * 1024
    assert len(long) > LARGEST_PAYLOAD  # so it is rejected
    assert short == b"2"
