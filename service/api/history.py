"""/v1/streams/ID/history: what was said of a stream, thinned out so that no spike is lost."""

import math
from collections.abc import Callable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from edge.align import LATEST
from edge.messages.stamp import iso
from service.api.alarm_rows import SELECT, Alarm, alarm_of
from service.api.answers import FromSource, TimeText, answer, period
from service.api.problems import UNKNOWN
from service.api.source import Source
from service.api.streams import StreamId
from service.storage.ageing import HOUR_MS

router = APIRouter(tags=["streams"])

_DAY_MS = 86_400_000
_FEW_SERIES = 64  # with so many at most, all rows of a time are read sooner than those of one series found
_MOST_ALARMS = 500
_COLUMNS = ("time", "min", "max", "mean", "expected", "lower", "upper", "score", "anomalies", "slots")

#: the slots of one series: found one by one, as the table is ordered by time before series
_FOUND = """WITH RECURSIVE slot (at) AS (
        SELECT :first WHERE :first < :end UNION ALL SELECT at + :step FROM slot WHERE at + :step < :end)
    SELECT {columns} FROM slot CROSS JOIN {table} AS said ON said.time = slot.at AND said.series = :series"""
_SCANNED = "SELECT {columns} FROM {table} AS said WHERE time >= :first AND time < :end AND series = :series"
#: each found at once; asked for together they would take a look at every row
_BOUNDS = """SELECT (SELECT min(time) FROM series_hour), (SELECT max(time) FROM series_hour),
    (SELECT min(time) FROM series_verdict), (SELECT max(time) FROM series_verdict)"""
_SLOTS = """(said.time - :origin) / :width AS bucket, min(value), max(value), total(value), count(value),
    total(expected), count(expected), min(lower), max(upper), max(score), total(status = 2), count(*)"""
_HOURS = """(said.time - :origin) / :width AS bucket, min(least), max(most), total(total), total("values"),
    total(forecast_total), total(forecasts), NULL, NULL, max(score), total(anomalies), total(slots)"""


class ChannelHistory(BaseModel):
    """Columns of equal length, an item a bucket that has anything; null is not known."""

    channel: str
    unit: str | None
    time: list[int] = Field(description="begin of the bucket, UTC epoch, ms")
    min: list[float | None]
    max: list[float | None]
    mean: list[float | None]
    expected: list[float | None] = Field(description="mean")
    lower: list[float | None] = Field(description="least; not kept of sums by the hour")
    upper: list[float | None] = Field(description="greatest; not kept of sums by the hour")
    score: list[float | None] = Field(description="greatest")
    anomalies: list[int] = Field(description="anomalous slots")
    slots: list[int]


class History(BaseModel):
    """What was said of a stream from a time to another."""

    stream: int
    start: str
    end: str
    bucket_ms: int = Field(description="length of a bucket: a slot's, or a multiple where there are too many")
    channels: list[ChannelHistory]
    alarms: list[Alarm] = Field(description="that touch this time, the newest 500")


@router.get("/v1/streams/{stream}/history", response_model=History, responses=UNKNOWN)
def history(
    request: Request,
    source: FromSource,
    stream: StreamId,
    start: Annotated[TimeText, Query(alias="from")] = None,
    end: Annotated[TimeText, Query(alias="to")] = None,
    points: Annotated[int, Query(ge=10, le=5000, description="Buckets a channel at most.")] = 600,
) -> Response:
    """Tell what was said of a stream; without `from`, of the day before `to`; without `to`, until its newest slot.

    A bucket has the least and the greatest value of its slots, so that a spike of one slot stays visible. What is
    older than `history.keep` comes from the sums by the hour.
    """
    place, overview = source.stream(stream)
    begin, to = period(start, end, _DAY_MS, source.board.newest_ms(place) or source.newest_ms())
    alarms = _alarms(source, stream, begin, to)
    manifest = overview.manifests[overview.board.streams[place].monitor]
    units = {channel.name: channel.unit for channel in manifest.channels} if manifest else {}
    interval_ms = manifest.interval_ms if manifest else 1000
    begin, to, summed = _kept(source, begin, to)
    slots = max(math.ceil((to - begin) / interval_ms), 1)
    width = interval_ms * math.ceil(slots / points)
    begin = begin // interval_ms * interval_ms
    series = source.reader.rows("SELECT id, channel FROM series WHERE stream = ? ORDER BY place, channel", (stream,))
    channels = [
        {"channel": name, "unit": units.get(name)} | _columns(source, ident, (begin, summed, to), interval_ms, width)
        for ident, name in series
        if not units or name in units
    ]
    told = {"stream": stream, "start": iso(begin), "end": iso(to), "bucket_ms": width, "channels": channels}
    return answer(request, told | {"alarms": alarms})


