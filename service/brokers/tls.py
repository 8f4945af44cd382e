"""TLS: whom we trust, and who we are. The server's certificate and its name are always checked."""

import ssl
from pathlib import Path
from typing import Self

from pydantic import model_validator

from edge.errors import ConfigError
from edge.secret import read_secret
from service.part import Part


class TlsSettings(Part):
    """Which authority the server's certificate is of, and our own certificate if the server asks for one."""

    ca_file: Path | None = None  #: PEM; None: the authorities that this system trusts
    certificate_file: Path | None = None  #: PEM, with the certificates between it and the authority's
    key_file: Path | None = None  #: PEM; None: the key is in certificate_file
    key_password_file: Path | None = None

    def relative_to(self, folder: Path) -> Self:
        """Return the settings with relative paths taken from a folder."""
        return self.model_copy(update={name: folder / path for name, path in self if path is not None})

    def context(self) -> ssl.SSLContext:
        """Return what makes connections of these settings; ConfigError if a file is not as it must be."""
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(
                f"ca_file: {self.ca_file}: expected certificates of authorities (PEM), got: {_words(error)}"
            ) from error
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.identify(context)
        return context

    def identify(self, context: ssl.SSLContext) -> None:
        """Read our own certificate anew, as it may have been renewed; ConfigError if it cannot be used."""
        if self.certificate_file is None:
            return
        password = read_secret(self.key_password_file) if self.key_password_file else ""
        try:
            context.load_cert_chain(self.certificate_file, self.key_file, lambda: password)
        except (OSError, ssl.SSLError, ValueError) as error:
            files = " and ".join(str(path) for path in (self.certificate_file, self.key_file) if path)
            hint = "" if password else " (one that is encrypted needs key_password_file)"
            raise ConfigError(
                f"certificate_file: {files}: expected a certificate and its key (PEM){hint}, got: {_words(error)}"
            ) from error

    @model_validator(mode="after")
    def _belong_together(self) -> Self:
        for name in ("key_file", "key_password_file"):
            if getattr(self, name) is not None and self.certificate_file is None:
                raise ValueError(f"expected certificate_file beside {name}, got none")
        return self


def _words(error: Exception) -> str:
    """Return what OpenSSL or the system says, in words."""
    if isinstance(error, ssl.SSLError):
        return (error.reason or "no PEM").lower().replace("_", " ")
    return getattr(error, "strerror", None) or str(error)
