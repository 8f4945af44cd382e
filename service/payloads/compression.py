"""Compressed payloads: gzip and zstd, told by their first bytes, and never more of them than is allowed."""

import zlib

from backports.zstd import DecompressionParameter, ZstdDecompressor, ZstdError

from edge.payloads.rejects import Reason, RejectError

GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_WINDOW_LOG = 23  # 8 MiB, as much as a zstd frame may ask for
_FIRST = frozenset({GZIP[0], ZSTD[0]})


def expand(payload: bytes, most: int) -> bytes:
    """Return a payload as it was before it was compressed, if it is; RejectError beyond `most` bytes.

    >>> import gzip
    >>> expand(gzip.compress(b"21.5"), 100), expand(b"21.5", 100)
    (b'21.5', b'21.5')
    """
    if not payload or payload[0] not in _FIRST:
        return payload
    if payload.startswith(GZIP):
        return _expand(payload, most, gzip=True)
    return _expand(payload, most, gzip=False) if payload.startswith(ZSTD) else payload


def _expand(payload: bytes, most: int, gzip: bool) -> bytes:
    whole = b""
    while payload:  # members or frames, one after the other
        stream = (
            zlib.decompressobj(16 + zlib.MAX_WBITS)
            if gzip
            else ZstdDecompressor(options={DecompressionParameter.window_log_max: _WINDOW_LOG})
        )
        try:
            whole += stream.decompress(payload, most + 1 - len(whole))
        except (zlib.error, ZstdError) as error:
            raise RejectError(Reason.SYNTAX, f"expected sound compressed data, got: {error}") from error
        if len(whole) > most:
            raise RejectError(Reason.SIZE, f"expected at most {most} bytes, got more of compressed data")
        if not stream.eof:
            raise RejectError(Reason.SYNTAX, "expected complete compressed data, got an end in the middle")
        payload = stream.unused_data
    return whole
