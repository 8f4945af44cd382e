import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator

import pytest

from edge.operation import failpoint


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    failpoint._wanted.cache_clear()
    yield
    failpoint._wanted.cache_clear()


def end_of(wanted: str) -> int:
    """Return the exit code of a process that reaches a place three times."""
    program = "from edge.operation.failpoint import reach\nfor _ in range(3): reach('here')"
    return subprocess.run([sys.executable, "-c", program], env={failpoint.VARIABLE: wanted}, check=False).returncode


def test_nothing_happens_unless_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(failpoint.VARIABLE, raising=False)
    failpoint.reach("here")


@pytest.mark.parametrize(
    ("wanted", "code"),
    [("here:3", -signal.SIGKILL), ("here=exit", failpoint.EXIT_CODE), ("here:4", 0), ("there", 0)],
)
def test_a_process_dies_the_time_that_was_asked_for(wanted: str, code: int) -> None:
    assert end_of(wanted) == code


@pytest.mark.parametrize(("action", "kind"), [("raise", failpoint.FailpointError), ("full", sqlite3.OperationalError)])
def test_it_raises_once(action: str, kind: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(failpoint.VARIABLE, f"here:2={action}")
    failpoint.reach("here")
    with pytest.raises(kind, match="failpoint here"):
        failpoint.reach("here")
    failpoint.reach("here")


@pytest.mark.parametrize("wrong", ["here:0", "here=explode", ":2", "here:many"])
def test_what_cannot_be_meant_is_refused(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(failpoint.VARIABLE, wrong)
    with pytest.raises(ValueError, match=r"FORESENSE_FAILPOINT|invalid literal"):
        failpoint.reach("here")
