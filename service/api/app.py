"""The application: all resources behind the guard."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from service.api import (
    alarms,
    audit,
    budgets,
    bundles,
    dead_letters,
    events,
    guard,
    history,
    incidents,
    mutes,
    pages,
    scoring,
    session,
    status,
    streams,
)
from service.api.accounts import Doorman
from service.api.problems import COMMON, Problem, handle
from service.api.service_link import ServiceLink
from service.api.session import Gate
from service.api.settings import HttpSettings
from service.api.source import Source

_RESOURCES = (
    streams, history, alarms, incidents, mutes, budgets, bundles, dead_letters, status, scoring, events, session, audit,
    pages,
)  # fmt: skip


def build(source: Source, link: ServiceLink) -> FastAPI:
    """Return the application that answers from a source."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await link.start()
        yield
        await link.stop()

    app = FastAPI(
        title="Foresense", version=version("foresense"), lifespan=lifespan, openapi_url=None, docs_url=None,
        redoc_url=None, redirect_slashes=False,
    )  # fmt: skip
    app.state.source, app.state.link, app.state.gate = source, link, Gate()
    app.state.doorman = Doorman(source.reader)
    for resource in _RESOURCES:
        app.include_router(resource.router, responses=COMMON)
    handle(app)
    app.add_api_route("/v1/openapi.json", lambda: _openapi(app), include_in_schema=False)
    settings = source.settings.http or HttpSettings()
    app.add_middleware(guard.Guard, settings=settings, doorman=app.state.doorman, access=source.access)
    return app


def _openapi(app: FastAPI) -> dict[str, Any]:
    """Return the description of the whole API."""
    if app.openapi_schema is None:
        schema = get_openapi(title=app.title, version=app.version, description=__doc__, routes=app.routes)
        schemas = schema.setdefault("components", {}).setdefault("schemas", {})
        schemas["Problem"] = Problem.model_json_schema()
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        guard.describe(schema)
        app.openapi_schema = schema
    return app.openapi_schema
