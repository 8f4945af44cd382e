"""The guard: before anything else is done, who asks, whether they may, and whether it is our own page that asks."""

import asyncio
import ipaddress
import logging
import sqlite3
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import SplitResult, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api import audit
from service.api.accounts import Doorman
from service.api.problems import ProblemError, away, response
from service.api.roles import LOCAL, SAFE_METHODS, Identity, needed
from service.api.session import COOKIE
from service.api.settings import HttpSettings
from service.storage.access import Access

log = logging.getLogger(__name__)

MARK = "X-Foresense"  #: header that a page of another site cannot send without being asked about first
MOST_BYTES = 4 * 1024 * 1024  #: of a request's body
_KEPT_BYTES = 500  # of it, for the audit
_UNTOLD = frozenset({"/v1/session", "/v1/score"})  # whose bodies the audit does not keep

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Guard:
    """Middleware around the whole application."""

    def __init__(self, app: ASGIApp, settings: HttpSettings, doorman: Doorman, access: Access) -> None:
        self._app = app
        self._settings = settings
        self._hosts = settings.hosts
        self._doorman = doorman
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it with a problem."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(receive, send, is_encrypted=self._settings.tls is not None)
        scope["identity"] = None
        try:
            await self._admit(scope)
            exchange.check_length(Headers(scope=scope))
        except ProblemError as error:
            refusal = response(error.status, error.detail, error.headers)
            await refusal(scope, receive, exchange.send)
        else:
            await self._app(scope, exchange.receive, exchange.send)
        if scope["method"] not in SAFE_METHODS and scope["path"] != "/v1/score":
            await asyncio.to_thread(self._note, scope, exchange)

    async def _admit(self, scope: Scope) -> None:
        headers, method, path = Headers(scope=scope), scope["method"], scope["path"]
        self._check_host(headers)
        try:
            identity = await asyncio.to_thread(self._identify, headers)
        except sqlite3.Error as error:
            raise away(error) from error
        scope["identity"] = identity
        if method not in SAFE_METHODS:
            self._check_origin(headers, identity, scope["scheme"])
        role = needed(method, path)
        if role is None:
            return
        if identity is None:
            detail = "expected a session or a token in force, got none: log in, or send `Authorization: Bearer TOKEN`"
            raise ProblemError(401, detail, {"WWW-Authenticate": 'Bearer realm="foresense"'})
        if identity.role < role:
            raise ProblemError(403, f"expected the role {role.word}, got {identity.role.word}: ask an admin to do it")

    def _check_host(self, headers: Headers) -> None:
        """Refuse a name that is not ours, by which a page of another site would have a browser ask for us."""
        told = headers.get("host", "")
        name = (_parts(f"//{told}").hostname or "").lower()
        if name in self._hosts:
            return
        try:
            ipaddress.ip_address(name)
        except ValueError:
            detail = (
                f"expected to be asked for by one of {', '.join(sorted(self._hosts))} or an address, got {told[:100]!r}"
            )
            raise ProblemError(421, f"{detail}: add the name to `http.names`") from None

    def _identify(self, headers: Headers) -> Identity | None:
        """Return who it is; ProblemError if a secret is shown that is none, or not any more."""
        kind, _, token = headers.get("authorization", "").partition(" ")
        if kind:
            found = self._doorman.of_token(token.strip()) if kind.lower() == "bearer" else None
            if found is None:
                detail = (
                    "expected a token in force, got one unknown, expired or removed: `foresense tokens add` makes one"
                )
                raise ProblemError(401, detail, {"WWW-Authenticate": 'Bearer realm="foresense", error="invalid_token"'})
            return found
        secret = _cookie(headers.get("cookie", ""))
        session = self._doorman.of_session(secret) if secret else None
        return session or (None if self._settings.needs_login else LOCAL)

    def _check_origin(self, headers: Headers, identity: Identity | None, scheme: str) -> None:
        """Refuse what a page of another site may have had a browser send."""
        origin, site = headers.get("origin"), headers.get("sec-fetch-site")
        if origin is not None:
            theirs = _parts(origin if origin.count("://") == 1 else "")
            ours = headers.get("host", "")
            if theirs.netloc.lower() != ours.lower() or theirs.scheme not in ("http", "https"):
                raise ProblemError(403, f"expected a request of our own pages, got one of {origin[:100]!r}")
            if scheme == "https" and theirs.scheme != "https":
                raise ProblemError(403, "expected a request of an encrypted page, got one of a plain page")
        if site not in (None, "same-origin", "none"):
            raise ProblemError(403, f"expected a request of our own pages, got one that is {site[:20]}")
        if not (identity and identity.by_token) and MARK.lower() not in headers:
            raise ProblemError(403, f"expected the header `{MARK}: 1` with whatever changes something, got none")

    def _note(self, scope: Scope, exchange: "_Exchange") -> None:
        identity: Identity | None = scope["identity"]
        who, role = (identity.name, identity.role.word) if identity else ("nobody", "")
        address = scope["client"][0] if scope.get("client") else ""
        detail = "" if scope["path"] in _UNTOLD else exchange.kept.decode("utf-8", "replace")
        action = f"{scope['method']} {scope['path']}"[:_KEPT_BYTES]
        audit.note(self._access, who, role, address, action, detail, exchange.status)


class _Exchange:
    """One request and its answer: adds our headers, keeps the status, and refuses a body that is too long."""

    def __init__(self, receive: Receive, send: Send, *, is_encrypted: bool) -> None:
        self._receive = receive
        self._send = send
        self._is_encrypted = is_encrypted
        self._taken = 0
        self.kept = b""
        self.status = 0

    def check_length(self, headers: Headers) -> None:
        """Refuse a body that says it is too long."""
        told = headers.get("content-length", "0")
        if not (told.isascii() and told.isdecimal()) or int(told[:12]) > MOST_BYTES:
            raise ProblemError(413, f"expected a body of at most {MOST_BYTES} bytes, got {told[:20]}")

    async def receive(self) -> Message:
        """Return the next part of the request."""
        message = await self._receive()
        body = message.get("body", b"")
        self._taken += len(body)
        if self._taken > MOST_BYTES:
            raise ProblemError(413, f"expected a body of at most {MOST_BYTES} bytes, got more")
        self.kept += body[: _KEPT_BYTES - len(self.kept)]
        return message

    async def send(self, message: Message) -> None:
        """Send a part of the answer."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
            headers.setdefault("Cache-Control", "no-store")
            if self._is_encrypted:
                headers["Strict-Transport-Security"] = "max-age=31536000"
        await self._send(message)


def _parts(url: str) -> SplitResult:
    """Return the parts of a URL, which are empty if it is none."""
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")


def _cookie(text: str) -> str | None:
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(text)
    except CookieError:
        return None
    return jar[COOKIE].value if COOKIE in jar else None


def describe(schema: dict[str, Any]) -> None:
    """Have OpenAPI tell what the guard asks for: a token or a session, and the mark of what changes something."""
    schema["components"]["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer"},
        "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
    }
    mark = {
        "name": MARK,
        "in": "header",
        "required": False,
        "description": "Needed without a token: any value.",
        "schema": {"type": "string", "maxLength": 20},
    }
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            if needed(method.upper(), path) is not None:
                operation["security"] = [{"token": []}, {"session": []}]
            if method.upper() not in SAFE_METHODS:
                operation.setdefault("parameters", []).append(mark)
