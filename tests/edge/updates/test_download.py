"""Downloads from a shelf: broken off and resumed, with parts that are lost, doubled, cut short and changed."""

import errno
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from edge.bundle import SIGNATURE
from edge.errors import BundleError
from edge.updates.chunk import CHUNK_BYTES, Chunk, Request
from edge.updates.document import Document
from edge.updates.download import Download
from edge.updates.keys import Keyring
from edge.updates.rules import RESERVE_BYTES, check_room
from edge.updates.signature import check_folder
from service.fleet.private_key import PrivateKey
from service.fleet.shelf import Shelf
from service.fleet.signing import write_signature
from tests.conftest import write_large_pump

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to mount a small file system")
SIZE = 300_000  # bytes of the largest file: five parts
Mangle = Callable[[bytes], list[bytes]]


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> PrivateKey:
    return PrivateKey.make(tmp_path_factory.mktemp("keys") / "release.key", "")


@pytest.fixture(scope="module")
def keyring_file(tmp_path_factory: pytest.TempPathFactory, key: PrivateKey) -> Path:
    path = tmp_path_factory.mktemp("keyring") / "keyring"
    path.write_text(f"{key.public.line}\n")
    return path


@pytest.fixture(scope="module")
def keyring(keyring_file: Path) -> Keyring:
    return Keyring.read(keyring_file)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory, key: PrivateKey, keyring: Keyring) -> Shelf:
    path = write_large_pump(tmp_path_factory.mktemp("bundles"), "2", SIZE).path
    write_signature(path, key, 3600, "0.1.0")
    return Shelf(path, keyring)


class Line:
    """What lies between a download and a shelf; `mangle` makes the messages that come of one."""

    def __init__(self, shelf: Shelf, folder: Path, keyring: Path) -> None:
        self.requests: list[Request] = []
        self.now_s = 0.0
        self.download = Download("pump", "2", shelf.deployment, folder, keyring)
        self._shelf = shelf

    def run(self, mangle: Mangle = lambda message: [message], parts: int = 100) -> None:
        """Go on until all is there, or for so many requests."""
        self.download.open(admit)
        for _ in range(parts):
            before = len(self.requests)
            self.download.turn(self.now_s, self.requests.append)
            if self.download.is_whole:
                return
            self.now_s += 0.001 if len(self.requests) > before else 100.0
            if len(self.requests) > before and (chunk := self._shelf.answer(self.requests[-1])):
                for message in mangle(chunk.to_bytes()):
                    self.download.take(message, admit)


def admit(_document: Document) -> None:
    """Take any bundle."""


@pytest.fixture
def line(shelf: Shelf, tmp_path: Path, keyring_file: Path) -> Line:
    return Line(shelf, tmp_path / ".incoming", keyring_file)


def test_a_download_is_the_bundle_byte_for_byte(line: Line, tmp_path: Path, keyring: Keyring) -> None:
    line.run()
    assert check_folder(tmp_path / ".incoming", keyring).size == line.download.progress[0] == line.download.progress[1]
    assert line.requests[0].file == SIGNATURE
    assert max(request.length for request in line.requests[1:]) == CHUNK_BYTES
    assert line.download.damaged == 0


def test_a_download_that_is_broken_off_goes_on_where_it_was(
    line: Line, shelf: Shelf, tmp_path: Path, keyring_file: Path, keyring: Keyring
) -> None:
    line.run(parts=7)
    received = line.download.progress[0]
    assert CHUNK_BYTES < received < shelf.document.size
    second = Line(shelf, tmp_path / ".incoming", keyring_file)
    second.run()
    assert check_folder(tmp_path / ".incoming", keyring) == shelf.document
    assert sum(request.length for request in second.requests) == shelf.document.size - received


