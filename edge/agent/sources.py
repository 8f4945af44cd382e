"""The sources of an agent's monitors, but for the topics of brokers."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from edge.agent.monitor import Monitor
from edge.agent.opening import open_source, source_name
from edge.inbox import Inbox
from edge.sources.listener import Listener
from edge.sources.source import Source


class Sources:
    """Starts the sources of monitors that have one, and passes on to all what the agent says."""

    def __init__(self, folder: Path, inbox: Inbox, listener: Listener, now_ms: Callable[[], int]) -> None:
        """Take paths from a folder, that of the configuration."""
        self._folder = folder
        self._inbox = inbox
        self._listener = listener
        self._now_ms = now_ms
        self._sources: dict[str, Source] = {}

    @property
    def are_over(self) -> bool:
        """Whether nothing will come from them any more."""
        return all(source.is_over for source in self._sources.values())

    def start(self, monitors: Iterable[Monitor], places: Mapping[str, int]) -> None:
        """Begin to read for those monitors that are not read for yet; files are read on at their places."""
        for monitor in monitors:
            name = source_name(monitor.name)
            if monitor.template is None and name not in self._sources:
                self._sources[name] = open_source(
                    self._folder, monitor, self._inbox, self._listener, self._now_ms, places.get(name, 0)
                )
                self._sources[name].start()

    def stop(self) -> None:
        """Read no more."""
        for source in self._sources.values():
            source.stop()

    def turn(self) -> None:
        """Look whether all is well; about once a second."""
        for source in self._sources.values():
            source.turn()
