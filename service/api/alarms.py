"""/v1/alarms and /v1/labels: what was found, who takes it on, and whether it was true."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field

from service.api.alarm_rows import SELECT, Alarm, AlarmState, alarm_of, count
from service.api.answers import FromDesk, FromSource, Limit, Offset, TimeText, answer, period
from service.api.problems import UNKNOWN, missing
from service.api.source import Source

router = APIRouter(tags=["alarms"])

_STATES = {
    "open": """alarm."end" IS NULL AND acknowledgement.created IS NULL""",
    "acknowledged": """alarm."end" IS NULL AND acknowledgement.created IS NOT NULL""",
    "closed": """alarm."end" IS NOT NULL""",
}
AlarmId = Annotated[str, Path(min_length=1, max_length=64, description="as /v1/alarms lists it")]


class Alarms(BaseModel):
    """A page of alarms, the newest first."""

    total: int
    alarms: list[Alarm]


class Note(BaseModel):
    """What is noted."""

    note: str = Field(default="", max_length=2000)


class NewLabel(Note):
    """What an alarm was found to be."""

    false: bool = Field(description="whether nothing was wrong when it was raised")


@router.get("/v1/alarms", response_model=Alarms)
def list_alarms(
    request: Request,
    source: FromSource,
    state: Annotated[AlarmState | None, Query()] = None,
    monitor: Annotated[str | None, Query(max_length=200)] = None,
    stream: Annotated[int | None, Query(ge=1, le=2**63 - 1, description="id")] = None,
    incident: Annotated[str | None, Query(max_length=64)] = None,
    labelled: Annotated[bool | None, Query(description="Whether somebody said if it was true.")] = None,
    start: Annotated[TimeText, Query(alias="from")] = None,
    end: Annotated[TimeText, Query(alias="to")] = None,
    offset: Offset = 0,
    limit: Limit = 100,
) -> Response:
    """List alarms that began from a time on and before another, the newest first."""
    where, values = ["""alarm."start" >= ? AND alarm."start" < ?"""], [*period(start, end)]
    wanted: list[tuple[str, Any]] = [("monitor = ?", monitor), ("alarm.stream = ?", stream), ("incident = ?", incident)]
    for condition, value in wanted:
        if value is not None:
            where.append(condition)
            values.append(value)
    if state is not None:
        where.append(_STATES[state])
    if labelled is not None:
        where.append(f"label.created IS {'NOT ' if labelled else ''}NULL")
    condition = " AND ".join(where)
    select = f"""{SELECT} WHERE {condition} ORDER BY alarm."start" DESC, alarm.id LIMIT ? OFFSET ?"""
    with source.reader.connection() as db:
        total = count(db, condition, values)
        told = [alarm_of(row) for row in db.execute(select, (*values, limit, offset))]
    return answer(request, {"total": total, "alarms": told})


@router.get("/v1/labels", response_model=Alarms)
def list_labels(
    request: Request,
    source: FromSource,
    false: Annotated[bool | None, Query(description="Only those that were false, or only true ones.")] = None,
    offset: Offset = 0,
    limit: Limit = 100,
) -> Response:
    """List the alarms of which somebody said whether they were true, the newest label first."""
    condition = "label.created IS NOT NULL" + ("" if false is None else f""" AND label."false" = {int(false)}""")
    select = f"{SELECT} WHERE {condition} ORDER BY label.created DESC, alarm.id LIMIT ? OFFSET ?"
    with source.reader.connection() as db:
        total = count(db, condition, ())
        told = [alarm_of(row) for row in db.execute(select, (limit, offset))]
    return answer(request, {"total": total, "alarms": told})


@router.get("/v1/alarms/{alarm}", response_model=Alarm, responses=UNKNOWN)
def one_alarm(request: Request, source: FromSource, alarm: AlarmId) -> Response:
    """Tell of one alarm."""
    return answer(request, find(source, alarm))


@router.post("/v1/alarms/{alarm}/acknowledge", response_model=Alarm, responses=UNKNOWN)
def acknowledge(request: Request, source: FromSource, desk: FromDesk, alarm: AlarmId, noted: Note) -> Response:
    """Note that somebody has taken an alarm on."""
    find(source, alarm)
    desk.acknowledge(alarm, noted.note)
    return answer(request, find(source, alarm))


@router.put("/v1/alarms/{alarm}/label", response_model=Alarm, responses=UNKNOWN)
def label(request: Request, source: FromSource, desk: FromDesk, alarm: AlarmId, wanted: NewLabel) -> Response:
    """Say whether an alarm was false or true; a label given again takes the place of the one before."""
    find(source, alarm)
    desk.label(alarm, wanted.false, wanted.note)
    return answer(request, find(source, alarm))


def find(source: Source, alarm: str) -> dict[str, Any]:
    """Return an alarm; ProblemError if it is not there."""
    row = source.reader.row(f"{SELECT} WHERE alarm.id = ?", (alarm,))
    if row is None:
        raise missing("the id of an alarm", alarm)
    return alarm_of(row)
