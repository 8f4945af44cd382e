"""Opening: from the settings to what they name: bundles, certificates, secrets; nothing is connected to yet."""

from pathlib import Path
from typing import NamedTuple

from edge.errors import ForesenseError
from edge.runtimes import open_runtime
from service.alarms.maintenance import Maintenance
from service.brokers.broker import place
from service.notifications.opening import Notification, open_notifications
from service.pipeline.monitor import Monitor
from service.registry import Registry
from service.relays.opening import ServerSink, open_sinks
from service.settings import Settings


class Opened(NamedTuple):
    """What can be opened of a configuration, and what is wrong with the rest, a sentence each."""

    monitors: list[Monitor]
    sinks: list[ServerSink]
    notifications: list[Notification]
    problems: list[str]


def open_parts(path: Path, settings: Settings, registry: Registry | None = None) -> Opened:
    """Open all that a service needs besides its database; `path` is the configuration file, for what is told."""
    monitors, problems = open_monitors(path, settings, registry)
    sinks, others = open_sinks(settings.sinks)
    notifications, more = open_notifications(settings.notifications, settings.database)
    problems += [f"{path}: {problem}" for problem in others + more]
    try:
        if settings.http is not None:
            settings.http.check_files()
    except ForesenseError as error:
        problems.append(f"{path}: http.{error}")
    return Opened(monitors, sinks, notifications, problems)


def open_monitors(path: Path, settings: Settings, registry: Registry | None = None) -> tuple[list[Monitor], list[str]]:
    """Return the monitors that can be opened, and what is wrong with the others."""
    registry = registry or Registry(settings.bundles)
    monitors: list[Monitor] = []
    problems: list[str] = []
    maintenance = None
    try:
        maintenance = Maintenance(settings.maintenance)
    except ForesenseError as error:
        problems.append(f"{path}: maintenance: {error}")
    for name, monitor in settings.monitors.items():
        try:
            bundle = registry.get(monitor.bundle)
            runtime, publish_to = open_runtime(bundle.files), settings.publishes_to(name)
            monitors.append(Monitor(name, monitor, bundle, runtime, maintenance, publish_to))
        except ForesenseError as error:
            problems.append(f"{path}: monitors.{name}: {error}")
    for name, broker in settings.connections.items():
        try:
            broker.check_files()
        except ForesenseError as error:
            problems.append(f"{path}: {place(name)}.{error}")
    return monitors, problems
