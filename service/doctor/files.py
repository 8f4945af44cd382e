"""Files: whether secrets are secret, and whether the service may write where it must."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from service.brokers.broker import place
from service.brokers.tls import TlsSettings
from service.doctor.finding import Finding, fail, ok, warn
from service.settings import Settings

_OTHERS_READ = stat.S_IRGRP | stat.S_IROTH
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def look_at_files(path: Path, settings: Settings) -> Iterator[Finding]:
    """Look at the permissions of the configuration, the secrets, the bundles and the database's folder."""
    yield from _not_written_by_others("configuration", path)
    for setting, secret in secrets_of(settings).items():
        yield _is_secret(setting, secret)
    yield from _not_written_by_others("bundles", settings.bundles)
    yield _can_be_written(settings.database)


def secrets_of(settings: Settings) -> dict[str, Path]:
    """Return the files that only the service may read, by setting."""
    files: dict[str, Path | None] = {}
    for name, broker in settings.connections.items():
        files |= {f"{place(name)}.{each}": getattr(broker, each) for each in ("username_file", "password_file")}
        files |= _of_tls(place(name), broker.tls)
    for name, sink in settings.sinks.items():
        if sink.influx is not None:
            each_file = {each: getattr(sink.influx, each) for each in ("password_file", "token_file")}
            files |= {f"sinks.{name}.influx.{each}": file for each, file in each_file.items()}
        if sink.webhook is not None:
            files[f"sinks.{name}.webhook.secret_file"] = sink.webhook.secret_file
        files |= _of_tls(f"sinks.{name}", sink.tls)
    for name, told in settings.notifications.items():
        files[f"notifications.{name}.urls_file"] = told.urls_file
    if settings.http is not None and settings.http.tls is not None:
        files["http.tls.key_file"] = settings.http.tls.key_file or settings.http.tls.certificate_file
    return {setting: path for setting, path in files.items() if path is not None}


def _of_tls(where: str, tls: TlsSettings | None) -> dict[str, Path | None]:
    if tls is None:
        return {}
    # a key that is in the certificate's file makes that a secret
    key = tls.key_file or tls.certificate_file
    return {f"{where}.tls.key_file": key, f"{where}.tls.key_password_file": tls.key_password_file}


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
