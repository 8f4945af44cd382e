"""A broker: how to reach it, and who we are there."""

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from edge.brokers import broker
from edge.brokers.broker import Credentials
from edge.brokers.loopback import is_loopback
from service.brokers.tls import TlsSettings
from service.part import Part


class BrokerSettings(Part):
    """How to reach an MQTT broker."""

    host: str = Field(default="localhost", min_length=1, max_length=253)
    port: int = Field(default=1883, ge=1, le=65535)
    protocol: Literal[5, "3.1.1"] = 5
    client_id: str = Field(default="foresense", min_length=1, max_length=64)
    keepalive: int = Field(default=30, ge=5, le=3600)  #: seconds
    transport: Literal["tcp", "websockets"] = "tcp"
    path: str = Field(default="/mqtt", pattern=r"^/[!-~]*$")  #: of the websocket
    tls: TlsSettings | None = None
    username: str | None = None
    username_file: Path | None = None  #: where a token takes the name's place
    password_file: Path | None = None
    insecure: bool = False  #: secrets may cross the network unencrypted

    @property
    def is_loopback(self) -> bool:
        """Whether what is sent to the broker stays on this machine."""
        return is_loopback(self.host)

    @property
    def address(self) -> str:
        """Return where the broker is, such as mqtts://plant.example:8883."""
        return broker.address(self)

    def credentials(self) -> Credentials:
        """Return the name and the password as their files have them now; ConfigError if one cannot be read."""
        return broker.credentials(self)

    def check_files(self) -> None:
        """Read every file that a connection needs; ConfigError if one is not as it must be."""
        broker.check_files(self)

    def relative_to(self, folder: Path) -> Self:
        """Return the settings with relative paths taken from a folder."""
        files = ("username_file", "password_file")
        update: dict[str, Any] = {name: folder / path for name in files if (path := getattr(self, name)) is not None}
        return self.model_copy(update=update | {"tls": self.tls and self.tls.relative_to(folder)})

    @field_validator("host")
    @classmethod
    def _is_a_host(cls, host: str) -> str:
        return broker.check_host(host)

    @field_validator("tls", mode="before")
    @classmethod
    def _may_be_on_or_off(cls, raw: Any) -> Any:
        return {True: TlsSettings(), False: None}[raw] if isinstance(raw, bool) else raw

    @model_validator(mode="before")
    @classmethod
    def _has_the_usual_port(cls, raw: Any) -> Any:
        if not isinstance(raw, dict) or "port" in raw:
            return raw
        encrypted = raw.get("tls") not in (None, False)
        return {**raw, "port": broker.usual_port(str(raw.get("transport", "tcp")), encrypted)}

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        broker.check_fit(self, has_path="path" in self.model_fields_set)
        return self


def place(name: str) -> str:
    """Return what the configuration calls a broker.

    >>> place(""), place("north")
    ('broker', 'brokers.north')
    """
    return f"brokers.{name}" if name else "broker"
