"""/v1/events: server-sent events: verdicts of chosen streams, alarms, states, status."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from service.api.answers import FromSource
from service.api.problems import ProblemError

router = APIRouter(tags=["events"])

MOST_STREAMS = 200
Kind = Literal["alarm", "state", "status"]


class Events(StreamingResponse):
    """A stream of events, as EventSource reads it."""

    media_type = "text/event-stream"


@router.get("/v1/events", response_class=Events)
async def events(
    source: FromSource,
    streams: Annotated[
        str, Query(max_length=4000, description="Ids of streams whose verdicts are wanted: `1,2,3`.")
    ] = "",
    kinds: Annotated[list[Kind], Query(description="What else is wanted.")] = ["alarm"],  # noqa: B006
) -> Events:
    """Listen: `verdict` (as /v1/score has it, with `stream`, `monitor`, `name`), `alarm`, `state`, `status`.

    The first that is told is what happens from now on; after a lost connection read the history again.
    """
    ids = [each for each in streams.split(",") if each]
    if len(ids) > MOST_STREAMS or not all(each.isascii() and each.isdecimal() and len(each) < 19 for each in ids):
        raise ProblemError(422, f"streams: expected at most {MOST_STREAMS} ids such as 1,2,3, got {streams[:100]!r}")
    listener = source.hub.add([int(each) for each in ids], kinds)
    return Events(source.hub.listen(listener), headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
