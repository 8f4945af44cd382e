"""Orders: what a trusted key has signed is read, and nothing else gets as far as a parser."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge.errors import BundleError, DataError
from edge.updates.keys import Keyring
from edge.updates.order import Order, check_order, order_message
from edge.updates.signature import signature_bytes
from service.fleet.private_key import PrivateKey
from service.fleet.shelf import Shelf
from service.fleet.signing import write_signature
from tests.conftest import write_pump

ORDER = Order(
    action="deploy",
    id="0" * 16,
    device="pi-1",
    bundle="pump",
    version="2",
    deployment="a" * 32,
    number=1_700_000_000_000,
)


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> PrivateKey:
    return PrivateKey.make(tmp_path_factory.mktemp("keys") / "release.key", "")


@pytest.fixture(scope="module")
def keyring(key: PrivateKey) -> Keyring:
    return Keyring({key.public.id: key.public})


@pytest.fixture(scope="module")
def message(key: PrivateKey) -> bytes:
    return order_message(ORDER, key.public.id, key.sign)


def test_a_signed_order_is_read(message: bytes, keyring: Keyring) -> None:
    assert check_order(message, keyring) == ORDER


def test_every_change_of_a_byte_is_refused_before_a_parser_sees_it(
    message: bytes, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    def parser(*_: object, **__: object) -> None:
        raise AssertionError("a parser has seen bytes that nobody has signed")

    monkeypatch.setattr(json, "loads", parser)
    data = bytearray(message)
    for at in range(len(data)):
        for bit in range(8):
            data[at] ^= 1 << bit
            with pytest.raises(BundleError):
                check_order(bytes(data), keyring)
            data[at] ^= 1 << bit


@pytest.mark.parametrize("junk", [b"", b"{", b"null", b"x" * 5000, b"[" * 1000])
def test_what_is_not_signed_is_refused(junk: bytes, keyring: Keyring) -> None:
    with pytest.raises(BundleError, match=r"order: expected something signed, of at most 1024 bytes, got \d+ bytes"):
        check_order(junk, keyring)


def test_an_order_of_another_key_is_refused(tmp_path: Path, key: PrivateKey, keyring: Keyring) -> None:
    other = PrivateKey.make(tmp_path / "other.key", "")
    with pytest.raises(BundleError, match=f"by a trusted key .{key.public.id}., got key {other.public.id}"):
        check_order(order_message(ORDER, other.public.id, other.sign), keyring)
    with pytest.raises(BundleError, match=f"expected that of key {key.public.id}"):
        check_order(order_message(ORDER, key.public.id, other.sign), keyring)


def test_a_bundles_signature_is_none_of_an_order(tmp_path: Path, key: PrivateKey, keyring: Keyring) -> None:
    path = write_pump(tmp_path).path
    write_signature(path, key, 3600, "0.1.0")
    document = Shelf(path, keyring).document
    small = replace(document, files={})  # so that it is not refused for its length
    with pytest.raises(BundleError, match=f"expected that of key {key.public.id}"):
        check_order(signature_bytes(small, key.sign), keyring)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"action": "burn"}, "action 'burn'"),
        ({"action": "rollback"}, "action 'rollback' with deployment 'aaa"),
        ({"deployment": ""}, "action 'deploy' with deployment ''"),
        ({"id": "x"}, "id 'x'"),
        ({"device": "pi/1"}, "device 'pi/1'"),
        ({"bundle": ".."}, r"bundle '\.\.'"),
        ({"version": "01"}, "version '01'"),
        ({"version": 2}, "expected string"),
        ({"number": 0}, "number 0"),
        ({"number": 1.5}, "number 1.5"),
        ({"number": 2**60}, f"number {2**60}"),
        ({"more": 1}, "unexpected keyword argument 'more'"),
    ],
)
def test_a_signed_order_that_makes_no_sense_is_refused(
    change: dict[str, Any], problem: str, message: bytes, key: PrivateKey, keyring: Keyring
) -> None:
    signed = json.dumps(json.loads(message)["signed"] | change)
    signature = key.sign(f"foresense order 1\n{signed}".encode()).hex()
    data = f'{{"key":"{key.public.id}","signature":"{signature}","signed":{signed}}}\n'
    with pytest.raises(DataError, match=f"order: expected the fields of an order, got: .*{problem}"):
        check_order(data.encode(), keyring)
