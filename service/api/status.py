"""/v1/status, /healthz, /readyz, /metrics: how the service itself is."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, Field

from service.api.answers import FromSource, answer

router = APIRouter(tags=["status"])


class Watched(BaseModel):
    """What a monitor listens to."""

    monitor: str
    topic: str
    broker: str = Field(description="address")


class Status(BaseModel):
    """What `foresense status --json` tells, and what came each second of the last one."""

    running: bool
    told: dict[str, Any] | None = Field(description="what the service says of itself")
    per_second: dict[str, float]
    streams: dict[str, int] = Field(description="by monitor")
    bundles: dict[str, dict[str, int]] = Field(description="by monitor: bundle -> streams with its state")
    alarms_open: dict[str, int] = Field(description="by monitor")
    outbox: dict[str, int] = Field(description="messages that wait, by sink")
    dead_letters: dict[str, int] = Field(description="by reason")
    relay_letters: dict[str, int] = Field(description="what a sink refused, by sink")
    database_bytes: int
    disk_free_bytes: int
    quarantined: list[str] = Field(description="broken databases that were put aside")
    watched: list[Watched]


@router.get("/v1/status", response_model=Status)
def status(request: Request, source: FromSource) -> Response:
    """Tell how the service is doing."""
    told, settings = source.status(), source.settings
    watched = [
        {"monitor": name, "topic": monitor.topic, "broker": settings.connections[monitor.broker].address}
        for name, monitor in settings.monitors.items()
    ]
    now = {"told": source.standing or told["told"], "per_second": source.rates, "watched": watched}
    return answer(request, told | now)


@router.get("/healthz", response_class=PlainTextResponse, responses={503: {"content": {"text/plain": {}}}})
async def healthz(request: Request) -> Response:
    """Say whether all threads of the service run."""
    return await _ask(request, "/healthz")


@router.get("/readyz", response_class=PlainTextResponse, responses={503: {"content": {"text/plain": {}}}})
async def readyz(request: Request) -> Response:
    """Say whether the service is subscribed at every broker."""
    return await _ask(request, "/readyz")


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(request: Request) -> Response:
    """Tell Prometheus how the service is."""
    return await _ask(request, "/metrics")


async def _ask(request: Request, path: str) -> Response:
    status, kind, body = await request.app.state.link.ask(path, request.headers.get("Accept", ""))
    return Response(body, status, {"Cache-Control": "no-store", "Content-Type": kind})
