"""TLS: contexts from certificates and keys in files. The server's certificate and its name are always checked."""

import ssl
from pathlib import Path

from edge.errors import ConfigError
from edge.secret import read_secret


def open_context(ca_file: Path | None) -> ssl.SSLContext:
    """Return what makes connections to servers of an authority (None: those that this system trusts), or ConfigError.

    The file is PEM.
    """
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"ca_file: {ca_file}: expected certificates of authorities (PEM), got: {_words(error)}"
        ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def identify(
    context: ssl.SSLContext,
    certificate_file: Path,
    key_file: Path | None,
    key_password_file: Path | None,
    advice: str = "one that is encrypted needs key_password_file",
) -> None:
    """Read our own certificate anew, as it may have been renewed; ConfigError if it cannot be used.

    Without a `key_file` the key is in `certificate_file`; `advice` is for a key that is encrypted.
    """
    password = read_secret(key_password_file) if key_password_file else ""
    try:
        context.load_cert_chain(certificate_file, key_file, lambda: password)
    except (OSError, ssl.SSLError, ValueError) as error:
        files = " and ".join(str(path) for path in (certificate_file, key_file) if path)
        hint = "" if password else f" ({advice})"
        raise ConfigError(
            f"certificate_file: {files}: expected a certificate and its key (PEM){hint}, got: {_words(error)}"
        ) from error


def check_fit(certificate_file: Path | None, **others: Path | None) -> None:
    """ValueError if there are files that only a certificate of ours has a use for, and there is none."""
    for name, path in others.items():
        if path is not None and certificate_file is None:
            raise ValueError(f"expected certificate_file beside {name}, got none")


def _words(error: Exception) -> str:
    """Return what OpenSSL or the system says, in words."""
    if isinstance(error, ssl.SSLError):
        return (error.reason or "no PEM").lower().replace("_", " ")
    return getattr(error, "strerror", None) or str(error)
