"""The source: what the API answers from: configuration, database, bundles, and what the service tells."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Any, NamedTuple

import numpy as np

from edge.bundle import SEAL, Bundle, find_bundle, read_bundle
from edge.errors import BundleError
from edge.limits import Budget
from edge.manifest import Manifest
from service.api.board import SPARKS, Board, Columns, Stream
from service.api.hub import Hub
from service.api.problems import missing
from service.api.reader import Reader
from service.configuration import read_settings
from service.operation.status import read_status
from service.settings import MonitorSettings
from service.storage.access import Access

_FRESH_S, _STATUS_FRESH_S = 1.0, 2.0
_WEEK_MS = 7 * 86_400_000
_RECENT = 200_000  # rows that are looked through for the streams' newest scores


class Overview(NamedTuple):
    """All streams at one moment, at most a second old."""

    at_s: float  #: monotonic
    board: Columns
    names: Sequence[str]  #: in lower case, to be searched
    rank: np.ndarray[Any, Any]  #: (streams,) of each name among all
    state: np.ndarray[Any, Any]  #: (streams,) index in board.STATES
    alarms: np.ndarray[Any, Any]  #: (streams,) raised within a week
    place: Mapping[int, int]  #: by the streams' ids
    budgets: Mapping[str, str]  #: in force, by monitor
    manifests: Mapping[str, Manifest | None]  #: of the bundles in force, by monitor


class Source:
    """Holds what all requests share."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.settings = read_settings(path)
        self.reader = Reader(self.settings.database)
        self.access = Access(self.settings.database)
        self.board = Board()
        self.hub = Hub()
        self.standing: dict[str, Any] = {}  #: what the service told last of itself
        self.rates: dict[str, float] = {}  #: each second
        self._bundles: dict[Path, tuple[bytes, Bundle]] = {}
        self._overview: Overview | None = None
        self._lock = Lock()
        self._looking, self._asking = Lock(), Lock()
        self._status: tuple[float, dict[str, Any] | None] = (0.0, None)

    def reload(self) -> None:
        """Read the configuration again, which the service has brought into force."""
        self.settings = read_settings(self._path)

    def monitor(self, name: str) -> MonitorSettings:
        """Return the settings of a monitor; ProblemError if there is none of that name."""
        if name not in self.settings.monitors:
            raise missing(f"a monitor, one of {', '.join(self.settings.monitors)}", name)
        return self.settings.monitors[name]

    def bundle(self, reference: str) -> Bundle:
        """Return a bundle, read once while its seal is the same; BundleError if it may not be trusted."""
        path = find_bundle(self.settings.bundles, reference)
        try:
            seal = (path / SEAL).read_bytes()
        except OSError:
            seal = b""  # reading the bundle tells what is wrong
        with self._lock:
            known = self._bundles.get(path)
        if known is not None and known[0] == seal:
            return known[1]
        bundle = read_bundle(path)
        with self._lock:
            self._bundles[path] = seal, bundle
        return bundle

    def manifest(self, monitor: str) -> Manifest | None:
        """Return the manifest of the bundle that a monitor has in force; None if it cannot be read."""
        told = self.standing.get("monitors", {}).get(monitor)
        settings = self.settings.monitors.get(monitor)
        if told is None and settings is None:
            return None
        try:
            return self.bundle(told["bundle"] if told else settings.bundle if settings else "").manifest
        except BundleError:
            return None

    def budget(self, monitor: str) -> Budget | None:
        """Return the budget that is in force for a monitor: an operator's, the configuration's or the bundle's."""
        row = self.reader.row("SELECT budget FROM budget WHERE monitor = ?", (monitor,))
        return Budget.parse(row[0]) if row else self.configured_budget(monitor)

    def configured_budget(self, monitor: str) -> Budget | None:
        """Return the budget that a monitor has without an operator's."""
        settings = self.settings.monitors.get(monitor)
        if settings is not None and settings.budget is not None:
            return Budget.parse(settings.budget)
        manifest = self.manifest(monitor)
        return Budget.parse(manifest.budget) if manifest else None

    def learn_streams(self) -> None:
        """Look which streams the database has."""
        self.board.know([Stream(*row) for row in self.reader.rows("SELECT id, monitor, name FROM stream ORDER BY id")])

    def recall(self) -> None:
        """Look in the database what was said of the streams last."""
        self.learn_streams()
        recent = self.reader.rows(
            """SELECT stream, time, score, status, coalesce(alarm, 0) FROM
                (SELECT * FROM series_verdict ORDER BY time DESC LIMIT ?) AS newest
                JOIN series ON series.id = newest.series WHERE place = 0 AND score IS NOT NULL""",
            (_RECENT,),
        )
        of_stream: dict[int, list[tuple[int, float, int, int]]] = {}
        for stream, *said in recent:
            if len(kept := of_stream.setdefault(stream, [])) < SPARKS:
                kept.append(tuple(said))
        for each in self.board.look().streams:
            self.board.fill(each, of_stream.get(each.id, [])[::-1])

    def overview(self) -> Overview:
        """Return all streams, looked over at most once a second however many ask."""
        with self._looking:
            known = self._overview
            if known is None or monotonic() - known.at_s >= _FRESH_S:
                known = self._overview = self._look()
            return known

    def stream(self, ident: int) -> tuple[int, Overview]:
        """Return the place of a stream by its id; ProblemError if there is none."""
        overview = self.overview()
        if ident not in overview.place:
            raise missing("the id of a stream, as /v1/streams lists them", ident)
        return overview.place[ident], overview

    def newest_ms(self) -> int | None:
        """Return the time of the newest verdict that is stored, UTC epoch, ms."""
        row = self.reader.row("SELECT max(time) FROM series_verdict")
        return None if row is None else row[0]

    def status(self) -> dict[str, Any]:
        """Return what `foresense status` tells, looked for at most every two seconds."""
        with self._asking:
            at_s, known = self._status
            if known is None or monotonic() - at_s >= _STATUS_FRESH_S:
                known = asdict(read_status(self.settings))
                self._status = monotonic(), known
            return known

    def _look(self) -> Overview:
        board = self.board.look()
        place = {each.id: at for at, each in enumerate(board.streams)}
        alarms = np.zeros(len(place), np.int64)
        since = max(int(board.time.max(initial=0)), 0) - _WEEK_MS
        counts = 'SELECT stream, count(*) FROM alarm WHERE "start" >= ? GROUP BY stream'
        for stream, count in self.reader.rows(counts, (since,)):
            if stream in place:
                alarms[place[stream]] = count
        names = [f"{each.monitor}/{each.name}".lower() for each in board.streams]
        monitors = {each.monitor for each in board.streams}
        budgets = {monitor: str(budget) for monitor in monitors if (budget := self.budget(monitor))}
        manifests = {monitor: self.manifest(monitor) for monitor in monitors}
        rank = np.empty(len(names), np.intp)
        rank[sorted(range(len(names)), key=names.__getitem__)] = np.arange(len(names))
        return Overview(monotonic(), board, names, rank, board.state(), alarms, place, budgets, manifests)
