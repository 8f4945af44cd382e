"""/v1/budgets: how many false alarms a monitor may raise, and what another budget would have made of the past."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field

from edge.errors import ConfigError
from edge.limits import Budget
from edge.manifest import Manifest
from edge.messages.stamp import iso
from service.api.alarm_rows import SELECT, Alarm, alarm_of
from service.api.answers import FromDesk, FromSource, TimeText, answer, period
from service.api.problems import UNKNOWN, ProblemError
from service.api.source import Source

router = APIRouter(tags=["budgets"])

_MONTH_MS = 30 * 86_400_000
_MOST_ALARMS = 1000
MonitorName = Annotated[str, Path(min_length=1, max_length=200)]
BudgetText = Annotated[str, Query(max_length=60, description="such as `2 per week` or `10 per week for the monitor`")]


class OneBudget(BaseModel):
    """The budget of a monitor."""

    monitor: str
    budget: str | None = Field(description="in force")
    configured: str | None = Field(description="without what an operator has set")
    streams: int
    limit: float | None = Field(description="surprise whose score is 1.0, in decades")


class Budgets(BaseModel):
    """The budgets of all monitors."""

    budgets: list[OneBudget]


class NewBudget(BaseModel):
    """What is to be in force."""

    budget: str | None = Field(max_length=60, description="null: the configured one again")


class PastAlarm(BaseModel):
    """An alarm of the past, and whether the other budget would have left it."""

    alarm: Alarm
    score: float = Field(description="its peak, under the other budget")
    remains: bool


class Preview(BaseModel):
    """What another budget would have made of the alarms of a time."""

    monitor: str
    budget: str
    limit: float
    start: str
    end: str
    alarms: int
    remain: int
    listed: list[PastAlarm] = Field(description="the newest 1,000, the newest first")


@router.get("/v1/budgets", response_model=Budgets)
def list_budgets(request: Request, source: FromSource) -> Response:
    """List the budgets of all monitors."""
    return answer(request, {"budgets": [_facts(source, monitor) for monitor in source.settings.monitors]})


@router.put("/v1/budgets/{monitor}", response_model=OneBudget, responses=UNKNOWN)
def set_budget(
    request: Request, source: FromSource, desk: FromDesk, monitor: MonitorName, wanted: NewBudget
) -> Response:
    """Set the budget of a monitor; it is in force within about a second, and outlives a restart."""
    source.monitor(monitor)
    desk.set_budget(monitor, None if wanted.budget is None else _parsed(wanted.budget))
    return answer(request, _facts(source, monitor))


@router.get("/v1/budgets/{monitor}/preview", response_model=Preview, responses=UNKNOWN)
def preview(
    request: Request,
    source: FromSource,
    monitor: MonitorName,
    budget: BudgetText,
    stream: Annotated[int | None, Query(ge=1, le=2**63 - 1, description="id: of this stream only")] = None,
    start: Annotated[TimeText, Query(alias="from")] = None,
    end: Annotated[TimeText, Query(alias="to")] = None,
) -> Response:
    """Tell which alarms would remain under another budget: of a time, or of the 30 days before the newest verdict.

    An alarm remains if its peak reaches the other limit: scores are surprises over the limit, so they change by the
    ratio of the limits. What a greater budget would add is not told.
    """
    source.monitor(monitor)
    other, now = _parsed(budget), source.budget(monitor)
    manifest = source.manifest(monitor)
    if manifest is None or now is None:
        raise ProblemError(503, f"the bundle of {monitor} cannot be read: `foresense check` says why")
    begin, to = period(start, end, _MONTH_MS, source.newest_ms())
    streams = _streams(source, monitor)
    limit = _limit(manifest, other, streams)
    ratio = _limit(manifest, now, streams) / limit
    where, values = 'monitor = ? AND alarm."start" >= ? AND alarm."start" < ?', [monitor, begin, to]
    if stream is not None:
        where, values = f"{where} AND alarm.stream = ?", [*values, stream]
    joined = SELECT[SELECT.index("FROM alarm") :]
    counts = source.reader.row(f"SELECT count(*), total(peak_score * ? >= 1) {joined} WHERE {where}", (ratio, *values))
    select = f"""{SELECT} WHERE {where} ORDER BY alarm."start" DESC LIMIT {_MOST_ALARMS}"""
    alarms = [alarm_of(row) for row in source.reader.rows(select, values)]
    past = [{"alarm": each, "score": each["peak"]["score"] * ratio} for each in alarms]
    total, remain = counts or (0, 0)
    told: dict[str, Any] = {
        "monitor": monitor,
        "budget": str(other),
        "limit": limit,
        "alarms": total,
        "remain": int(remain),
    }
    told |= {"start": iso(begin), "end": iso(to), "listed": [each | {"remains": each["score"] >= 1} for each in past]}
    return answer(request, told)


def _facts(source: Source, monitor: str) -> dict[str, Any]:
    budget, configured, manifest = source.budget(monitor), source.configured_budget(monitor), source.manifest(monitor)
    streams = _streams(source, monitor)
    return {
        "monitor": monitor,
        "budget": None if budget is None else str(budget),
        "configured": None if configured is None else str(configured),
        "streams": streams,
        "limit": _limit(manifest, budget, streams) if manifest and budget else None,
    }


def _limit(manifest: Manifest, budget: Budget, streams: int) -> float:
    return manifest.tail.limit(budget.shared(streams).per_slot(manifest.interval_ms))


def _streams(source: Source, monitor: str) -> int:
    row = source.reader.row("SELECT count(*) FROM stream WHERE monitor = ?", (monitor,))
    return int(row[0]) if row else 0


def _parsed(text: str) -> Budget:
    try:
        return Budget.parse(text)
    except ConfigError as error:
        raise ProblemError(422, str(error)) from error
