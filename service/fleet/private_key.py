"""Private keys: files that only their owner can read, with a passphrase if one is given."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.errors import ConfigError
from edge.secret import read_secret
from edge.updates.keys import PublicKey

PASSPHRASE = "FORESENSE_KEY_PASSPHRASE"  # noqa: S105  name of the environment's variable
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True, repr=False)
class PrivateKey:
    """A key that signs bundles and orders; it never shows itself."""

    key: Ed25519PrivateKey
    name: str

    @property
    def public(self) -> PublicKey:
        """Return the key that devices are to trust."""
        return PublicKey(self.key.public_key().public_bytes_raw(), self.name)

    def sign(self, data: bytes) -> bytes:
        """Return the signature of data."""
        return self.key.sign(data)

    @classmethod
    def make(cls, path: Path, passphrase: str) -> Self:
        """Write a new key to a new file of mode 0600; ConfigError if that cannot be done."""
        made = cls(Ed25519PrivateKey.generate(), path.stem)
        protection = (
            serialization.BestAvailableEncryption(passphrase.encode()) if passphrase else serialization.NoEncryption()
        )
        text = made.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection)
        try:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(text)
        except OSError as error:
            raise ConfigError(f"{path}: expected a new file that can be written, got: {error.strerror}") from error
        return made

    @classmethod
    def read(cls, path: Path, passphrase: str) -> Self:
        """Read a key; ConfigError if it is none, if others can read it, or if the passphrase is another."""
        try:
            with path.open("rb") as file:
                mode = os.fstat(file.fileno()).st_mode
                text = file.read()
        except OSError as error:
            raise ConfigError(f"{path}: expected a file with a private key, got: {error.strerror}") from error
        if mode & _OTHERS:
            raise ConfigError(
                f"{path}: expected a file that only its owner can read (chmod 600), got mode {mode & 0o777:o}"
            )
        try:
            key = serialization.load_pem_private_key(text, passphrase.encode() or None)
        except TypeError as error:  # it says which of the two it is
            wanted = "no passphrase" if passphrase else f"its passphrase, by --passphrase-file or {PASSPHRASE}"
            raise ConfigError(f"{path}: expected {wanted}, got {'one' if passphrase else 'none'}") from error
        except ValueError as error:
            raise ConfigError(f"{path}: expected a private key (PEM) and its passphrase, got something else") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise ConfigError(f"{path}: expected an Ed25519 key, got another kind")
        return cls(key, path.stem)


def read_passphrase(path: Path | None) -> str:
    """Return the passphrase of a file, else of the environment; '' if there is none."""
    return os.environ.get(PASSPHRASE, "") if path is None else read_secret(path, "passphrase")