def _kept(source: Source, begin: int, to: int) -> tuple[int, int, int]:
    """Return a time as far as the database has anything of it, and until when there are sums by the hour."""
    bounds = source.reader.row(_BOUNDS)
    hour, newest_hour, first, last = bounds or (None, None, None, None)
    oldest = min((each for each in (hour, first) if each is not None), default=begin)
    begin = max(begin, oldest)
    to = max(min(to, (last if last is not None else oldest) + 1, LATEST), begin + 1)
    return begin, to, 0 if newest_hour is None else newest_hour + HOUR_MS


def _columns(
    source: Source, series: int, times_ms: tuple[int, int, int], interval_ms: int, width: int
) -> dict[str, Any]:
    """Return the columns of a series, both of the slots and of the sums by the hour, by buckets of a width.

    The times are the begin, until when there are sums by the hour, and the end. Where there are these, few slots are
    left beside them (those of alarms with a label), and so all rows of that time are read.
    """
    count = source.reader.row("SELECT count(*) FROM (SELECT 1 FROM series LIMIT ?)", (_FEW_SERIES + 1,))
    find = _SCANNED if count and count[0] <= _FEW_SERIES else _FOUND
    begin, summed, to = times_ms
    summed = min(max(summed // interval_ms * interval_ms, begin), to)
    parts = [
        ("series_verdict", _SLOTS, _SCANNED, begin, summed, interval_ms),
        ("series_verdict", _SLOTS, find, summed, to, interval_ms),
        ("series_hour", _HOURS, find, begin // HOUR_MS * HOUR_MS, to, HOUR_MS),
    ]
    buckets: dict[int, list[Any]] = {}
    for table, columns, how, first, end, step in parts:
        sql = f"{how.format(table=table, columns=columns)} GROUP BY bucket ORDER BY bucket"
        values = {"origin": begin, "first": first, "end": end, "step": step, "series": series, "width": width}
        for bucket, *sums in source.reader.rows(sql, values):
            at = begin + bucket * width
            buckets[at] = _together(buckets[at], sums) if at in buckets else sums
    rows = [(at, *_means(sums)) for at, sums in sorted(buckets.items())]
    return (
        dict(zip(_COLUMNS, map(list, zip(*rows, strict=True)), strict=True))
        if rows
        else {name: [] for name in _COLUMNS}
    )


def _together(one: Sequence[Any], other: Sequence[Any]) -> list[Any]:
    """Return the sums of two parts of a bucket as those of the whole."""
    ways: tuple[Callable[[list[Any]], Any], ...] = (min, max, sum, sum, sum, sum, min, max, max, sum, sum)
    known = [[each for each in pair if each is not None] for pair in zip(one, other, strict=True)]
    return [way(pair) if pair else None for way, pair in zip(ways, known, strict=True)]


def _means(sums: Sequence[Any]) -> tuple[Any, ...]:
    least, most, total, values, forecast_total, forecasts, lower, upper, score, anomalies, slots = sums
    mean = total / values if values else None
    expected = forecast_total / forecasts if forecasts else None
    return least, most, mean, expected, lower, upper, score, int(anomalies), int(slots)


def _alarms(source: Source, stream: int, begin: int, to: int) -> list[dict[str, Any]]:
    where = """alarm.stream = ? AND "start" < ? AND coalesce("end", ?) >= ?"""
    select = f"""{SELECT} WHERE {where} ORDER BY "start" DESC LIMIT {_MOST_ALARMS}"""
    return [alarm_of(row) for row in source.reader.rows(select, (stream, to, LATEST, begin))][::-1]
