"""/v1/incidents: many alarms of one site at once."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field

from edge.messages.stamp import iso, iso_or_none
from service.alarms.messages import Incident as StoredIncident
from service.api.alarm_rows import SELECT, Alarm, alarm_of
from service.api.answers import FromSource, Limit, Offset, answer
from service.api.problems import UNKNOWN, missing

router = APIRouter(tags=["alarms"])

_MOST_MEMBERS = 500
_SELECT = 'SELECT id, site, "start", "end", newest, alarms, told FROM incident'


class Incident(BaseModel):
    """Many alarms of one site at once."""

    id: str
    site: str
    start: str
    end: str | None = Field(description="of the last alarm, once all have ended")
    newest: str = Field(description="when the newest alarm was raised")
    alarms: int
    streams: int


class Incidents(BaseModel):
    """A page of incidents, the newest first."""

    total: int
    incidents: list[Incident]


class OneIncident(Incident):
    """An incident and its alarms."""

    members: list[Alarm] = Field(description="the first 500 alarms")


@router.get("/v1/incidents", response_model=Incidents)
def list_incidents(
    request: Request,
    source: FromSource,
    open: Annotated[bool | None, Query(description="Whether an alarm of it still is.")] = None,  # noqa: A002
    offset: Offset = 0,
    limit: Limit = 100,
) -> Response:
    """List incidents, the newest first."""
    where = "" if open is None else f"""WHERE "end" IS {"" if open else "NOT "}NULL"""
    total = source.reader.row(f"SELECT count(*) FROM incident {where}")  # noqa: S608
    select = f"""{_SELECT} {where} ORDER BY "start" DESC, id LIMIT ? OFFSET ?"""
    told = [
        _incident(StoredIncident(*row), _streams(source, row[0])) for row in source.reader.rows(select, (limit, offset))
    ]
    return answer(request, {"total": total[0] if total else 0, "incidents": told})


@router.get("/v1/incidents/{incident}", response_model=OneIncident, responses=UNKNOWN)
def one_incident(
    request: Request, source: FromSource, incident: Annotated[str, Path(min_length=1, max_length=64)]
) -> Response:
    """Tell of one incident, with its alarms."""
    row = source.reader.row(f"{_SELECT} WHERE id = ?", (incident,))
    if row is None:
        raise missing("the id of an incident", incident)
    select = f"""{SELECT} WHERE incident = ? ORDER BY raised, alarm.id LIMIT {_MOST_MEMBERS}"""
    members = [alarm_of(each) for each in source.reader.rows(select, (incident,))]
    return answer(request, _incident(StoredIncident(*row), _streams(source, incident)) | {"members": members})


def _streams(source: FromSource, incident: str) -> int:
    row = source.reader.row("SELECT count(DISTINCT stream) FROM alarm WHERE incident = ?", (incident,))
    return int(row[0]) if row else 0


def _incident(found: StoredIncident, streams: int) -> dict[str, Any]:
    return {
        "id": found.id,
        "site": found.site,
        "start": iso(found.start),
        "end": iso_or_none(found.end),
        "newest": iso(found.newest),
        "alarms": found.alarms,
        "streams": streams,
    }
