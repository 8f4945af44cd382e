"""A view of this machine in which installers may do as they like: their changes are thrown away."""

import subprocess
from pathlib import Path

from tests.faults.namespace import Namespace

PLACES = ("etc", "opt", "run", "usr/local", "var/lib")  #: what may be changed; all else is this machine's own


class Device:
    """A machine whose system folders are laid over those of this one."""

    def __init__(self, layers: Path) -> None:
        prepare = [f"mkdir {layers}", f"mount -t tmpfs tmpfs {layers}"]
        for place in PLACES:
            upper, work = layers / place / "upper", layers / place / "work"
            prepare.append(f"mkdir -p {upper} {work}")
            prepare.append(f"mount -t overlay overlay -o lowerdir=/{place},upperdir={upper},workdir={work} /{place}")
        self._namespace = Namespace("--mount", "; ".join(prepare)).start()

    def stop(self) -> None:
        self._namespace.stop()

    def run(self, *words: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self._namespace.entry, *map(str, words)], capture_output=True, text=True, check=False, timeout=240
        )

    def do(self, *words: object) -> str:
        """Return what a command prints, which must succeed."""
        done = self.run(*words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def has(self, path: str) -> bool:
        return self.run("test", "-e", path).returncode == 0
