"""/v1/score: a bundle and recent readings in, verdicts out; nothing is kept."""

from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from edge.align import EARLIEST, LATEST
from edge.bundle import Bundle
from edge.engine import open_engine
from edge.errors import BundleError, ConfigError
from edge.limits import Budget
from edge.reading import Readings
from edge.runtimes import open_runtime
from service.api.answers import FromSource, answer
from service.api.board import Stream
from service.api.problems import UNKNOWN, ProblemError, missing
from service.api.verdicts import verdict
from service.api.wire import Said

router = APIRouter(tags=["scoring"])

MOST_READINGS = 20_000
Finite = Annotated[float, Field(allow_inf_nan=False, ge=-1e300, le=1e300)]
TimeMs = Annotated[int, Field(ge=EARLIEST, lt=LATEST, description="UTC epoch, ms")]


class Reading(BaseModel):
    """A value of a channel at a time."""

    time: TimeMs
    value: Finite
    channel: str | None = Field(default=None, max_length=200, description="may be left out if the bundle has one")


class Wanted(BaseModel):
    """What is to be scored."""

    bundle: str = Field(max_length=200, pattern=r"^[\w][\w.+-]*(/[\w][\w.+-]*)?$", description="NAME, or NAME/VERSION")
    stream: str = Field(
        default="", max_length=1000, description="one that the bundle was trained on brings its scaling"
    )
    budget: str | None = Field(default=None, max_length=60, description="the bundle's own if none")
    readings: list[Reading] = Field(
        min_length=1, max_length=MOST_READINGS, description="of one stream, in order of arrival"
    )


class ChannelVerdict(BaseModel):
    """What is said of one channel of a slot."""

    channel: str
    value: float | None
    expected: float | None
    lower: float | None
    upper: float | None
    share: float | None
    quality: str


class Verdict(BaseModel):
    """What is said of one slot."""

    time: str
    status: str
    score: float | None
    channel: str | None
    signal: str | None
    once_in: float | None
    achieved: float | None
    alarm: str | None
    coverage: float | None
    ready_in: int
    channels: list[ChannelVerdict]


class Scored(BaseModel):
    """The verdicts on the slots that the readings fill; the last is the one that the newest reading is in."""

    bundle: str
    limit: float
    verdicts: list[Verdict]


@router.post("/v1/score", response_model=Scored, responses=UNKNOWN)
def score(request: Request, source: FromSource, wanted: Wanted) -> Response:
    """Score readings as the service would score those of a new stream: the very engine, and nothing is kept."""
    try:
        bundle = source.bundle(wanted.bundle)
    except BundleError as error:
        raise missing("a bundle, as /v1/bundles lists them", wanted.bundle) from error
    readings = _readings(bundle, wanted)
    try:
        budget = Budget.parse(wanted.budget or bundle.manifest.budget).shared(1)
    except ConfigError as error:
        raise ProblemError(422, str(error)) from error
    engine = open_engine(bundle, budget, runtime=open_runtime(bundle.files))
    engine.add([wanted.stream])
    verdicts = [engine.feed(readings)]
    end = int(readings.time.max()) // bundle.manifest.interval_ms + 1
    verdicts.append(engine.tick(end * bundle.manifest.interval_ms))
    channels = [channel.name for channel in bundle.manifest.channels]
    stream, told = Stream(0, "", wanted.stream), []
    for part in verdicts:
        said = Said("", bundle.reference, channels, 0, [], part)
        told += [_plain(verdict(said, row, stream)) for row in range(len(part))]
    return answer(request, {"bundle": bundle.reference, "limit": engine.limit, "verdicts": told})


def _readings(bundle: Bundle, wanted: Wanted) -> Readings:
    names = [channel.name for channel in bundle.manifest.channels]
    index = {name: at for at, name in enumerate(names)}
    channels = []
    for at, reading in enumerate(wanted.readings):
        if reading.channel is None and len(names) > 1:
            raise ProblemError(422, f"readings.{at}.channel: expected one of {', '.join(names)}, got none")
        if reading.channel is not None and reading.channel not in index:
            raise ProblemError(
                422, f"readings.{at}.channel: expected one of {', '.join(names)}, got {reading.channel!r}"
            )
        channels.append(0 if reading.channel is None else index[reading.channel])
    return Readings(
        np.zeros(len(channels), np.int32),
        np.array(channels, np.int16),
        np.array([reading.time for reading in wanted.readings], np.int64),
        np.array([reading.value for reading in wanted.readings], np.float64),
    )


def _plain(told: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if name in Verdict.model_fields}
