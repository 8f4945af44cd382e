"""/v1/session: logging in and out, and who one is."""

import asyncio
import math
from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from service.api.accounts import SESSION_S, Accounts
from service.api.answers import FromSource
from service.api.problems import ProblemError, documented
from service.api.roles import Identity
from service.api.throttle import Throttle

router = APIRouter(tags=["session"])

COOKIE = "foresense"
_MOST_AT_ONCE = 2  # passwords that are looked at: each takes 32 MiB


class Credentials(BaseModel):
    """Who wants to log in."""

    user: str = Field(max_length=64)
    password: str = Field(max_length=1000)


class Session(BaseModel):
    """Who one is."""

    user: str | None = Field(description="null: nobody yet")
    role: Literal["viewer", "operator", "admin"] | None
    login: bool = Field(description="whether the service asks for a login at all")


class Gate:
    """Lets few passwords be looked at at once, and those who guess wait."""

    def __init__(self) -> None:
        self.throttle = Throttle()
        self.room = asyncio.Semaphore(_MOST_AT_ONCE)


@router.get("/v1/session", response_model=Session)
async def who_am_i(request: Request, source: FromSource) -> Session:
    """Tell who one is; nobody, if one has not logged in."""
    identity: Identity | None = request.scope["identity"]
    needs_login = source.settings.http is not None and source.settings.http.needs_login
    if identity is None:
        return Session(user=None, role=None, login=needs_login)
    return Session(user=identity.name, role=identity.role.word, login=needs_login)  # type: ignore[arg-type]


@router.post("/v1/session", response_model=Session, responses=documented(429))
async def log_in(request: Request, response: Response, source: FromSource, wanted: Credentials) -> Session:
    """Log in: the answer sets a cookie for twelve hours, which only this service's own pages can send."""
    gate: Gate = request.app.state.gate
    keys = f"user {wanted.user}", f"from {request.client.host if request.client else ''}"
    if (wait_s := gate.throttle.wait_s(*keys)) > 0:
        detail = f"expected the right password, got too many wrong ones: try again in {math.ceil(wait_s)} s"
        raise ProblemError(429, detail, {"Retry-After": str(math.ceil(wait_s))})
    accounts = Accounts(source.access)
    gate.throttle.failed(*keys)  # until it is known to be right, so that many at once are counted too
    async with gate.room:
        secret = await asyncio.to_thread(accounts.log_in, wanted.user, wanted.password)
    if secret is None:
        raise ProblemError(401, "expected the name and the password of a user, got others; `foresense users` adds some")
    gate.throttle.succeeded(*keys)
    found = request.app.state.doorman.of_session(secret)
    is_secure = source.settings.http is not None and source.settings.http.tls is not None
    response.set_cookie(COOKIE, secret, max_age=SESSION_S, path="/", secure=is_secure, httponly=True, samesite="strict")
    response.headers["Cache-Control"] = "no-store"
    request.scope["identity"] = found
    return Session(user=found.name, role=found.role.word, login=True)


@router.delete("/v1/session", status_code=204)
async def log_out(request: Request, source: FromSource) -> Response:
    """Log out: the session is over, whoever has its cookie."""
    identity: Identity = request.scope["identity"]
    if identity.session is not None:
        await asyncio.to_thread(Accounts(source.access).log_out, identity.session)
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
    return response