@pytest.mark.parametrize(
    "mangle",
    [
        pytest.param(lambda message: [message, message], id="each comes twice"),
        pytest.param(lambda message: [message[:-1], message], id="cut short by a byte"),
        pytest.param(lambda message: [message[: len(message) // 2], message], id="cut in half"),
        pytest.param(lambda message: [message[:10], b"", message], id="cut to nothing"),
        pytest.param(lambda message: [message[:-1] + bytes([message[-1] ^ 1]), message], id="changed in the last byte"),
        pytest.param(lambda message: [b"XXXX" + message[4:], message], id="of something else"),
        pytest.param(lambda message: [message + b"x", message], id="a byte too long"),
        pytest.param(lambda message: [message[:4] + bytes(16) + message[20:], message], id="of another deployment"),
    ],
)
def test_a_part_that_is_doubled_or_damaged_changes_nothing_and_is_counted(
    mangle: Mangle, line: Line, tmp_path: Path, keyring: Keyring
) -> None:
    line.run(mangle)
    check_folder(tmp_path / ".incoming", keyring)
    assert line.download.damaged >= len(line.requests)


def test_what_is_lost_is_asked_for_again_ever_less_often(line: Line) -> None:
    line.download.open(admit)
    sent_s = []
    for second in range(200):
        before = len(line.requests)
        line.download.turn(float(second), line.requests.append)
        if len(line.requests) > before:
            sent_s.append(second)
    assert sent_s == [0, 2, 6, 14, 30, 62, 122, 182]
    assert len(set(line.requests)) == 1


def test_a_file_that_is_another_than_the_signed_one_is_fetched_twice_and_then_refused(
    line: Line, tmp_path: Path
) -> None:
    def change(message: bytes) -> list[bytes]:
        chunk = Chunk.from_bytes(message)
        asked = line.requests[-1].file
        data = chunk.data if asked == SIGNATURE else bytes(len(chunk.data))
        return [Chunk(chunk.deployment, chunk.number, chunk.offset, chunk.size, data).to_bytes()]

    with pytest.raises(BundleError, match="expected the bytes that are signed, got others 2 times"):
        line.run(change)
    assert [entry.name for entry in (tmp_path / ".incoming").iterdir()] == [SIGNATURE]


def test_another_signature_than_that_of_the_order_is_refused(line: Line) -> None:
    def change(message: bytes) -> list[bytes]:
        chunk = Chunk.from_bytes(message)
        return [Chunk(chunk.deployment, chunk.number, chunk.offset, chunk.size, chunk.data[::-1]).to_bytes()]

    with pytest.raises(BundleError, match=r"signature\.json: expected that of deployment "):
        line.run(change)


def test_a_file_that_the_deploying_side_has_not_ends_the_download(line: Line, shelf: Shelf) -> None:
    line.download.open(admit)
    line.download.turn(0, line.requests.append)
    asked = line.requests[-1]
    with pytest.raises(BundleError, match="expected the deploying side to have it"):
        line.download.take(Chunk(shelf.deployment, asked.number, 0, 0, b"").to_bytes(), admit)


def test_what_was_left_of_another_order_is_removed(line: Line, tmp_path: Path) -> None:
    folder = tmp_path / ".incoming"
    folder.mkdir()
    (folder / SIGNATURE).write_bytes(b"{}")
    (folder / "step.onnx").write_bytes(b"old")
    line.download.open(admit)
    assert list(folder.iterdir()) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a folder on a file system of 20 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", folder], check=True)


def fill(folder: Path, leave: int = 0) -> None:
    """Leave so many bytes of a file system."""
    with (folder / "filler").open("wb", buffering=0) as file, suppress(OSError):
        while os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize > leave:
            file.write(bytes(4096))


@AS_ROOT
def test_a_bundle_that_does_not_fit_on_the_disk_is_refused_beforehand(shelf: Shelf, small_disk: Path) -> None:
    check_room(shelf.document, small_disk)
    fill(small_disk, RESERVE_BYTES + SIZE)
    with pytest.raises(BundleError, match=r"bundle pump/2: expected 17\.1 MB free on the disk, got 17\.\d MB"):
        check_room(shelf.document, small_disk)


@AS_ROOT
def test_a_disk_that_becomes_full_ends_the_download(shelf: Shelf, small_disk: Path, keyring_file: Path) -> None:
    line = Line(shelf, small_disk / ".incoming", keyring_file)
    line.run(parts=3)
    fill(small_disk)
    with pytest.raises(OSError, match="No space left") as caught:
        line.run()
    assert caught.value.errno == errno.ENOSPC
