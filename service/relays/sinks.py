"""Sinks: where else than to the broker alarms, incidents and verdicts are delivered, by name."""

import re
import ssl
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from edge.brokers.loopback import is_loopback
from edge.errors import ConfigError
from service.brokers.tls import TlsSettings
from service.part import Part


def _url(text: str) -> str:
    """Return the URL of a server; what is wrong with it is told without what it may hold of a secret."""
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"expected a URL such as https://plant.example:8086, got one of {parts.scheme or 'no'!r}")
    if parts.username is not None or parts.password is not None:
        raise ValueError("expected a URL without a user and a password in it; files hold them")
    return text


def _sink_name(text: str) -> str:
    if not re.fullmatch(r"[\w-]+", text) or text == "mqtt":
        raise ValueError(f"expected a name of letters, digits, '-' and '_', other than mqtt, got {text!r}")
    return text


Url = Annotated[str, AfterValidator(_url)]
SinkName = Annotated[str, AfterValidator(_sink_name)]


class InfluxSettings(Part):
    """An InfluxDB, or what speaks its language: a database of 1.x by /write, or a bucket by /api/v2/write."""

    url: Url
    database: str | None = Field(default=None, min_length=1)
    user: str | None = Field(default=None, min_length=1)
    password_file: Path | None = None
    bucket: str | None = Field(default=None, min_length=1)
    org: str = ""
    token_file: Path | None = None
    verdicts: bool = True
    insecure: bool = False  #: a secret may cross the network unencrypted

    @model_validator(mode="after")
    def _is_of_one_version(self) -> Self:
        if (self.database is None) == (self.bucket is None):
            raise ValueError("expected either database (InfluxDB 1) or bucket (2 and 3), got both or neither")
        if self.database is not None and (self.org or self.token_file):
            raise ValueError("expected org and token_file only beside bucket; beside database, user and password_file")
        if self.bucket is not None and (self.user or self.password_file):
            raise ValueError("expected user and password_file only beside database; beside bucket, token_file")
        if (self.user is None) != (self.password_file is None):
            raise ValueError("expected both user and password_file, or neither, got one")
        return self

    @model_validator(mode="after")
    def _keep_the_secret(self) -> Self:
        parts = urlsplit(self.url)
        secret = "token_file" if self.token_file else "password_file" if self.password_file else None
        if secret and parts.scheme == "http" and not is_loopback(parts.hostname or "") and not self.insecure:
            raise ValueError(
                f"expected an https URL beside {secret}, as the secret would cross the network unencrypted, "
                f"got {self.url!r}; `insecure: true` allows it"
            )
        return self


class WebhookSettings(Part):
    """A server that is told of each alarm and incident by a signed POST."""

    url: Url
    secret_file: Path
    events: frozenset[Literal["alarms", "incidents"]] = Field(default=frozenset({"alarms", "incidents"}), min_length=1)
    least_severity: Literal["minor", "major", "critical"] = "minor"


class SinkSettings(Part):
    """One sink, how its server is reached, and how much may wait for it."""

    influx: InfluxSettings | None = None
    webhook: WebhookSettings | None = None
    tls: TlsSettings | None = None  #: None: of an https URL, whom this system trusts
    timeout_s: float = Field(default=10, gt=0, le=300)
    most_mb: int = Field(default=1024, ge=1)

    @property
    def most_bytes(self) -> int:
        """Return how many bytes may wait before verdicts are dropped."""
        return self.most_mb << 20

    def context(self) -> ssl.SSLContext:
        """Return what makes encrypted connections; ConfigError if a file is not as it must be."""
        try:
            return (self.tls or TlsSettings()).context()
        except ConfigError as error:
            raise ConfigError(f"tls.{error}") from error

    def relative_to(self, folder: Path) -> Self:
        """Return the settings with relative paths taken from a folder."""
        update: dict[str, Part | None] = {"tls": self.tls and self.tls.relative_to(folder)}
        for kind in ("influx", "webhook"):
            if (part := getattr(self, kind)) is not None:
                paths = {name: folder / path for name, path in part if isinstance(path, Path)}
                update[kind] = part.model_copy(update=paths)
        return self.model_copy(update=update)

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.influx is None) == (self.webhook is None):
            raise ValueError("expected either influx or webhook, got both or neither")
        part = self.influx or self.webhook
        if self.tls is not None and part is not None and urlsplit(part.url).scheme == "http":
            raise ValueError("expected tls only beside an https URL, got it beside one of http")
        return self
