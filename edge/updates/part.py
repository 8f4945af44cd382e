"""Updates as a part of the device's program: one updater for each bundle that its monitors run."""

import logging
import time
from collections.abc import Sequence

from edge.agent.part import Health, Host
from edge.updates.chunk import Request
from edge.updates.document import NAME
from edge.updates.installation import Installation
from edge.updates.keys import Keyring
from edge.updates.ledger import Ledger, State
from edge.updates.orders import Orders
from edge.updates.report import BundleReport, DeviceReport, bundle_report
from edge.updates.rules import agent_release
from edge.updates.settings import UpdateSettings
from edge.updates.topics import DeviceTopics
from edge.updates.updater import Updater

log = logging.getLogger(__name__)

REPORT_S = 60.0  #: at least so often a device says how it is
_MOST_REFUSALS = 16  # that are told of at a time


class Updates:
    """Takes orders and parts of files from the broker, and tells it how far the updates are."""

    def __init__(self, settings: UpdateSettings, device: str, prefix: str, runtime: str | None = None) -> None:
        self._settings = settings
        self._device = device
        self._runtime = runtime
        self._topics = DeviceTopics(prefix, device)
        self.filters: Sequence[str] = (self._topics.order("+"), self._topics.chunk)
        self._updaters: dict[str, Updater] = {}
        self._refusals: dict[str, BundleReport] = {}
        self._host: Host | None = None
        self._report_at_s = 0.0  # monotonic
        self._was_connected = False

    def start(self, host: Host) -> None:
        """Put in charge what shall be; before the bundles are opened. ConfigError if the keyring cannot be used."""
        keyring, healthy_s = self._settings.keyring, self._settings.healthy_ms / 1000
        Keyring.read(keyring)
        for name in sorted(set(host.monitors().values())):
            orders = Orders(self._device, name, keyring)
            updater = Updater(Installation(host.bundles / name), orders, keyring, self._send, healthy_s, self._runtime)
            updater.start(host)
            updater.on_change = self._report  # from now on: the host is not open yet
            self._updaters[name] = updater
        self._host = host

    def cannot_open(self, bundle: str, instead: str, reason: str) -> None:
        """Take note that the version of a bundle in charge cannot be opened, what goes on instead, and why."""
        self._updaters[bundle].cannot_open(instead, reason)

    def on_message(self, topic: str, payload: bytes) -> None:
        """Take a message on one of the filters."""
        if topic == self._topics.chunk:
            for updater in self._updaters.values():
                updater.take_chunk(payload)
            return
        name = topic.rpartition("/")[2]
        if name in self._updaters:
            self._updaters[name].take_order(payload)
            self._updaters[name].turn()
        else:
            self._refuse(name, payload)

    def turn(self) -> None:
        """Do what is due; about once a second."""
        for updater in self._updaters.values():
            updater.turn()
        is_connected = self._host is not None and self._host.is_connected
        if time.monotonic() >= self._report_at_s or (is_connected and not self._was_connected):
            self._report()
        self._was_connected = is_connected

    def stop(self) -> None:
        """End what is going on; it goes on with the next start."""
        for updater in self._updaters.values():
            updater.stop()

    def _refuse(self, name: str, payload: bytes) -> None:
        """Say that no monitor runs a bundle; what is no order to this device, and the end of one, are passed over."""
        self._refusals.pop(name, None)
        if not payload or not NAME.fullmatch(name):
            return
        orders = Orders(self._device, name, self._settings.keyring)
        orders.take(payload, Ledger())
        if (order := orders.next(State.NONE)) is not None and len(self._refusals) < _MOST_REFUSALS:
            reason = f"expected a bundle that a monitor of this device runs ({', '.join(self._updaters)}), got {name}"
            self._refusals[name] = BundleReport(
                state="FAILED", version=order.version, deployment=order.deployment, order=order.id, reason=reason
            )
            self._report()

    def _send(self, request: Request) -> None:
        if self._host is not None:
            self._host.publish(self._topics.request, request.to_bytes())

    def _report(self) -> None:
        if self._host is None:
            return
        self._report_at_s = time.monotonic() + REPORT_S
        bundles = dict(self._refusals)
        for name, updater in self._updaters.items():
            bundles[name] = bundle_report(updater, self._health(name))
        now_ms = round(time.time() * 1000)
        report = DeviceReport(self._device, self._settings.groups, agent_release(), now_ms, bundles)
        self._host.publish(self._topics.state, report.to_bytes(), retain=True)

    def _health(self, name: str) -> list[Health]:
        """Return the health of the monitors that run a bundle, as far as they are open."""
        host = self._host
        if host is None:
            return []
        return [host.health(monitor) for monitor, bundle in host.monitors().items() if bundle == name]
