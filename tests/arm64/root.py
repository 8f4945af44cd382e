"""An arm64 Debian's Python in a folder, with Foresense and its wheels: what a 64-bit Raspberry Pi has.

Debian's packages are fetched with a state of apt of our own, so the machine's is neither needed nor touched, and are
only unpacked; the wheels are those that pip chooses for an arm64 machine. qemu executes it, one process at a time.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

PACKAGES = ("python3", "libstdc++6", "tzdata")
APT = """
APT::Architecture "arm64";
APT::Architectures {{ "arm64"; }};
Acquire::Languages "none";
Dir::State "{apt}";
Dir::State::status "{apt}/status";
Dir::Cache "{apt}/cache";
Dir::Log "{apt}";
APT::Sandbox::User "";
"""
#: what the C libraries of both runtimes read of a Raspberry Pi 4; without it they crash
CORE = """processor\t: {core}
BogoMIPS\t: 108.00
Features\t: fp asimd evtstrm crc32 cpuid
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x0
CPU part\t: 0xd08
CPU revision\t: 3

"""
#: the C libraries of Debian 12 and 13 are newer than all of these
PLATFORMS = ("manylinux2014_aarch64", "manylinux_2_27_aarch64", "manylinux_2_28_aarch64")
CONSTRAINTS = Path(__file__).parents[2] / "deploy" / "constraints.txt"


def call(*words: object, **environment: str) -> str:
    """Return what a command prints; what it complains of is part of the error if it fails."""
    done = subprocess.run([*map(str, words)], env=os.environ | environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{words[0]}: {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return done.stdout


def install_wheels(folder: Path, what: str, python: str, *options: str) -> str:
    """Install into a folder what pip would on an arm64 machine with a Python such as "3.11", from wheels only."""
    return call(
        *(sys.executable, "-m", "pip", "install", "--quiet", "--only-binary=:all:", "--target", folder),
        *(word for platform in PLATFORMS for word in ("--platform", platform)),
        *("--python-version", python, "--implementation", "cp", "--constraint", CONSTRAINTS, *options, what),
    )


class Root:
    """A folder that becomes the root of an arm64 machine, as far as Python needs one."""

    def __init__(self, folder: Path) -> None:
        self._apt, self._root, self._site = (folder / name for name in ("apt", "root", "site"))

    def build(self, wheel: Path) -> None:
        """Unpack Debian's Python of this machine's release, and install a wheel of Foresense."""
        self._fetch_packages()
        for package in self._apt.glob("cache/archives/*.deb"):
            call("dpkg-deb", "--extract", package, self._root)
        cores = self._root / "proc" / "cpuinfo"
        cores.parent.mkdir()
        cores.write_text("".join(CORE.format(core=core) for core in range(4)))
        version = re.match(r"Python (3\.\d+)", self.python("--version"))
        assert version is not None
        install_wheels(self._site, f"foresense[onnx,litert] @ {wheel.as_uri()}", version[1])

    def python(self, *words: object) -> str:
        """Return what its Python prints."""
        qemu = ("qemu-aarch64-static", "-cpu", "cortex-a72", "-L", self._root, "-E", f"PYTHONPATH={self._site}")
        return call(*qemu, self._root / "usr" / "bin" / "python3", *words)

    def _fetch_packages(self) -> None:
        for name in ("lists/partial", "cache/archives/partial"):
            (self._apt / name).mkdir(parents=True)
        (self._apt / "status").touch()
        configuration = self._apt / "apt.conf"
        configuration.write_text(APT.format(apt=self._apt))
        for words in (("update",), ("install", "--download-only", "--yes", "--no-install-recommends", *PACKAGES)):
            call("apt-get", *words, APT_CONFIG=str(configuration))
