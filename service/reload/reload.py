"""Reloading: a changed configuration or a new bundle comes into force without a restart, or is refused."""

import logging
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Event, Thread
from typing import Any

from edge.bundle import SEAL, find_bundle
from edge.errors import ConfigError, ForesenseError
from service.configuration import read_settings
from service.operation.standing import Standing
from service.pipeline.monitor import Monitor
from service.reload.change import Change
from service.reload.warming import Warmed, may_warm
from service.settings import MonitorSettings, Settings

log = logging.getLogger(__name__)

_POLL_S = 2.0
_RELOADED = {"monitors", "maintenance"}  #: settings that may change while the service runs

Open = Callable[[Settings], tuple[list[Monitor], list[str]]]
Adopt = Callable[[Change], bool]


class Reloader:
    """Reads the configuration again when asked, and looks for new bundles every few seconds, on its own thread."""

    def __init__(
        self, path: Path, settings: Settings, monitors: Sequence[Monitor], open_: Open, adopt: Adopt, standing: Standing
    ) -> None:
        self._path = path
        self._settings = self._wanted = settings  # in force, and as they were read last
        self._monitors = {monitor.name: monitor for monitor in monitors}
        self._open = open_
        self._adopt = adopt
        self._standing = standing
        self._asked = Event()
        self._wake = Event()
        self._stopping = False
        self._again = False
        self._seen = self._look()
        self._thread = Thread(target=self._run, name="reload", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Look no more."""
        self._stopping = True
        self._wake.set()
        self._thread.join(timeout_s)

    def ask(self) -> None:
        """Have the configuration read again; may be called from a signal handler."""
        self._asked.set()
        self._wake.set()

    def _run(self) -> None:
        while not self._stopping:
            self._wake.wait(_POLL_S)
            self._wake.clear()
            asked = self._asked.is_set()
            self._asked.clear()
            if not self._stopping:
                self._turn(asked)

    def _turn(self, asked: bool) -> None:
        """Bring what is new into force, or say why not; what was in force goes on then.

        What the database or the disk has refused is tried again with the next turn, as it may pass.
        """
        again, self._again = self._again, False
        try:
            self._wanted = self._read() if asked else self._wanted
            before, self._seen = self._seen, self._look()
            if asked or again or self._seen != before:
                self._apply(self._wanted)
        except ForesenseError as error:
            self._refuse(str(error))
        except (sqlite3.Error, OSError) as error:
            self._again = True
            self._refuse(f"{error}; trying again")
        except Exception as error:
            log.exception("a change could not be brought into force")
            self._refuse(repr(error))

    def _read(self) -> Settings:
        settings = read_settings(self._path)
        old, new = (each.model_dump(exclude=_RELOADED) for each in (self._settings, settings))
        if changed := [name for name in new if new[name] != old[name]]:
            what = ", ".join(changed)
            raise ConfigError(f"{self._path}: {what}: expected no change while the service runs, got one: restart it")
        return settings

    def _apply(self, settings: Settings) -> None:
        opened, problems = self._open(settings)
        if problems:
            raise ConfigError("\n".join(problems))
        monitors = [self._kept(settings, monitor) or monitor for monitor in opened]
        changed = [monitor for monitor in monitors if monitor is not self._monitors.get(monitor.name)]
        gone = self._monitors.keys() - {monitor.name for monitor in monitors}
        if changed or gone:
            if not self._adopt(Change(monitors, self._warm(changed))):
                return
            what = [f"{monitor.name} with bundle {monitor.bundle.reference}" for monitor in changed]
            what += [f"{name} no more" for name in sorted(gone)]
            log.warning("in force now: %s", ", ".join(what))
        else:
            log.info("nothing has changed")
        self._settings = settings
        self._monitors = {monitor.name: monitor for monitor in monitors}
        self._standing.refused = None

    def _kept(self, settings: Settings, new: Monitor) -> Monitor | None:
        """Return the monitor there is, if nothing of it has changed."""
        old = self._monitors.get(new.name)
        if old is None or old.bundle is not new.bundle or settings.maintenance != self._settings.maintenance:
            return None
        mine = settings.monitors[new.name]
        if mine != self._settings.monitors[new.name] or any(each.ics for each in _windows(settings, mine)):
            return None  # a calendar is read again
        return old

    def _warm(self, changed: Sequence[Monitor]) -> dict[str, Warmed]:
        warmed = {}
        for monitor in changed:
            old = self._monitors.get(monitor.name)
            if old is None or old.bundle.reference == monitor.bundle.reference:
                continue
            if may_warm(old, monitor):
                warmed[monitor.name] = Warmed(monitor)
                warmed[monitor.name].read(self._settings.database)
            else:
                log.warning("%s: bundle %s has other channels, units or slots: its streams begin anew",
                            monitor.name, monitor.bundle.reference)  # fmt: skip
        return warmed

    def _refuse(self, reason: str) -> None:
        self._standing.refused = reason
        log.error("a change is refused, and what was in force goes on: %s", reason)

    def _look(self) -> Mapping[str, Any]:
        """Return what tells whether the monitors' bundles have changed: of each its folder, and the files in it."""
        root = self._wanted.bundles
        return {name: _looks(root, monitor) for name, monitor in self._wanted.monitors.items()}


def _windows(settings: Settings, monitor: MonitorSettings) -> list[Any]:
    return [*settings.maintenance, *monitor.maintenance]


def _looks(root: Path, monitor: MonitorSettings) -> Any:
    try:
        path = find_bundle(root, monitor.bundle)
        files = sorted((entry.name, entry.stat().st_size, entry.stat().st_mtime_ns) for entry in path.iterdir())
        return path, files, (path / SEAL).read_bytes()
    except (ForesenseError, OSError) as error:
        return type(error)
