"""The board itself: temperature, throttling, processor and memory, so that a bare Raspberry Pi has something to watch.

It reads files of the kernel only. A channel whose file a machine does not have is left out.
"""

from collections.abc import Iterator
from pathlib import Path

_ROOT = Path("/")
_THROTTLED = "sys/devices/platform/soc/soc:firmware/get_throttled"
_NOW = 0xF  # of the flags: under-voltage, frequency capped, throttled, too hot; the others say what was once
_IDLE = (3, 4)  # places of idle and iowait among the processor's times


class Board:
    """Reads the files of one machine, beneath a root."""

    def __init__(self, root: Path = _ROOT) -> None:
        self._root = root
        self._times: tuple[int, int] | None = None  # idle and all, of the read before

    def read(self) -> dict[str, float]:
        """Return `temperature` (°C), `throttled` (0 or 1), `memory` and `cpu` (% in use), as far as they are there."""
        return dict(self._found())

    def _found(self) -> Iterator[tuple[str, float]]:
        if temperatures := [int(each) / 1000 for each in self._texts("sys/class/thermal", "thermal_zone*/temp")]:
            yield "temperature", max(temperatures)
        if flags := self._text(_THROTTLED):
            yield "throttled", float(int(flags, 16) & _NOW != 0)
        if memory := self._text("proc/meminfo"):
            sizes = {
                name: int(rest.split()[0])
                for name, _, rest in (line.partition(":") for line in memory.split("\n"))
                if rest
            }
            yield "memory", 100 * (1 - sizes["MemAvailable"] / sizes["MemTotal"])
        if processor := self._text("proc/stat"):
            times = [int(each) for each in processor.partition("\n")[0].split()[1:9]]
            before, now = self._times, (sum(times[k] for k in _IDLE), sum(times))
            self._times = now
            if before is not None and now[1] > before[1]:
                yield "cpu", 100 * (1 - (now[0] - before[0]) / (now[1] - before[1]))

    def _texts(self, folder: str, pattern: str) -> list[str]:
        return [text for path in sorted((self._root / folder).glob(pattern)) if (text := _read(path))]

    def _text(self, path: str) -> str:
        return _read(self._root / path)


def _read(path: Path) -> str:
    """Return what a file says, '' if it is not there or its sensor does not answer."""
    try:
        return path.read_text().strip()
    except OSError:
        return ""


_BOARD = Board()


def read() -> dict[str, float]:
    """Return what this machine says of itself; see Board.read."""
    return _BOARD.read()
