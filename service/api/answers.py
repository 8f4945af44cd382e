"""Answers: JSON with an ETag, and what requests have in common: the source, times, pages."""

import hashlib
import time
from typing import Annotated, Any

import msgspec
from fastapi import Depends, Query, Request, Response

from edge.align import EARLIEST, LATEST
from service.api.problems import ProblemError
from service.api.source import Source
from service.desk.choice import moment
from service.desk.desk import Desk

_encode = msgspec.json.Encoder().encode


def _source(request: Request) -> Source:
    source: Source = request.app.state.source
    return source


FromSource = Annotated[Source, Depends(_source)]


def _who(request: Request) -> str:
    return str(request.scope["identity"].name)


Who = Annotated[str, Depends(_who)]  #: name of whoever asks


def _desk(source: FromSource, who: Who) -> Desk:
    return Desk(source.settings.database, who)


FromDesk = Annotated[Desk, Depends(_desk)]
Offset = Annotated[int, Query(ge=0, le=10_000_000, description="How many to leave out.")]
Limit = Annotated[int, Query(ge=1, le=1000, description="How many to tell at most.")]
TimeText = Annotated[
    str | None,
    Query(max_length=64, description="ISO 8601 (UTC where no offset is told), a day, or an epoch in s, ms, us or ns."),
]


def period(
    start: str | None, end: str | None, length_ms: int | None = None, newest_ms: int | None = None
) -> tuple[int, int]:
    """Return the times (UTC epoch, ms) of `from` and `to`; where `from` is not told, it is so long before `to`.

    Where `to` is not told, it is just after the newest time, or else now, or the end of time without a length.
    """
    now = time.time_ns() // 1_000_000
    to = moment("to", end, LATEST if length_ms is None else now if newest_ms is None else newest_ms + 1)
    begin = moment("from", start, max(to - length_ms, EARLIEST) if length_ms else 0)
    if begin >= to:
        raise ProblemError(422, f"from, to: expected a time and a later one, got {start} and {end or 'now'}")
    return begin, to


def answer(request: Request, content: Any, status: int = 200) -> Response:
    """Return content as JSON; 304 without it if the client has just that. NaN becomes null."""
    body = _encode(content)
    tag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if request.method in ("GET", "HEAD") and tag in request.headers.get("If-None-Match", ""):
        return Response(None, 304, headers)
    return Response(body, status, headers, "application/json")
