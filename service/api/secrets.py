"""Secrets: passwords as scrypt hashes, and tokens, which are random, as plain digests."""

import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode

from edge.errors import ConfigError

LEAST_PASSWORD, MOST_PASSWORD = 10, 1000
_N, _R, _P = 2**15, 8, 1  # 32 MiB and some 0.1 s a guess (RFC 7914; OWASP's choice for interactive logins)
_MOST_MEMORY = 64 * 1024 * 1024
TOKEN_PREFIX = "fs_"  # noqa: S105  what a scanner of leaked secrets finds them by


def hash_password(password: str) -> str:
    """Return what is stored of a password; ConfigError if it is too short."""
    if not LEAST_PASSWORD <= len(password) <= MOST_PASSWORD:
        raise ConfigError(f"password: expected {LEAST_PASSWORD} to {MOST_PASSWORD} signs, got {len(password)}")
    salt = secrets.token_bytes(16)
    return f"scrypt${_N}${_R}${_P}${_text(salt)}${_text(_derive(password, salt, _N, _R, _P))}"


def is_password(password: str, stored: str) -> bool:
    """Whether a password is the stored one; takes as long if nothing is stored."""
    _, n, r, p, salt, wanted = (stored or _NOBODY).split("$")
    found = _derive(password[:MOST_PASSWORD], b64decode(salt), int(n), int(r), int(p))
    return hmac.compare_digest(found, b64decode(wanted)) and bool(stored)


def new_token() -> str:
    """Return a secret that nobody can guess."""
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """Return what is stored of a token: it is random, so nobody can search for it."""
    return hashlib.sha256(token.encode()).hexdigest()


def _derive(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    raw = password.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(raw, salt=salt, n=n, r=r, p=p, maxmem=_MOST_MEMORY, dklen=32)


def _text(data: bytes) -> str:
    return b64encode(data).decode()


_NOBODY = f"scrypt${_N}${_R}${_P}${_text(bytes(16))}${_text(bytes(32))}"
