"""systemd's protocol against a real socket."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.operation import systemd


@pytest.fixture
def supervisor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        sock.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield sock


def test_the_supervisor_is_told_in_one_datagram(supervisor: socket.socket) -> None:
    systemd.notify("READY=1", "STATUS=subscribed")
    assert supervisor.recv(1000) == b"READY=1\nSTATUS=subscribed"


def test_an_abstract_socket_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"foresense-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(f"\0{name}")
        sock.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
        systemd.notify("STOPPING=1")
        assert sock.recv(1000) == b"STOPPING=1"


def test_without_a_supervisor_nothing_happens(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    systemd.notify("READY=1")
    assert caplog.text == ""
    monkeypatch.setenv("NOTIFY_SOCKET", "/nowhere/notify")
    systemd.notify("READY=1")
    assert "the supervisor cannot be told" in caplog.text


@pytest.mark.parametrize(
    ("pid", "microseconds", "expected"),
    [(None, "30000000", 30.0), (str(os.getpid()), "500000", 0.5), ("1", "30000000", None), (None, None, None)],
    ids=["of any process", "of this process", "of another", "not watched"],  # a process id is not every run's own
)
def test_the_watchdog_is_ours_only_if_it_says_so(
    pid: str | None, microseconds: str | None, expected: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("WATCHDOG_PID", pid), ("WATCHDOG_USEC", microseconds)):
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
    assert systemd.patience_s() == expected
