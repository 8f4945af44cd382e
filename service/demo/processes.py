"""The processes of the demo: foresense commands as a user would type them, and an MQTT broker."""

import shlex
import signal
import socket
import subprocess
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from edge.errors import ForesenseError

STOP_S = 15.0


def run(folder: Path, console: Console, *arguments: str) -> str:
    """Run a foresense command in the folder, shown as a user would type it, and return what it printed."""
    console.print(f"[bold]$ foresense {shlex.join(arguments)}[/]", highlight=False, soft_wrap=True)
    done = subprocess.run([_foresense(), *arguments], cwd=folder, stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise ForesenseError(f"demo: expected foresense {arguments[0]} to succeed, got exit code {done.returncode}")
    return done.stdout


def _foresense() -> str:
    return str(Path(sysconfig.get_path("scripts")) / "foresense")


def free_port() -> int:
    """Return a loopback port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def broker() -> Iterator[int]:
    """Run an embedded MQTT broker on a free loopback port."""
    from iotcore import Broker

    port = free_port()
    with Broker(port=port, listen="127.0.0.1"):
        yield port


@contextmanager
def service(folder: Path, console: Console) -> Iterator[None]:
    """Run `foresense serve` as a process of its own, its log in a file."""
    console.print("[bold]$ foresense serve foresense.yaml[/]", highlight=False)
    with (folder / "service.log").open("w") as log:
        process = subprocess.Popen([_foresense(), "serve", "foresense.yaml"], cwd=folder, stdout=log, stderr=log)  # noqa: S603
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
