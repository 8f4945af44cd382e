"""A function that returns a value for each channel, called each interval."""

import json
import logging
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from time import monotonic

from edge.errors import ConfigError
from edge.inbox import Inbox
from edge.sources.source import Worker

log = logging.getLogger(__name__)

Read = Callable[[], Mapping[str, float | None]]  #: channel -> value, None where there is none just now
_PATIENCE = 3  # intervals that a call may take before it is told of
_LEAST_PATIENCE_S = 10.0


class FunctionSource:
    """Calls a function on a thread of its own, so that one that hangs holds nobody up."""

    def __init__(self, name: str, inbox: Inbox, now_ms: Callable[[], int], read: Read, every_s: float) -> None:
        self._read = read
        self._every_s = every_s
        self._began: float | None = None  # the call that goes on, monotonic
        self._told = False
        self._worker = Worker(name, inbox, now_ms, self._call_on)

    @property
    def is_over(self) -> bool:
        """Whether nothing will come any more."""
        return self._worker.is_over

    def start(self) -> None:
        """Begin to call."""
        self._worker.start()

    def stop(self) -> None:
        """Call no more."""
        self._worker.stop()

    def turn(self) -> None:
        """Tell, once, of a call that does not return."""
        began, patience_s = self._began, max(_PATIENCE * self._every_s, _LEAST_PATIENCE_S)
        if began is None or monotonic() - began < patience_s:
            self._told = False
        elif not self._told:
            self._told = True
            log.error("%s: the function has not returned for %.0f s", self._worker.name, monotonic() - began)

    def _call_on(self) -> None:
        due = monotonic()
        while not self._worker.stopping.wait(max(due - monotonic(), 0)):
            self._began = monotonic()
            try:
                values = self._read()
                told = {str(name): float(value) for name, value in values.items() if value is not None}
            finally:
                self._began = None
            self._worker.succeeds()
            if told:
                self._worker.give([(0, json.dumps(told).encode())])
            due = max(due + self._every_s, monotonic())


def load_function(text: str, folder: Path) -> Read:
    """Return what MODULE:FUNCTION names, a module beside the configuration or one that is installed; or ConfigError."""
    module, _, name = text.partition(":")
    if str(folder.resolve()) not in sys.path:
        sys.path.append(str(folder.resolve()))
    try:
        found = getattr(import_module(module), name)
    except Exception as error:
        raise ConfigError(f"source: expected a function {text}, got: {type(error).__name__}: {error}") from error
    if not callable(found):
        raise ConfigError(f"source: expected a function {text}, got {type(found).__name__}")
    read: Read = found
    return read
