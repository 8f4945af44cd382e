"""Accounts: users, tokens and sessions in the database. Nothing there lets anybody in: secrets are stored as hashes."""

import re
import time
from typing import NamedTuple

from edge.errors import ConfigError
from service.api.reader import Reader
from service.api.roles import Identity, Role
from service.api.secrets import digest, hash_password, is_password, new_token
from service.storage.access import Access

SESSION_S = 12 * 3600
_NAME = re.compile(r"[\w.@+-]{1,64}")


class Account(NamedTuple):
    """A user or a token."""

    name: str
    role: Role
    created: int  #: UTC epoch, ms
    expires: int | None = None


class Accounts:
    """Changes users, tokens and sessions, each in a short transaction."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def add_user(self, name: str, role: Role, password: str) -> None:
        """Add a user, or give one another role and password, which ends their sessions."""
        _check_name(name)
        stored = hash_password(password)
        with self._access.transaction() as db:
            db.execute("DELETE FROM session WHERE user = ?", (name,))
            db.execute("INSERT OR REPLACE INTO user VALUES (?, ?, ?, ?)", (name, role.word, stored, _now_ms()))

    def remove_user(self, name: str) -> None:
        """Remove a user and their sessions; ConfigError if there is none."""
        with self._access.transaction() as db:
            db.execute("DELETE FROM session WHERE user = ?", (name,))
            if not db.execute("DELETE FROM user WHERE name = ?", (name,)).rowcount:
                raise ConfigError(f"expected the name of a user, got {name!r}: `foresense users list` has them")

    def users(self) -> list[Account]:
        """Return the users by name."""
        with self._access.connection() as db:
            rows = db.execute("SELECT name, role, created FROM user ORDER BY name")
            return [Account(name, Role[role.upper()], created) for name, role, created in rows]

    def add_token(self, name: str, role: Role, lasts_ms: int | None) -> str:
        """Add a token and return it; ConfigError if there is one of that name."""
        _check_name(name)
        token, now = new_token(), _now_ms()
        with self._access.transaction() as db:
            if db.execute("SELECT 1 FROM token WHERE name = ?", (name,)).fetchone():
                raise ConfigError(f"expected a name that no token has, got {name!r}: remove that one first")
            expires = None if lasts_ms is None else now + lasts_ms
            db.execute("INSERT INTO token VALUES (?, ?, ?, ?, ?)", (name, role.word, digest(token), now, expires))
        return token

    def remove_token(self, name: str) -> None:
        """Have a token let nobody in any more; ConfigError if there is none."""
        with self._access.transaction() as db:
            if not db.execute("DELETE FROM token WHERE name = ?", (name,)).rowcount:
                raise ConfigError(f"expected the name of a token, got {name!r}: `foresense tokens list` has them")

    def tokens(self) -> list[Account]:
        """Return the tokens by name, without their secrets."""
        with self._access.connection() as db:
            rows = db.execute("SELECT name, role, created, expires FROM token ORDER BY name")
            return [Account(name, Role[role.upper()], created, expires) for name, role, created, expires in rows]

    def log_in(self, name: str, password: str) -> str | None:
        """Return the secret of a new session; None if name and password are not those of a user."""
        with self._access.connection() as db:
            row = db.execute("SELECT password FROM user WHERE name = ?", (name,)).fetchone()
        if not is_password(password, row[0] if row else ""):
            return None
        secret, now = new_token(), _now_ms()
        with self._access.transaction() as db:
            db.execute("DELETE FROM session WHERE expires < ?", (now,))
            db.execute("INSERT INTO session VALUES (?, ?, ?)", (digest(secret), name, now + 1000 * SESSION_S))
        return secret

    def log_out(self, session: str) -> None:
        """End a session, told by its digest."""
        with self._access.transaction() as db:
            db.execute("DELETE FROM session WHERE digest = ?", (session,))


class Doorman:
    """Tells who somebody is by the secret that they show."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def of_token(self, token: str) -> Identity | None:
        """Return whose token it is; None if it is none, or not any more."""
        find = "SELECT name, role FROM token WHERE digest = ? AND coalesce(expires, ?) > ?"
        now = _now_ms()
        row = self._reader.row(find, (digest(token), now + 1, now))
        return Identity(f"token {row[0]}", Role[row[1].upper()], by_token=True) if row else None

    def of_session(self, secret: str) -> Identity | None:
        """Return whose session it is; None if it is none, or not any more."""
        find = "SELECT name, role FROM session JOIN user ON user.name = session.user WHERE digest = ? AND expires > ?"
        row = self._reader.row(find, (found := digest(secret), _now_ms()))
        return Identity(row[0], Role[row[1].upper()], session=found) if row else None


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise ConfigError(f"name: expected up to 64 letters, digits, and any of . @ + - _, got {name!r}")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
