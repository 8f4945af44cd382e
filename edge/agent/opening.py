"""Opening: bundles to monitors, and addresses to sources; nothing runs yet."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from edge.agent.bundles import before, in_charge
from edge.agent.monitor import Monitor
from edge.agent.settings import MonitorSettings, Settings
from edge.brokers.broker import check_files
from edge.bundle import SEAL, Bundle
from edge.duration import parse_duration
from edge.errors import BundleError, ForesenseError
from edge.inbox import Inbox
from edge.runtimes import Runtime, open_runtime
from edge.sources.address import Address
from edge.sources.function import FunctionSource, load_function
from edge.sources.lines import LineSource, open_file, open_serial, open_stdin
from edge.sources.listener import Listener
from edge.sources.source import Source
from edge.updates.keys import Keyring
from edge.updates.signature import read_signed_bundle


class Bundles:
    """Opens bundles, each proven once by its golden verdicts, and one runtime for all that have the same step."""

    def __init__(self, settings: Settings, is_proven: Callable[[str], bool]) -> None:
        self._settings = settings
        self._is_proven = is_proven
        self._runtimes: dict[str, Runtime] = {}  # by the digests of the steps
        self._steps: dict[str, str] = {}  # these, by monitor
        self.proven: dict[str, str] = {}  #: monitor -> seal of its bundle and the runtime it was proven in

    def open_sound(self, name: str) -> tuple[Monitor, str]:
        """Return a monitor with its bundle in charge and '', or with the one before that can be opened, and why.

        BundleError, which says what is wrong with the one in charge, if none can be.
        """
        reference = self._settings.monitors[name].bundle
        path = in_charge(self._settings.bundles, reference)
        try:
            return self.open(name, path), ""
        except BundleError as error:
            for each in before(path, reference):
                with suppress(ForesenseError):
                    return self.open(name, each), str(error)
            raise

    def open(self, name: str, path: Path) -> Monitor:
        """Return a monitor with the bundle in a folder; ForesenseError if it may not be trusted."""
        try:
            return self._open(name, path)
        except OSError as error:
            raise BundleError(f"{path}: expected a folder that can be read, got: {error.strerror or error}") from error

    def _open(self, name: str, path: Path) -> Monitor:
        settings = self._settings.monitors[name]
        updates = self._settings.updates
        keyring = Keyring.read(updates.keyring) if updates else None
        bundle = read_signed_bundle(path, keyring)
        seal = f"{(bundle.path / SEAL).read_text()} {self._settings.runtime or ''}"
        if seal not in self.proven.values() and not self._is_proven(seal):
            from edge.golden import self_test  # which a start with bundles that are proven does without

            self_test(bundle, self._settings.runtime)
        step = " ".join(each.sha256 for file, each in sorted(bundle.manifest.files.items()) if file.startswith("step."))
        runtime = self._runtimes.get(step) or open_runtime(bundle.files, self._settings.runtime)
        monitor = Monitor(name, settings, _light(bundle), runtime, self._settings.name)
        self.proven[name], self._steps[name] = seal, step
        self._runtimes[step] = runtime
        self._runtimes = {each: self._runtimes[each] for each in self._steps.values()}  # not those of bundles before
        return monitor


@dataclass(slots=True)
class Opened:
    """The monitors that can be opened, and all that is wrong."""

    monitors: list[Monitor] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)  #: all of them, a sentence each
    unusable: dict[str, str] = field(default_factory=dict)  #: of these: monitor -> what is wrong with its bundle

    @property
    def is_enough(self) -> bool:
        """Whether there is a monitor, and nothing but bundles is wrong."""
        return bool(self.monitors) and len(self.problems) == len(self.unusable)

    def version(self, name: str) -> str:
        """Return the version of a monitor's bundle, '' if none could be opened."""
        return next((each.bundle.manifest.version for each in self.monitors if each.name == name), "")


def open_monitors(path: Path, settings: Settings, bundles: Bundles) -> Opened:
    """Open the monitors, each with the newest bundle for it that can be, and look at the files of the brokers."""
    opened = Opened()
    for name, each in settings.monitors.items():
        try:
            monitor, why = bundles.open_sound(name)
            opened.monitors.append(monitor)
        except BundleError as error:
            why = str(error)
        except ForesenseError as error:
            opened.problems.append(f"{path}: monitors.{name}: {error}")
            continue
        if why:
            opened.unusable[name] = why
            opened.problems.append(f"{path}: monitors.{name}: {why}")
        if each.source and (address := Address.parse(each.source)).kind == "function":
            try:
                load_function(address.place, path.parent)
            except ForesenseError as error:
                opened.problems.append(f"{path}: monitors.{name}: {error}")
    for name, broker in settings.connections.items():
        try:
            check_files(broker)
        except ForesenseError as error:
            opened.problems.append(f"{path}: {f'brokers.{name}' if name else 'broker'}.{error}")
    return opened


def open_source(
    folder: Path, monitor: Monitor, inbox: Inbox, listener: Listener, now_ms: Callable[[], int], place: int
) -> Source:
    """Return the source of a monitor that has one; a file is read on at its place."""
    settings: MonitorSettings = monitor.settings
    address, name = Address.parse(settings.source), source_name(monitor.name)
    match address.kind:
        case "stdin":
            return LineSource(name, inbox, listener, now_ms, open_stdin, ends=True)
        case "file":
            return LineSource(name, inbox, listener, now_ms, lambda: open_file(folder / address.place), place=place)
        case "serial":
            opening = partial(open_serial, Path(address.place), settings.baud)
            return LineSource(name, inbox, listener, now_ms, opening, joins=True)
    every_ms = parse_duration(settings.every) if settings.every else monitor.bundle.manifest.interval_ms
    read = load_function(address.place, folder)
    return FunctionSource(name, inbox, now_ms, read, every_ms / 1000)


def filters_of(monitors: Iterable[Monitor]) -> dict[str, list[str]]:
    """Return what monitors follow, by the name of the broker."""
    filters: dict[str, list[str]] = {}
    for monitor in monitors:
        if monitor.template is not None:
            filters.setdefault(monitor.settings.broker, []).append(monitor.template.filter)
    return filters


def source_name(monitor: str) -> str:
    """Return what messages of a monitor's source say they are from; no broker has such a name."""
    return f"source of {monitor}"


def _light(bundle: Bundle) -> Bundle:
    """Return a bundle without its files' bytes, which nothing needs once it is open."""
    return replace(bundle, files={})
