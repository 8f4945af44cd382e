"""TLS: whom we trust, and who we are. The server's certificate and its name are always checked."""

import ssl
from pathlib import Path
from typing import Self

from pydantic import model_validator

from edge.brokers import tls
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
        context = tls.open_context(self.ca_file)
        self.identify(context)
        return context

    def identify(self, context: ssl.SSLContext) -> None:
        """Read our own certificate anew, as it may have been renewed; ConfigError if it cannot be used."""
        if self.certificate_file is not None:
            tls.identify(context, self.certificate_file, self.key_file, self.key_password_file)

    @model_validator(mode="after")
    def _belong_together(self) -> Self:
        tls.check_fit(self.certificate_file, key_file=self.key_file, key_password_file=self.key_password_file)
        return self
