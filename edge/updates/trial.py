"""The trial: a bundle's self-test in a process of its own, with limits, so that a bad bundle harms nothing else.

    python -m edge.updates.trial MEMORY-MB CPU-S WALL-S RUNTIME FOLDER [IN-CHARGE]

prints one line and exits with 0 if the golden verdicts of FOLDER hold and its channels are those of the bundle that is
in charge. RUNTIME is '' for the one that is installed. The process has so much memory, processor time and time by the
clock, writes nothing, and needs no network. A clock of the kernel ends it, should whoever has begun it be gone.
"""

import resource
import signal
import subprocess
import sys
from dataclasses import astuple, dataclass
from pathlib import Path

from edge.errors import BundleError, ForesenseError

_FILES = 64  # open at a time
_MOST_WORDS = 500


@dataclass(frozen=True, slots=True)
class Limits:
    """What a trial may use."""

    memory_mb: int = 1024  #: of addresses; a small bundle takes 200 of them, and 70 MB of memory
    cpu_s: int = 30
    wall_s: int = 120


class Trial:
    """A trial that is going on."""

    def __init__(
        self, folder: Path, in_charge: Path | None, runtime: str | None = None, limits: Limits = Limits()
    ) -> None:
        self._limits = limits
        numbers = [str(each) for each in astuple(limits)]
        folders = [str(each) for each in (folder, in_charge) if each is not None]
        self._command = [sys.executable, "-m", "edge.updates.trial", *numbers, runtime or "", *folders]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin."""
        self._process = subprocess.Popen(  # noqa: S603  our own program
            self._command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    def is_over(self) -> bool:
        """Tell whether it has passed; BundleError if it has failed."""
        process = self._process
        if process is None or process.poll() is None:
            return False
        words = _last_line(process)
        self._process = None
        if process.returncode < 0:
            raise BundleError(f"self-test: expected it to end by itself, got {self._ended_by(-process.returncode)}")
        if process.returncode:
            raise BundleError(f"self-test: {words or f'exit code {process.returncode}'}")
        return True

    def stop(self) -> None:
        """End it, if it is going on."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _ended_by(self, number: int) -> str:
        if number == signal.SIGXCPU:
            return f"more than {self._limits.cpu_s} s of the processor's time"
        if number == signal.SIGALRM:
            return f"more than {self._limits.wall_s} s"
        return signal.Signals(number).name


def limit(limits: Limits) -> None:
    """Bound what this process may use from now on."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(limits.wall_s)
    resource.setrlimit(
        resource.RLIMIT_CPU, (limits.cpu_s, limits.cpu_s + 1)
    )  # at the second one the kernel says no reason
    for what, most in (
        (resource.RLIMIT_AS, limits.memory_mb * 1024 * 1024),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, _FILES),
    ):
        resource.setrlimit(what, (most, most))


def run(folder: Path, in_charge: Path | None, runtime: str | None) -> int:
    """Return how many golden verdicts hold; ForesenseError if one does not, or if the channels are others."""
    from edge.bundle import read_bundle  # NumPy is loaded within the limits
    from edge.golden import self_test

    bundle = read_bundle(folder)
    if in_charge is not None:
        before, after = read_bundle(in_charge).manifest, bundle.manifest
        expected, got = ([(c.name, c.unit) for c in each.channels] for each in (before, after))
        if expected != got or before.interval_ms != after.interval_ms:
            raise BundleError(
                f"channels: expected those of version {before.version}, {expected} every {before.interval_ms} ms, "
                f"got {got} every {after.interval_ms} ms"
            )
    return self_test(bundle, runtime)


def main(memory_mb: str, cpu_s: str, wall_s: str, runtime: str, folder: str, in_charge: str | None = None) -> None:
    """Run the trial of the command line."""
    limits = Limits(int(memory_mb), int(cpu_s), int(wall_s))
    limit(limits)
    try:
        verdicts = run(Path(folder), Path(in_charge) if in_charge else None, runtime or None)
    except ForesenseError as error:
        sys.exit(f"{error}")
    except MemoryError:
        sys.exit(f"expected at most {limits.memory_mb} MB of memory, got more")
    sys.stdout.write(f"{verdicts} golden verdicts hold\n")


def _last_line(process: subprocess.Popen[bytes]) -> str:
    output = process.communicate()[0].decode("utf-8", "replace").strip().splitlines()
    return output[-1][:_MOST_WORDS] if output else ""


if __name__ == "__main__":
    main(*sys.argv[1:])
