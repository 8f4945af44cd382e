"""/v1/dead-letters: messages that could not be read, why, and their way back in."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, Field

from edge.align import LATEST
from edge.messages.stamp import iso
from edge.payloads.rejects import Reason
from service.api.answers import FromSource, Limit, TimeText, Who, answer, period
from service.api.problems import UNKNOWN, ProblemError, missing
from service.desk.choice import moment
from service.desk.dead_letters import DeadLetters, Letter, Which, escaped

router = APIRouter(tags=["dead letters"])


def _letters(source: FromSource, who: Who) -> DeadLetters:
    return DeadLetters(source.access, who)


FromLetters = Annotated[DeadLetters, Depends(_letters)]
LetterId = Annotated[str, Field(min_length=1, max_length=200)]
WhyNot = Reason | Literal["refused"]
SinkName = Annotated[str, Field(max_length=200)]


class DeadLetter(BaseModel):
    """A message that could not be read, or what a sink has refused."""

    id: str = Field(description="a number, or SINK:NUMBER")
    received: str = Field(description="or refused")
    topic: str = Field(description="or what it tells of: STREAM/alarm, SITE/incident, verdict")
    size: int = Field(description="bytes of its payload")
    reason: str
    detail: str
    source: str = Field(description="name of the broker it came from")
    sink: str = Field(description="name of the sink that has refused it; empty of a message")
    whole: bool = Field(description="whether all of the payload was kept, without which it cannot be read again")


class OneDeadLetter(DeadLetter):
    """What was set aside, with its payload."""

    payload: str = Field(description="what cannot be printed is told by its code")


class Letters(BaseModel):
    """The newest that match, the newest first, and how many there are of each reason."""

    counts: dict[str, int]
    dead_letters: list[DeadLetter]


class Choice(BaseModel):
    """Which are meant; all that is given must hold. All of them only with `all`."""

    ids: list[LetterId] = Field(default=[], max_length=1000)
    reason: WhyNot | None = None
    sink: SinkName | None = Field(default=None, description="only what this one has refused")
    topic: str | None = Field(default=None, max_length=1000, description="pattern in which * stands for anything")
    start: str | None = Field(default=None, alias="from", max_length=64)
    end: str | None = Field(default=None, alias="to", max_length=64)
    all: bool = False

    def which(self) -> Which:
        """Return the choice as the desk takes it; ProblemError if it says nothing."""
        some = bool(self.ids or self.reason or self.sink or self.topic or self.start or self.end)
        if some == self.all:
            got = "both" if some else "neither"
            raise ProblemError(422, f"expected ids, reason, sink, topic, from or to, or else all: true, got {got}")
        begin, end = moment("from", self.start, 0), moment("to", self.end, LATEST)
        return Which(tuple(self.ids), _word(self.reason), self.sink, self.topic, begin, end)


class Replayed(BaseModel):
    """What is read again within about a second."""

    asked: int
    cut: int = Field(description="that cannot be, as only their beginning was kept")


class Purged(BaseModel):
    """What was thrown away."""

    purged: int


@router.get("/v1/dead-letters", response_model=Letters)
def list_letters(
    request: Request,
    letters: FromLetters,
    reason: Annotated[WhyNot | None, Query()] = None,
    sink: Annotated[str | None, Query(max_length=200, description="Only what this one has refused.")] = None,
    topic: Annotated[str | None, Query(max_length=1000, description="Pattern in which * stands for anything.")] = None,
    start: Annotated[TimeText, Query(alias="from")] = None,
    end: Annotated[TimeText, Query(alias="to")] = None,
    limit: Limit = 100,
) -> Response:
    """List the newest dead letters."""
    which = Which((), _word(reason), sink, topic, *period(start, end))
    told = [_facts(letter) for letter in letters.list(which, limit)[::-1]]
    return answer(request, {"counts": letters.count(which), "dead_letters": told})


@router.get("/v1/dead-letters/{letter:path}", response_model=OneDeadLetter, responses=UNKNOWN)
def one_letter(request: Request, letters: FromLetters, letter: Annotated[str, Path(max_length=200)]) -> Response:
    """Tell of one, with its payload."""
    if not letters.list(Which((letter,)), 1):
        raise missing("the id of a dead letter", letter)
    found, payload = letters.show(letter)
    return answer(request, _facts(found) | {"payload": escaped(payload)})


@router.post("/v1/dead-letters/replay", response_model=Replayed)
def replay(request: Request, letters: FromLetters, choice: Choice) -> Response:
    """Have dead letters read, or sent, again as if they were new; those that fail again come back under new ids."""
    asked, cut = letters.replay(choice.which())
    return answer(request, {"asked": asked, "cut": cut})


@router.post("/v1/dead-letters/purge", response_model=Purged)
def purge(request: Request, letters: FromLetters, choice: Choice) -> Response:
    """Throw dead letters away."""
    return answer(request, {"purged": letters.purge(choice.which())})


def _word(reason: WhyNot | None) -> str | None:
    return None if reason is None else str(reason)


def _facts(letter: Letter) -> dict[str, Any]:
    return letter._asdict() | {"received": iso(letter.received)}
