"""Keys: whom a device trusts. A keyring is a text file with a public key a line.

    ed25519 KEY NAME

KEY is the raw Ed25519 public key, 64 hexadecimal digits; NAME is for people. Several lines are several keys, each as
good as the others: a key is replaced by adding the new one, signing with it, and taking the old one out. A key's id
is the first 16 hexadecimal digits of its SHA-256, so no two keys share one.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from edge.errors import BundleError, ConfigError

_LINE = re.compile(r"ed25519 ([0-9a-f]{64}) ([\w.@-]{1,64})")
_MOST_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key, and what people call it."""

    raw: bytes  #: 32 bytes
    name: str

    @property
    def id(self) -> str:
        """Return the key's id."""
        return hashlib.sha256(self.raw).hexdigest()[:16]

    @property
    def line(self) -> str:
        """Return the key as a line of a keyring."""
        return f"ed25519 {self.raw.hex()} {self.name}"

    @classmethod
    def parse(cls, line: str) -> Self:
        """Read a line of a keyring; ConfigError if it is none."""
        match = _LINE.fullmatch(line)
        if match is None:
            raise ConfigError(f"expected 'ed25519 KEY NAME' with a key of 64 hexadecimal digits, got {line[:100]!r}")
        return cls(bytes.fromhex(match[1]), match[2])


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys that are trusted, by id."""

    keys: dict[str, PublicKey]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a keyring file; ConfigError if it cannot be read, has a line that is no key, or has no key."""
        try:
            text = path.read_bytes()[:_MOST_BYTES].decode("ascii")
        except (OSError, UnicodeDecodeError) as error:
            got = error.strerror if isinstance(error, OSError) else "bytes that are no ASCII"
            raise ConfigError(f"{path}: expected a keyring file, got: {got}") from error
        keys = {}
        for number, line in enumerate(map(str.strip, text.splitlines()), 1):
            if line and not line.startswith("#"):
                try:
                    key = PublicKey.parse(line)
                except ConfigError as error:
                    raise ConfigError(f"{path}: line {number}: {error}") from error
                keys[key.id] = key
        if not keys:
            raise ConfigError(f"{path}: expected at least one public key, got none")
        return cls(keys)

    def check(self, key_id: str, signature: bytes, signed: bytes) -> None:
        """Check that a key of the ring has signed bytes; BundleError if it has not."""
        try:  # loaded only where something is verified
            from cryptography.exceptions import InvalidSignature
            from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        except ModuleNotFoundError as error:
            wanted = "expected cryptography to be installed (pip install 'foresense[updates]')"
            raise BundleError(f"signature: {wanted}, got no {error.name}") from error
        key = self.keys.get(key_id)
        if key is None:
            raise BundleError(f"signature: expected one by a trusted key ({', '.join(self.keys)}), got key {key_id}")
        try:
            Ed25519PublicKey.from_public_bytes(key.raw).verify(signature, signed)
        except (InvalidSignature, ValueError) as error:
            raise BundleError(f"signature: expected that of key {key_id} ({key.name}), got another") from error
