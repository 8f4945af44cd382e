"""Envelopes: JSON that a key has signed, of a fixed form, of which nothing is parsed before the signature is right.

    {"key":"16 hexadecimal digits","signature":"128 hexadecimal digits","signed":{...}}

Key, signature and what is signed are cut out by their places, and the signature is checked over those very bytes.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from edge.errors import BundleError
from edge.updates.keys import Keyring

_FORM = re.compile(rb'\{"key":"([0-9a-f]{16})","signature":"([0-9a-f]{128})","signed":(\{.*\})\}\n', re.DOTALL)

Sign = Callable[[bytes], bytes]  #: returns the Ed25519 signature (64 bytes) of what it is given


@dataclass(frozen=True, slots=True)
class Envelope:
    """One kind of what is signed."""

    what: str  #: as it is called where it is refused
    purpose: bytes  #: signed besides: a signature that was made for something else is none here
    most_bytes: int  #: of the whole

    def seal(self, signed: bytes, key: str, sign: Sign) -> bytes:
        """Return what is signed in its envelope; `key` is the id of the key that signs."""
        signature = sign(self.purpose + signed).hex()
        return b'{"key":"%s","signature":"%s","signed":%s}\n' % (key.encode(), signature.encode(), signed)

    def open(self, data: bytes, keyring: Keyring) -> tuple[str, bytes]:
        """Return the key's id and what it has signed; BundleError unless the keyring trusts that key."""
        form = _FORM.fullmatch(data) if len(data) <= self.most_bytes else None
        if form is None:
            wanted = f"expected something signed, of at most {self.most_bytes} bytes"
            raise BundleError(f"{self.what}: {wanted}, got {len(data)} bytes that are not")
        key, signature, signed = form[1].decode(), bytes.fromhex(form[2].decode()), form[3]
        keyring.check(key, signature, self.purpose + signed)
        return key, signed
