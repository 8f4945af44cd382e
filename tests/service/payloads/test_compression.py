import gzip
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
from backports import zstd

from edge.payloads.rejects import Reason, RejectError
from service.payloads.compression import expand

MOST = 1000
PLAIN = b'{"value": 21.5}'


@pytest.mark.parametrize("compress", [gzip.compress, zstd.compress, bytes])
def test_what_was_compressed_is_expanded(compress: Callable[[bytes], bytes]) -> None:
    assert expand(compress(PLAIN), MOST) == PLAIN


@pytest.mark.parametrize("compress", [gzip.compress, zstd.compress])
def test_what_was_compressed_in_parts_is_put_together(compress: Callable[[bytes], bytes]) -> None:
    assert expand(compress(b"[1,") + compress(b"2]"), MOST) == b"[1,2]"


@pytest.mark.parametrize("payload", [b"", b"(1)", b"\x1f", b"21.5", zlib.compress(PLAIN)])
def test_anything_else_is_left_as_it_is(payload: bytes) -> None:
    assert expand(payload, MOST) == payload


@pytest.mark.parametrize("compress", [gzip.compress, zstd.compress])
def test_a_bomb_is_refused_before_it_goes_off(compress: Callable[[bytes], bytes]) -> None:
    bombs = [compress(b"0" * 50_000_000), compress(b"0" * MOST) * 50]
    tracemalloc.start()
    for bomb in bombs:
        with pytest.raises(RejectError) as reject:
            expand(bomb, MOST)
        assert reject.value.reason is Reason.SIZE
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


@pytest.mark.parametrize("compress", [gzip.compress, zstd.compress])
def test_as_much_as_is_allowed_passes(compress: Callable[[bytes], bytes]) -> None:
    assert len(expand(compress(b"0" * MOST), MOST)) == MOST


def test_a_zstd_frame_that_asks_for_much_memory_is_refused() -> None:
    options = {int(zstd.CompressionParameter.window_log): 27}
    compressor = zstd.ZstdCompressor(options=options)
    frame = compressor.compress(PLAIN) + compressor.flush()  # of unknown length, so the window counts
    with pytest.raises(RejectError) as reject:
        expand(frame, MOST)
    assert reject.value.reason is Reason.SYNTAX


@pytest.mark.parametrize("compress", [gzip.compress, zstd.compress])
def test_what_is_cut_or_damaged_is_refused(compress: Callable[[bytes], bytes]) -> None:
    sound = compress(PLAIN)
    for damaged in (sound[:-3], sound + b"x", sound + sound[:9], sound[:4]):
        with pytest.raises(RejectError) as reject:
            expand(damaged, MOST)
        assert reject.value.reason is Reason.SYNTAX


def test_gzip_with_a_wrong_checksum_is_refused() -> None:
    with pytest.raises(RejectError, match="expected sound compressed data"):
        expand(gzip.compress(PLAIN)[:-8] + bytes(8), MOST)
