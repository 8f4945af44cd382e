"""Problems: what went wrong with a request, as application/problem+json (RFC 9457), with what mends it."""

import json
import logging
import sqlite3
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from edge.errors import ConfigError, DataError, ForesenseError

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_S = "5"


class Problem(BaseModel):
    """What went wrong."""

    type: str = "about:blank"
    title: str  #: the status in words
    status: int
    detail: str  #: what was expected and got, and what mends it
    errors: list[str] = []  #: of a request that is not as it must be: each place, and what is wrong there


class ProblemError(Exception):
    """Ends a request with a problem."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})


def missing(what: str, got: object) -> ProblemError:
    """Return that something which is asked for is not there."""
    return ProblemError(HTTPStatus.NOT_FOUND, f"expected {what}, got {got!r}: it is not there, or is not any more")


def away(why: object) -> ProblemError:
    """Return that the database cannot be used at this moment."""
    detail = f"the database cannot be used now: {why}; try again, and if it stays so look at `foresense doctor`"
    return ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, detail, {"Retry-After": RETRY_S})


def response(
    status: int, detail: str, headers: Mapping[str, str] | None = None, errors: list[str] | None = None
) -> Response:
    """Return a problem as it is sent."""
    body = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, errors=errors or [])
    text = json.dumps(body.model_dump(), ensure_ascii=False).encode("utf-8", "backslashreplace")
    return Response(text, status, dict(headers or {}), MEDIA_TYPE)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what OpenAPI is to say of problems with these statuses."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in statuses
    }


#: what may come of any request
COMMON = documented(400, 401, 403, 413, 421, 422, 503)
UNKNOWN = documented(404)


def handle(app: FastAPI) -> None:
    """Have an application tell whatever goes wrong as a problem."""
    app.add_exception_handler(ProblemError, _problem)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(ForesenseError, _ours)
    app.add_exception_handler(sqlite3.Error, _database)
    app.add_exception_handler(Exception, _bug)


def _problem(_request: Request, error: Exception) -> Response:
    problem = error if isinstance(error, ProblemError) else ProblemError(500, str(error))
    return response(problem.status, problem.detail, problem.headers)


def _invalid(_request: Request, error: Exception) -> Response:
    found = error.errors() if isinstance(error, RequestValidationError) else []
    said = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in found]
    return response(
        422, f"expected a request as /v1/openapi.json describes it, got: {'; '.join(said)}"[:2000], errors=said
    )


def _http(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = error.headers if isinstance(error, HTTPException) else None
    detail = {
        404: f"expected a path that /v1/openapi.json lists, got {request.url.path}",
        405: f"expected a method that /v1/openapi.json lists, got {request.method} for {request.url.path}",
    }.get(status, str(getattr(error, "detail", error)))
    return response(status, detail, headers)


def _ours(_request: Request, error: Exception) -> Response:
    if isinstance(error.__cause__, sqlite3.Error):
        return _database(_request, error.__cause__)
    status = 422 if isinstance(error, DataError | ConfigError) else 400
    return response(status, str(error))


def _database(_request: Request, error: Exception) -> Response:
    log.warning("the database cannot be used: %s", error)
    problem = away(error)
    return response(problem.status, problem.detail, problem.headers)


def _bug(request: Request, _error: Exception) -> Response:
    log.error("%s %s failed", request.method, request.url.path, exc_info=_error)
    return response(500, "this is a mistake of ours, which the log tells of; please report it")
