"""The HTTP process, as the service sees it: it is started, told what is committed, asked nothing, and begun anew.

A process of its own has an interpreter lock of its own, so that requests do not hold up the readings.
"""

import logging
import select
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event, Thread
from time import monotonic

from edge.errors import ConfigError
from edge.operation.logs import Format
from edge.reading import Verdicts
from service.api.settings import HttpSettings
from service.api.wire import Frames, Said, frame, frame_of
from service.operation.health import Health
from service.operation.standing import Standing
from service.pipeline.transaction import Scored

log = logging.getLogger(__name__)

_TELL_S = 0.2  # between two times that verdicts are handed on
_STANDING_S = 1.0
_PATIENCE_S = 20.0  # that the other side may take to read what it is told
_FIRST_DELAY_S, _LAST_DELAY_S, _WELL_S = 0.5, 30.0, 60.0
_MOST_WAITING = 5000  # batches of verdicts; beyond these the oldest are dropped
_STOP_S = 3.0


class HttpProcess:
    """Starts the process that answers HTTP, and hands on what it cannot read from the database."""

    def __init__(
        self, settings: HttpSettings, path: Path, health: Health, standing: Standing, log_format: Format = "text"
    ) -> None:
        self._settings = settings
        self._path = path
        self._health = health
        self._standing = standing
        self._log_format = log_format
        self._waiting: deque[Scored] = deque(maxlen=_MOST_WAITING)
        self._listener: socket.socket | None = None
        self._changed = Event()
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="http", daemon=True)

    def start(self) -> None:
        """Listen, and have the process answer; ConfigError if the address cannot be had."""
        host, port = self._settings.host, self._settings.port
        try:
            family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
            self._listener = socket.create_server((host, port), family=family, backlog=128)
        except OSError as error:
            raise ConfigError(f"http: expected an address that is free, got {host}:{port}: {error}") from error
        self._thread.start()
        log.info("dashboard and API at http%s://%s:%d/", "s" if self._settings.tls else "", host, port)

    def stop(self) -> None:
        """End the process, and give the port back."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(2 * _STOP_S)
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def offer(self, scored: Sequence[Scored]) -> None:
        """Take over verdicts that were just committed; they are handed on within a fifth of a second."""
        self._waiting.extend(scored)

    def reload(self) -> None:
        """Have the process read the configuration again, which has changed."""
        self._changed.set()

    def _run(self) -> None:
        delay_s = 0.0
        while not self._stopping.wait(delay_s):
            began, why = monotonic(), "it has ended"
            try:
                self._serve()
            except (OSError, EOFError) as error:
                why = str(error) or why
            except Exception as error:
                log.exception("the HTTP process cannot be told what it needs")
                why = repr(error)
            was_well = monotonic() - began > _WELL_S
            delay_s = _FIRST_DELAY_S if was_well or not delay_s else min(2 * delay_s, _LAST_DELAY_S)
            if not self._stopping.is_set():
                log.warning("the HTTP process is begun anew in %.1f s: %s", delay_s, why)

    def _serve(self) -> None:
        """Run one process to its end; OSError or EOFError if it ends by itself."""
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                process = self._begin(theirs)
            try:
                ours.settimeout(_PATIENCE_S)
                _Telling(ours, self._waiting, self._health, self._standing, self._changed).run(self._stopping.is_set)
            finally:
                ours.close()
                _end(process)

    def _begin(self, theirs: socket.socket) -> "subprocess.Popen[bytes]":
        if self._listener is None:
            raise OSError("nothing listens any more")
        handles = theirs.fileno(), self._listener.fileno()
        level = logging.getLevelName(logging.getLogger().getEffectiveLevel()).lower()
        arguments = [str(self._path), *map(str, handles), level, self._log_format]
        command = [sys.executable, "-P", "-m", "service.api", *arguments]
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=handles)  # noqa: S603  our own module


class _Telling:
    """Tells one process, until it ends: verdicts as they come, the standing once a second, and what it asks."""

    def __init__(
        self, link: socket.socket, waiting: deque[Scored], health: Health, standing: Standing, changed: Event
    ) -> None:
        self._link = link
        self._frames = Frames()
        self._waiting = waiting
        self._health = health
        self._standing = standing
        self._changed = changed
        self._told: dict[str, tuple[list[str], int]] = {}  # by monitor: its names, and how many were told
        waiting.clear()  # the process reads what was committed before from the database

    def run(self, is_over: Callable[[], bool]) -> None:
        """Go on until it is over."""
        told_s = 0.0
        while not is_over():
            if select.select([self._link], [], [], _TELL_S)[0]:
                for content in self._frames.read(self._link):
                    self._answer(content["ask"], content["path"], content["accept"])
            if self._changed.is_set():
                self._changed.clear()
                self._link.sendall(frame(kind="reload"))
            self._hand_on()
            if monotonic() - told_s >= _STANDING_S:
                told_s = monotonic()
                self._link.sendall(frame(kind="standing", body=self._standing.facts()))

    def _answer(self, number: int, path: str, accept: str) -> None:
        status, kind, body = self._health.answer(path, accept)
        self._link.sendall(frame(kind="answer", ask=number, status=int(status), type=kind, body=body))

    def _hand_on(self) -> None:
        batches: dict[tuple[str, str], list[Scored]] = {}
        while self._waiting:
            scored = self._waiting.popleft()
            batches.setdefault((scored.monitor, scored.bundle), []).append(scored)
        for many in batches.values():
            self._link.sendall(frame_of(self._said(many)))

    def _said(self, many: list[Scored]) -> Said:
        last = many[-1]
        names, known = self._told.get(last.monitor, ([], 0))
        first = known if names is last.streams else 0
        verdicts = Verdicts.concatenate([each.verdicts for each in many])
        count = max(first, int(verdicts.stream.max()) + 1)  # the writer may have more that are not committed yet
        self._told[last.monitor] = last.streams, count
        return Said(last.monitor, last.bundle, last.channels, first, last.streams[first:count], verdicts)


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
