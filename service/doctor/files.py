"""Files: whether secrets are secret, and whether the service may write where it must."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from service.brokers.broker import BrokerSettings, place
from service.doctor.finding import Finding, fail, ok, warn
from service.settings import Settings

_OTHERS_READ = stat.S_IRGRP | stat.S_IROTH
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def look_at_files(path: Path, settings: Settings) -> Iterator[Finding]:
    """Look at the permissions of the configuration, the secrets, the bundles and the database's folder."""
    yield from _not_written_by_others("configuration", path)
    for name, broker in settings.connections.items():
        for setting, secret in secret_files(broker).items():
            yield _is_secret(f"{place(name)}.{setting}", secret)
    for name, told in settings.notifications.items():
        if told.urls_file is not None:
            yield _is_secret(f"notifications.{name}.urls_file", told.urls_file)
    yield from _not_written_by_others("bundles", settings.bundles)
    yield _can_be_written(settings.database)


def secret_files(broker: BrokerSettings) -> dict[str, Path]:
    """Return the files of a broker's settings that only the service may read, by setting."""
    files = {"username_file": broker.username_file, "password_file": broker.password_file}
    if broker.tls is not None:
        # a key that is in the certificate's file makes that a secret
        files["tls.key_file"] = broker.tls.key_file or broker.tls.certificate_file
        files["tls.key_password_file"] = broker.tls.key_password_file
    return {name: path for name, path in files.items() if path is not None}


def _is_secret(subject: str, path: Path) -> Finding:
    if (mode := _mode(path)) is None:
        return fail(subject, f"{path} cannot be read", "put it there, readable for the service")
    if mode & _OTHERS_READ:
        return warn(subject, f"{path} can be read by others than its owner", f"chmod 600 {path}")
    return ok(subject, f"{path} is read by its owner only")


def _not_written_by_others(subject: str, path: Path) -> Iterator[Finding]:
    mode = _mode(path)
    if mode is not None and mode & _OTHERS_WRITE:
        yield warn(subject, f"{path} can be written by others than its owner", f"chmod go-w {path}")


def _can_be_written(database: Path) -> Finding:
    folder = database.parent
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not os.access(folder, os.W_OK | os.X_OK):
        return fail("database", f"{folder} cannot be written", "give it to the user of the service, or set `database`")
    if database.exists() and not os.access(database, os.R_OK | os.W_OK):
        return fail("database", f"{database} cannot be written", "give it to the user of the service")
    return ok("database", f"{database} can be written")


def _mode(path: Path) -> int | None:
    try:
        return path.stat().st_mode
    except OSError:
        return None
