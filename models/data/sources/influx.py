"""InfluxDB, by InfluxQL: the one language that 1.x, 2.x (with a DBRP mapping) and 3 answer at /query."""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

import numpy as np

from edge.errors import ConfigError, DataError
from edge.reading import Readings
from models.data.sources.source import Block

_TIMEOUT_S = 60.0  # without a byte
_CHUNK_ROWS = 10_000
_LONGEST_ANSWER = 300  # characters of an error that are shown
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True, slots=True)
class Credentials:
    """What proves who asks; either a token, or a user and a password."""

    token: str | None = None
    user: str | None = None
    password: str = ""

    def headers(self) -> dict[str, str]:
        """Return the header of a request."""
        if self.token is not None:
            return {"Authorization": f"Token {self.token}"}
        if self.user is not None:
            pair = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
            return {"Authorization": f"Basic {pair}"}
        return {}


@dataclass(frozen=True, slots=True)
class Influx:
    """The fields of one measurement; a tag tells the streams apart."""

    url: str  #: such as http://localhost:8086
    database: str
    measurement: str
    channels: tuple[str, ...]  #: fields
    device: str | None = None  #: a tag; without one the measurement is one stream
    stream: str | None = None  #: that stream's name; the measurement's if none
    start_ms: int | None = None
    end_ms: int | None = None
    credentials: Credentials = Credentials()

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ConfigError(f"expected a URL such as http://localhost:8086, got {self.url!r}")
        if self.device is not None and self.stream is not None:
            raise ConfigError(f"--stream: expected it only where no tag tells streams apart, got {self.device!r} too")
        if parts.username is not None:
            raise ConfigError("expected --user and --password-file, got a user in the URL")
        if self.credentials != Credentials() and parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            raise ConfigError(
                f"expected an https URL, as a password or token would cross the network unencrypted, got {self.url!r}"
            )

    @property
    def label(self) -> str:
        """Return where the data is."""
        return f"{self.url} {self.database}.{self.measurement}"

    def blocks(self) -> Iterator[Block]:
        """Yield what the server sends, chunk by chunk: one series after the other, each in order of time."""
        names: dict[str, int] = {}
        for series in self._series(self._query()):
            yield self._block(series, names)
        if not names:
            there = [row[0] for each in self._series("SHOW MEASUREMENTS") for row in each["values"]]
            raise DataError(
                f"{self.label}: expected readings of {', '.join(self.channels)}, got none; "
                f"the measurements there are {', '.join(map(repr, there[:20])) or 'none'}"
            )

    def _block(self, series: Mapping[str, Any], names: dict[str, int]) -> Block:
        name = series.get("tags", {}).get(self.device) if self.device else self.stream or self.measurement
        if not name:
            raise DataError(f"{self.label}: expected a tag {self.device!r} on every point, got points without it")
        row = names.setdefault(name, len(names))
        rows = series["values"]
        try:
            value = np.array([each[1:] for each in rows], np.float64)
        except (TypeError, ValueError) as error:
            raise DataError(f"{self.label}: {name}: expected fields that are numbers, got: {error}") from error
        at, channel = np.nonzero(~np.isnan(value))
        time = np.array([each[0] for each in rows], np.int64)
        readings = Readings(np.full(len(at), row, np.int32), channel.astype(np.int16), time[at], value[at, channel])
        return Block(list(names), readings, len(rows), value.size - len(at))

    def _query(self) -> str:
        fields = ", ".join(map(_identifier, self.channels))
        period = [f"time >= {self.start_ms}ms"] * (self.start_ms is not None)
        period += [f"time < {self.end_ms}ms"] * (self.end_ms is not None)
        where = f" WHERE {' AND '.join(period)}" if period else ""
        group = f" GROUP BY {_identifier(self.device)}" if self.device else ""
        return f"SELECT {fields} FROM {_identifier(self.measurement)}{where}{group}"  # noqa: S608

    def _series(self, query: str) -> Iterator[dict[str, Any]]:
        """Yield the series of an answer, one chunk after the other."""
        for answer in self._answers(query):
            for result in [answer, *answer.get("results", [])]:
                if error := result.get("error"):
                    raise DataError(f"{self.label}: expected an answer to {query!r}, got: {error}")
                yield from result.get("series", [])

    def _answers(self, query: str) -> Iterator[dict[str, Any]]:
        asked = {"db": self.database, "q": query, "epoch": "ms", "chunked": "true", "chunk_size": _CHUNK_ROWS}
        request = Request(  # noqa: S310  the scheme has been checked
            f"{self.url.rstrip('/')}/query",
            urlencode(asked).encode(),
            {"Accept": "application/json", **self.credentials.headers()},
        )
        try:
            with build_opener(_NoRedirect).open(request, timeout=_TIMEOUT_S) as response:
                for line in response:
                    if line.strip():
                        yield json.loads(line)
        except HTTPError as error:
            raise DataError(f"{self.label}: expected an answer, got {error.code} {_said(error)}") from error
        except (OSError, HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise DataError(f"{self.url}: expected an InfluxDB server, got: {reason}") from error
        except ValueError as error:
            raise DataError(
                f"{self.url}: expected an InfluxDB server, got an answer that is no JSON: {error}"
            ) from error


class _NoRedirect(HTTPRedirectHandler):
    """Follows no redirection: the credentials would go along."""

    def redirect_request(self, *_: Any) -> None:
        """Return no request, which makes of the redirection an error."""


def _identifier(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _said(error: HTTPError) -> str:
    """Return the server's own words about an error."""
    text = error.read(10_000).decode("utf-8", "replace").strip()
    try:
        message = json.loads(text)
        text = str(message.get("error") or message.get("message") or text)
    except (ValueError, AttributeError):
        pass
    return text[:_LONGEST_ANSWER] or error.reason
