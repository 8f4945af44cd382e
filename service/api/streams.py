"""/v1/streams: what is watched, and how each stream is."""

from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Path, Query, Request, Response
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from edge.messages.stamp import iso
from service.alarms.mutes import Mute
from service.api.answers import FromSource, Limit, Offset, answer
from service.api.board import STATES
from service.api.mutes import in_force, mute_of
from service.api.problems import UNKNOWN
from service.api.source import Overview, Source
from service.api.verdicts import number

router = APIRouter(tags=["streams"])

State = Literal["unknown", "normal", "learning", "silent", "alarm"]
Sort = Literal[
    "name", "-name", "state", "-state", "score", "-score", "alarms", "-alarms", "achieved", "-achieved", "time", "-time"
]
StreamId = Annotated[int, Path(ge=1, le=2**63 - 1, description="as /v1/streams lists it")]


class Stream(BaseModel):
    """A stream and the newest that was said of it; what is not known is null."""

    id: int
    monitor: str
    name: str
    site: str | None
    state: State = Field(description="unknown: nothing was said of it since the service began")
    time: str | None = Field(description="start of the newest slot with a verdict")
    score: float | None = Field(description="1.0 is the limit")
    channel: str | None = Field(description="that contributed most; the next two are its")
    value: float | None
    expected: float | None
    alarm: str | None = Field(description="start of the open alarm")
    alarms: int = Field(description="that began within seven days before the newest verdict of all")
    achieved: float | None = Field(description="alarms so far over what the budget allowed until then")
    budget: str | None
    coverage: float | None = Field(description="share of the channels with a usable value")
    ready_in: int = Field(description="slots until the stream is judged")
    muted: bool
    sparkline: list[float | None] = Field(description="the newest scores, oldest first, 32 at most")


class Streams(BaseModel):
    """A page of streams."""

    total: int = Field(description="how many there are that match")
    states: dict[State, int] = Field(description="how many of these are in each state")
    streams: list[Stream]


class Channel(BaseModel):
    """A channel of a stream."""

    channel: str
    unit: str | None


class OneStream(Stream):
    """A stream with all that belongs to it."""

    bundle: str | None = Field(description="NAME/VERSION in force")
    interval_ms: int | None = Field(description="length of a slot")
    channels: list[Channel]
    mutes: list[Any] = Field(description="in force for it, as /v1/mutes tells them")


@router.get("/v1/streams", response_model=Streams)
def list_streams(
    request: Request,
    source: FromSource,
    search: Annotated[str, Query(max_length=200, description="Part of MONITOR/NAME, in any case.")] = "",
    monitor: Annotated[str | None, Query(max_length=200)] = None,
    state: Annotated[State | None, Query()] = None,
    sort: Annotated[Sort, Query(description="- before it: the greatest first.")] = "name",
    offset: Offset = 0,
    limit: Limit = 100,
) -> Response:
    """List streams as they were at most a second ago."""
    overview = source.overview()
    chosen = _matching(overview, search.lower(), monitor)
    states = np.bincount(overview.state[chosen], minlength=len(STATES)).tolist()
    if state is not None:
        chosen = chosen[overview.state[chosen] == STATES.index(state)]
    places = _sorted(overview, chosen, sort)[offset : offset + limit].tolist()
    mutes = in_force(source)
    told = [_stream(source, overview, place, mutes) for place in places]
    return answer(request, {"total": len(chosen), "states": dict(zip(STATES, states, strict=True)), "streams": told})


@router.get("/v1/streams/{stream}", response_model=OneStream, responses=UNKNOWN)
def one_stream(request: Request, source: FromSource, stream: StreamId) -> Response:
    """Tell of one stream."""
    place, overview = source.stream(stream)
    mutes = in_force(source)
    told = _stream(source, overview, place, mutes)
    manifest = overview.manifests[told["monitor"]]
    units = {channel.name: channel.unit for channel in manifest.channels} if manifest else {}
    channels = source.reader.rows("SELECT channel FROM series WHERE stream = ? ORDER BY place, channel", (stream,))
    names = [name for (name,) in channels if not units or name in units] or list(units)
    told |= {
        "bundle": f"{manifest.name}/{manifest.version}" if manifest else None,
        "interval_ms": manifest.interval_ms if manifest else None,
        "channels": [{"channel": name, "unit": units.get(name)} for name in names],
        "mutes": [mute_of(each) for each in mutes if each.holds(told["monitor"], told["name"])],
    }
    return answer(request, told)


def _matching(overview: Overview, search: str, monitor: str | None) -> NDArray[np.intp]:
    """Return the places of the streams that are meant."""
    streams = overview.board.streams
    return np.array(
        [
            place
            for place, name in enumerate(overview.names)
            if search in name and (monitor is None or streams[place].monitor == monitor)
        ],
        np.intp,
    )


def _sorted(overview: Overview, places: NDArray[np.intp], sort: str) -> NDArray[np.intp]:
    """Return places in an order; those of which nothing is known come last, equals by name."""
    by = sort.removeprefix("-")
    places = places[np.argsort(overview.rank[places])]
    if by == "name":
        return places[::-1] if sort == "-name" else places
    column = {"state": overview.state, "alarms": overview.alarms}.get(by)
    keys = (overview.board.columns[by] if column is None else column)[places].astype(np.float64)
    keys = -keys if sort.startswith("-") else keys
    return places[np.argsort(np.where(np.isnan(keys), np.inf, keys), kind="stable")]


def _stream(source: Source, overview: Overview, place: int, mutes: list[Mute]) -> dict[str, Any]:
    stream, board = overview.board.streams[place], overview.board
    settings = source.settings.monitors.get(stream.monitor)
    manifest = overview.manifests[stream.monitor]
    channel, time, alarm = int(board.channel[place]), int(board.time[place]), int(board.alarm[place])
    named = manifest is not None and 0 <= channel < len(manifest.channels)
    return {
        "id": stream.id,
        "monitor": stream.monitor,
        "name": stream.name,
        "site": settings.site if settings else None,
        "state": STATES[int(overview.state[place])],
        "time": iso(time) if time else None,
        "score": number(board.score[place]),
        "channel": manifest.channels[channel].name if manifest and named else None,
        "value": number(board.value[place]) if named else None,
        "expected": number(board.expected[place]) if named else None,
        "alarm": iso(alarm) if alarm else None,
        "alarms": int(overview.alarms[place]),
        "achieved": number(board.achieved[place]),
        "budget": overview.budgets.get(stream.monitor),
        "coverage": number(board.coverage[place]),
        "ready_in": int(board.ready_in[place]),
        "muted": any(each.holds(stream.monitor, stream.name) for each in mutes),
        "sparkline": board.sparkline(place),
    }
