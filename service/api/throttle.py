"""The throttle: who guesses passwords waits, twice as long with each guess."""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from time import monotonic

FREE = 5  #: failures that cost nothing
_FIRST_S, _LAST_S = 2.0, 900.0
_FORGET_S = 3600.0
_MOST = 10_000  # names and addresses that are remembered


class Throttle:
    """Counts failures by name and by address; any thread may ask."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()  # how many, and when the last was

    def wait_s(self, *keys: str) -> float:
        """Return how long whoever has these keys must wait until the next guess; 0 if it may be now."""
        now = self._clock()
        with self._lock:
            return max(0.0, *(self._until(key) - now for key in keys))

    def failed(self, *keys: str) -> None:
        """Note a failure."""
        now = self._clock()
        with self._lock:
            for key in keys:
                count, last = self._failures.pop(key, (0, now))
                self._failures[key] = (count + 1 if now - last < _FORGET_S else 1), now
            while len(self._failures) > _MOST:
                self._failures.popitem(last=False)

    def succeeded(self, *keys: str) -> None:
        """Forget what has failed."""
        with self._lock:
            for key in keys:
                self._failures.pop(key, None)

    def _until(self, key: str) -> float:
        count, last = self._failures.get(key, (0, 0.0))
        return last + min(_FIRST_S * 2.0 ** min(count - FREE, 20), _LAST_S) if count >= FREE else 0.0
