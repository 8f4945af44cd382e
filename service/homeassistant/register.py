"""The register: which streams are devices of Home Assistant, which are yet to be announced, and which are no more."""

from collections.abc import Iterable, Mapping

from service.homeassistant.announced import Announced, Known
from service.homeassistant.device import Announcement, Device, Key, announcement, device_of
from service.homeassistant.outlet import Outlet
from service.pipeline.monitor import Monitor


class Register:
    """Compares the streams there are with what was announced; for one thread."""

    def __init__(self, announced: Announced, outlet: Outlet, discovery: str, prefix: str) -> None:
        self._announced = announced
        self._outlet = outlet
        self._discovery = discovery
        self._prefix = prefix
        self.begin_anew()

    def begin_anew(self) -> None:
        """Have all devices announced again, as they may have been forgotten."""
        self.devices: dict[Key, Device] = {}
        self.keys: dict[str, Key] = {}  #: by ident
        self.new: dict[Key, None] = {}  #: to be announced, in this order
        self.gone: list[Known] = []  #: to be taken back

    def compare(self, streams: Iterable[Key], again: bool) -> None:
        """Find the devices that are new and those that are no more; `again`: the others may be otherwise."""
        wanted = {
            key: self.devices.get(key) or device_of(key, self._discovery, self._prefix) for key in sorted(streams)
        }
        self.new = {key: None for key in self.new if key in wanted}
        self.new |= dict.fromkeys(key for key in wanted if again or key not in self.devices)
        self.devices = wanted
        self.keys = {device.ident: key for key, device in wanted.items()}
        configs = {device.config for device in wanted.values()}
        self.gone = [known for config, known in self._announced.known.items() if config not in configs]

    def announce(self, monitors: Mapping[str, Monitor], most: int) -> list[Key]:
        """Announce some of the new devices, and return their streams; entities they had before are taken back."""
        keys = list(self.new)[:most]
        told = [(self.devices[key], self._announcement(key, monitors[key[0]], {})) for key in keys]
        before = [self._components(device) for device, _ in told]
        # noted before it is told, so that it can be taken back whatever happens
        self._announced.note(
            Known(device.config, device.base, {**had, **plain.components})
            for (device, plain), had in zip(told, before, strict=True)
        )
        for key, (device, plain), had in zip(keys, told, before, strict=True):
            del self.new[key]
            if gone := {name: platform for name, platform in had.items() if name not in plain.components}:
                self._outlet.say(device.config, self._announcement(key, monitors[key[0]], gone).body)
            self._outlet.say(device.config, plain.body, note=Known(device.config, device.base, plain.components))
        return keys

    def take_back(self, most: int) -> None:
        """Take back some of the devices that are no more, and what is retained on their topics."""
        for known in self.gone[:most]:
            device = Device("", known.config, known.base)
            self._outlet.say(known.config, b"")
            self._outlet.say(device.state, b"")
            self._outlet.say(device.availability, b"", forget=known.config)
        self.gone = self.gone[most:]

    def _announcement(self, key: Key, monitor: Monitor, gone: Mapping[str, str]) -> Announcement:
        bundle = monitor.bundle
        return announcement(self.devices[key], key, self._prefix, bundle.manifest.channels, bundle.reference, gone)

    def _components(self, device: Device) -> dict[str, str]:
        """Return the entities that a device was announced with before."""
        known = self._announced.known.get(device.config)
        return dict(known.components) if known else {}
