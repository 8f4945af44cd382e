import json
import logging
from collections.abc import Iterator

import pytest

from edge.operation.logs import MOST_ALIKE, WINDOW_S, Log

log = logging.getLogger("service.test")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def logs(clock: Clock) -> Iterator[Log]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers = []
    yield Log(clock)
    root.handlers, root.level = handlers, level


def test_what_repeats_itself_is_summed_up_when_the_minute_is_over(
    logs: Log, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.start("info", "text")
    for number in range(MOST_ALIKE + 1235):
        log.warning("message %d is odd", number)
    log.info("another kind")
    logs.tell()
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == MOST_ALIKE + 1
    assert lines[-2].endswith(f"WARNING service.test: message {MOST_ALIKE - 1} is odd")

    clock.now += WINDOW_S
    logs.tell()
    logs.tell()
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(f"message {MOST_ALIKE + 1234} is odd ... and 1,234 more like this in the last minute")

    log.warning("message %d is odd", 0)
    assert capsys.readouterr().err.endswith("message 0 is odd\n")


def test_what_was_held_is_told_in_the_end(logs: Log, capsys: pytest.CaptureFixture[str]) -> None:
    logs.start("info", "text")
    for _ in range(MOST_ALIKE + 1):
        log.error("broken")
    logs.tell(everything=True)
    assert capsys.readouterr().err.count("broken\n") == MOST_ALIKE + 1


def test_lines_for_debugging_are_never_held(logs: Log, capsys: pytest.CaptureFixture[str]) -> None:
    logs.start("debug", "text")
    for _ in range(2 * MOST_ALIKE):
        log.debug("a detail")
    assert capsys.readouterr().err.count("a detail") == 2 * MOST_ALIKE


def test_a_line_of_json_has_all_there_is_to_know(logs: Log, capsys: pytest.CaptureFixture[str]) -> None:
    logs.start("info", "json")
    try:
        raise ValueError("of all \n things")  # noqa: TRY301
    except ValueError:
        log.exception("it went wrong: %s", 'a "name"')
    (line,) = capsys.readouterr().err.splitlines()
    told = json.loads(line)
    assert told["time"].endswith("Z")
    assert (told["level"], told["logger"], told["thread"]) == ("error", "service.test", "MainThread")
    assert told["message"] == 'it went wrong: a "name"'
    assert "ValueError: of all \n things" in told["exception"]
