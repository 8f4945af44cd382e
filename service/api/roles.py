"""Roles: who may do what. A route that is not named here needs a viewer to read and an operator to change."""

from enum import IntEnum
from typing import NamedTuple

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Role(IntEnum):
    """What somebody may do; each may do what those before may."""

    VIEWER = 1  #: see everything but the audit
    OPERATOR = 2  #: acknowledge, label, mute, set budgets, replay dead letters
    ADMIN = 3  #: throw dead letters away, read the audit

    @property
    def word(self) -> str:
        """Return its name as it is written."""
        return self.name.lower()


class Identity(NamedTuple):
    """Whoever asks."""

    name: str
    role: Role
    by_token: bool = False  #: which no page of another site can send
    session: str | None = None  #: digest of the session's secret


LOCAL = Identity("local", Role.ADMIN)  #: whoever is on this host, where no login is needed
OPEN = frozenset({("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/v1/session"), ("POST", "/v1/session")})
_NEEDS = {
    ("GET", "/v1/audit"): Role.ADMIN,
    ("POST", "/v1/dead-letters/purge"): Role.ADMIN,
    ("POST", "/v1/score"): Role.VIEWER,
    ("DELETE", "/v1/session"): Role.VIEWER,
}


def needed(method: str, path: str) -> Role | None:
    """Return the role that a request needs; None if it needs none.

    >>> needed("GET", "/v1/streams"), needed("PUT", "/v1/budgets/pump"), needed("GET", "/healthz")
    (<Role.VIEWER: 1>, <Role.OPERATOR: 2>, None)
    """
    method = "GET" if method == "HEAD" else method
    if (method, path) in OPEN or (method == "GET" and is_page(path)):
        return None
    return _NEEDS.get((method, path), Role.VIEWER if method in SAFE_METHODS else Role.OPERATOR)


def is_page(path: str) -> bool:
    """Whether a path is part of the dashboard's own files, which tell nothing of the plant."""
    return path == "/" or path.startswith("/assets/")
