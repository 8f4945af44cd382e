"""The link with the service, as the HTTP process sees it: takes down what is told, and asks."""

import asyncio
import logging
import socket
import sqlite3
from collections.abc import Callable, Sequence
from itertools import count
from time import monotonic
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge.errors import ForesenseError
from edge.reading import Change
from service.api.alarm_watch import AlarmWatch
from service.api.board import STATES
from service.api.problems import ProblemError
from service.api.source import Source
from service.api.verdicts import verdict
from service.api.wire import Frames, Said, frame, said_in

log = logging.getLogger(__name__)

_PART = 1 << 18
_ANSWER_S = 5.0
_LOOK_S = 1.0
_RATED = ("received", "readings", "verdicts")


class ServiceLink:
    """Reads the wire on the event loop. `on_end` is called when the service has ended, `each_second` meanwhile."""

    def __init__(
        self, link: socket.socket, source: Source, on_end: Callable[[], None], each_second: Callable[[], None]
    ) -> None:
        self._socket = link
        self._source = source
        self._on_end = on_end
        self._each_second = each_second
        self._asked: dict[int, asyncio.Future[tuple[int, str, bytes]]] = {}
        self._numbers = count(1)
        self._writer: asyncio.StreamWriter | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._alarms = AlarmWatch(source)
        self._watching = asyncio.Lock()
        self._states: NDArray[np.intp] = np.zeros(0, np.intp)
        self._counted: tuple[float, dict[str, int]] | None = None

    async def start(self) -> None:
        """Begin to take down what is told, once what was said before is known."""
        await asyncio.to_thread(self._source.recall)
        reader, self._writer = await asyncio.open_unix_connection(sock=self._socket)
        self._tasks = [asyncio.create_task(self._read(reader)), asyncio.create_task(self._look())]

    async def stop(self) -> None:
        """Take down no more."""
        for task in self._tasks:
            task.cancel()
        self._source.hub.close()
        if self._writer is not None:
            self._writer.close()

    async def ask(self, path: str, accept: str) -> tuple[int, str, bytes]:
        """Return the service's own answer: status, content type, body; ProblemError if it gives none."""
        number, future = next(self._numbers), asyncio.get_running_loop().create_future()
        self._asked[number] = future
        try:
            if self._writer is None:
                raise ConnectionError("the link is not open yet")
            self._writer.write(frame(ask=number, path=path, accept=accept))
            return await asyncio.wait_for(future, _ANSWER_S)
        except (TimeoutError, OSError) as error:
            detail = f"the service has not answered within {_ANSWER_S:g} s: look at its log"
            raise ProblemError(503, detail, {"Retry-After": "5"}) from error
        finally:
            del self._asked[number]

    async def _read(self, reader: asyncio.StreamReader) -> None:
        frames = Frames()
        try:
            while data := await reader.read(_PART):
                for content in frames.feed(data):
                    await self._take(content)
        except (OSError, ForesenseError) as error:
            log.warning("the link with the service is given up, to be begun anew: %s", error)
        except Exception:
            log.exception("the link with the service is given up, to be begun anew")
        finally:
            self._on_end()

    async def _take(self, content: dict[str, Any]) -> None:
        match content["kind"]:
            case "verdicts":
                await self._said(said_in(content))
            case "standing":
                self._told(content["body"])
            case "reload":
                try:
                    await asyncio.to_thread(self._source.reload)
                except ForesenseError as error:
                    log.warning("the configuration cannot be read again: %s", error)
            case "answer" if (future := self._asked.get(content["ask"])) and not future.done():
                future.set_result((content["status"], content["type"], content["body"]))

    async def _said(self, said: Said) -> None:
        board, hub = self._source.board, self._source.hub
        if not board.knows(said.monitor, said.names):
            await asyncio.to_thread(self._source.learn_streams)
        if not board.knows(said.monitor, said.names):
            raise ForesenseError(f"{said.monitor}: expected streams that the database has, got others")
        places, streams = board.take(said), board.streams
        ids = np.array([streams[place].id for place in places.tolist()], np.int64)
        hub.tell_verdicts(ids, lambda row: verdict(said, row, streams[places[row]]))
        if (said.verdicts.change != Change.NONE).any():
            opened = said.verdicts.change == Change.OPENED
            starts = said.verdicts.alarm[opened].tolist()
            await self._watch_alarms(list(zip(ids[opened].tolist(), starts, strict=True)))

    def _told(self, standing: dict[str, Any]) -> None:
        source = self._source
        source.standing = standing
        now_s, counts = monotonic(), {name: standing["counters"][name] for name in _RATED}
        if self._counted is not None:
            before_s, before = self._counted
            source.rates = {name: (counts[name] - before[name]) / max(now_s - before_s, 0.1) for name in _RATED}
        self._counted = now_s, counts
        told = {"per_second": source.rates, "messages_in_flight": standing["messages_in_flight"]}
        source.hub.tell("status", told | {name: standing[name] for name in ("brokers", "sinks", "monitors", "refused")})

    async def _look(self) -> None:
        """Look once a second what has changed that no verdict told of, and tell of the streams' states."""
        while True:
            await asyncio.sleep(_LOOK_S)
            self._each_second()
            try:
                await self._watch_alarms()
                self._tell_states()
            except (ProblemError, sqlite3.Error, msgspec.MsgspecError) as error:
                log.warning("what has changed cannot be told: %s", error)

    async def _watch_alarms(self, opened: Sequence[tuple[int, int]] = ()) -> None:
        async with self._watching:
            news = await asyncio.to_thread(self._alarms.news, opened)
        for alarm in news:
            self._source.hub.tell("alarm", alarm)

    def _tell_states(self) -> None:
        board = self._source.board.look()
        states = board.state()
        known = len(self._states)
        changed = [*np.flatnonzero(states[:known] != self._states).tolist(), *range(known, len(states))]
        self._states = states
        if changed:
            told = [{"id": board.streams[place].id, "state": STATES[states[place]]} for place in changed[:1000]]
            self._source.hub.tell("state", {"changed": len(changed), "streams": told})
