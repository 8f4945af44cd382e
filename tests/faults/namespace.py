"""A namespace of the kernel of its own, in which a process sees its own mounts or network."""

import subprocess
from typing import Self


class Namespace:
    """Kept by a process that does nothing, so that others can come and go; `kind` is an option of unshare."""

    def __init__(self, kind: str, prepare: str) -> None:
        self._kind = kind
        self._script = f"set -e; {prepare}; echo ready; exec sleep 600"
        self._keeper: subprocess.Popen[str] | None = None

    def start(self) -> Self:
        """Make the namespace, and run the shell commands that prepare it, in it."""
        self._keeper = subprocess.Popen(
            ["unshare", self._kind, "sh", "-c", self._script], stdout=subprocess.PIPE, text=True
        )
        assert self._keeper.stdout is not None
        assert self._keeper.stdout.readline() == "ready\n"
        return self

    @property
    def pid(self) -> int:
        assert self._keeper is not None
        return self._keeper.pid

    @property
    def entry(self) -> list[str]:
        """Return what stands before a command that shall run in the namespace."""
        return ["nsenter", "--target", str(self.pid), self._kind, "--"]

    def run(self, script: str) -> None:
        """Run shell commands in the namespace."""
        subprocess.run([*self.entry, "sh", "-ec", script], check=True, timeout=20)

    def stop(self) -> None:
        if self._keeper is not None:
            self._keeper.kill()
            self._keeper.communicate()
