"""The charge: has the host run the version that is in charge, and watches how it does while it is on trial."""

from pathlib import Path

from edge.agent.part import Host
from edge.errors import ForesenseError
from edge.updates.keys import Keyring
from edge.updates.probation import Probation
from edge.updates.signature import read_signed_bundle


class Charge:
    """One bundle on the host: the monitors that follow it, and the probation of the version that they run."""

    def __init__(self, bundle: str, keyring: Path, healthy_s: float) -> None:
        self._bundle = bundle
        self._keyring = keyring
        self._healthy_s = healthy_s
        self._host: Host | None = None
        self._probation: Probation | None = None

    def start(self, host: Host) -> None:
        """Begin, on a host."""
        self._host = host

    def begin_probation(self, path: Path) -> None:
        """Put the version in a folder on trial; ForesenseError if it may not be trusted."""
        bundle = read_signed_bundle(path, Keyring.read(self._keyring))
        self._probation = Probation(bundle.reference, self._healthy_s, bundle.manifest.interval_ms / 1000)

    def may_stay(self) -> bool:
        """Whether the version on trial has done well for long enough; BundleError if it must go."""
        if self._host is None or self._probation is None:
            return False
        return self._probation.may_stay([self._host.health(monitor) for monitor in self._monitors()])

    def switch(self, path: Path) -> str:
        """Have the host run the version in a folder; return why it does not, '' if it does."""
        if self._host is None:
            return ""
        for monitor in self._monitors():
            try:
                self._host.switch(monitor, path)
            except ForesenseError as error:
                return f"{monitor}: {error}"
        return ""

    def _monitors(self) -> list[str]:
        monitors = self._host.monitors().items() if self._host else ()
        return [monitor for monitor, bundle in monitors if bundle == self._bundle]
