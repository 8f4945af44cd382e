"""/v1/mutes: of which streams nobody is to be told for a time."""

import time
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field

from edge.duration import parse_duration
from edge.errors import ConfigError
from edge.messages.stamp import iso
from service.alarms.mutes import SELECT, Mute
from service.api.answers import FromDesk, FromSource, answer
from service.api.problems import UNKNOWN, ProblemError, missing
from service.api.source import Source

router = APIRouter(tags=["mutes"])


class OneMute(BaseModel):
    """A mute that is in force."""

    id: int
    monitor: str
    stream: str = Field(description="pattern of names, in which * stands for anything")
    until: str
    reason: str
    by: str
    created: str


class Mutes(BaseModel):
    """The mutes in force, the next to end first."""

    mutes: list[OneMute]


class NewMute(BaseModel):
    """What is to be muted from now on."""

    monitor: str = Field(max_length=200)
    stream: str = Field(default="*", min_length=1, max_length=1000, description="pattern; a name as it is, [ as [[]")
    duration: str = Field(max_length=20, description="such as 30min, 2h or 7d")
    reason: str = Field(default="", max_length=1000)


@router.get("/v1/mutes", response_model=Mutes)
def list_mutes(request: Request, source: FromSource) -> Response:
    """List the mutes in force."""
    return answer(request, {"mutes": [mute_of(each) for each in in_force(source)]})


@router.post("/v1/mutes", response_model=OneMute, status_code=201, responses=UNKNOWN)
def mute(request: Request, source: FromSource, desk: FromDesk, wanted: NewMute) -> Response:
    """Mute streams from now on; the same pattern muted again has a new end."""
    source.monitor(wanted.monitor)
    try:
        duration_ms = parse_duration(wanted.duration)
    except ConfigError as error:
        raise ProblemError(422, f"duration: {str(error).removeprefix('interval: ')}") from error
    made = desk.mute(wanted.monitor, wanted.stream, duration_ms, wanted.reason)
    return answer(request, mute_of(made), 201)


@router.delete("/v1/mutes/{mute}", status_code=204, responses=UNKNOWN)
def unmute(source: FromSource, desk: FromDesk, mute: Annotated[int, Path(ge=1, le=2**63 - 1)]) -> Response:
    """Take a mute back."""
    found = [each for each in in_force(source) if each.id == mute]
    if not found:
        raise missing("the id of a mute in force", mute)
    desk.unmute(found[0].monitor, found[0].stream)
    return Response(status_code=204)


def in_force(source: Source) -> list[Mute]:
    """Return the mutes in force, the next to end first."""
    now = time.time_ns() // 1_000_000
    return [Mute(*row) for row in source.reader.rows(f"{SELECT} WHERE until > ? ORDER BY until, id", (now,))]


def mute_of(mute: Mute) -> dict[str, Any]:
    """Return a mute as the API tells it."""
    return mute._asdict() | {"until": iso(mute.until), "created": iso(mute.created)}
