"""Ledger and slots: whatever is found at the start, a whole bundle is in charge if there is one."""

import shutil
from pathlib import Path

import pytest

from edge.bundle import GOLDEN
from edge.updates.installation import MOST_STARTS, Installation
from edge.updates.keys import Keyring
from edge.updates.ledger import LEDGER, Ledger, State
from service.fleet.private_key import PrivateKey
from service.fleet.signing import write_signature
from tests.conftest import write_pump


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> PrivateKey:
    return PrivateKey.make(tmp_path_factory.mktemp("keys") / "release.key", "")


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory, key: PrivateKey) -> Path:
    folder = tmp_path_factory.mktemp("signed")
    for version in ("1", "2", "3"):
        write_signature(write_pump(folder, version=version).path, key, 3600, "0.1.0")
    return folder / "pump"


@pytest.fixture
def installation(tmp_path: Path, signed: Path, key: PrivateKey) -> Installation:
    """Return an installation with version 1 in charge."""
    shutil.copytree(signed / "1", tmp_path / "pump" / "1")
    made = Installation(tmp_path / "pump")
    made.recover(ring(key))
    return made


def ring(key: PrivateKey) -> Keyring:
    return Keyring({key.public.id: key.public})


def install(installation: Installation, signed: Path, version: str) -> None:
    """Put a version in charge, on trial."""
    shutil.copytree(signed / version, installation.slots.incoming)
    installation.record(state=State.VERIFIED, version=version)
    installation.install(version)


def again(installation: Installation, key: PrivateKey) -> Installation:
    """Return what the next start of the program makes of it."""
    after = Installation(installation.slots.folder)
    after.recover(ring(key))
    assert after.ledger == Ledger.load(after.slots.folder)
    assert after.slots.current() == after.ledger.in_charge
    return after


def test_a_copied_version_is_in_charge_at_the_first_start(installation: Installation) -> None:
    assert (installation.slots.current(), installation.ledger.slots, installation.ledger.highest) == ("1", ("1",), 1)


def test_the_highest_of_copied_versions_is_in_charge_and_none_is_removed(
    tmp_path: Path, signed: Path, key: PrivateKey
) -> None:
    shutil.copytree(signed, tmp_path / "pump")
    made = Installation(tmp_path / "pump")
    made.recover(ring(key))
    assert made.slots.current() == "3"
    install(made, signed, "3")
    made.commit()
    assert sorted(entry.name for entry in made.slots.folder.iterdir()) == ["1", "2", "3", "current", LEDGER]


def test_two_versions_stay_after_a_commit(installation: Installation, signed: Path) -> None:
    for version in ("2", "3"):
        install(installation, signed, version)
        installation.commit()
    assert installation.ledger.slots == ("3", "2")
    assert not installation.slots.path("1").exists()


def test_what_is_taken_back_is_removed_and_the_one_before_is_in_charge(
    installation: Installation, signed: Path
) -> None:
    install(installation, signed, "2")
    assert installation.slots.current() == "2"
    installation.take_back(State.ROLLED_BACK, "bad")
    assert (installation.slots.current(), installation.ledger.highest) == ("1", 2)
    assert not installation.slots.path("2").exists()


def test_a_bundle_on_trial_is_taken_back_when_the_program_has_started_too_often(
    installation: Installation, signed: Path, key: PrivateKey
) -> None:
    install(installation, signed, "2")
    for _ in range(MOST_STARTS - 1):
        installation = again(installation, key)
        assert installation.ledger.state is State.ACTIVE
    installation = again(installation, key)
    assert (installation.ledger.state, installation.ledger.in_charge) == (State.ROLLED_BACK, "1")
    assert "got 3 restarts of the program" in installation.ledger.reason


def test_a_damaged_version_gives_way_to_the_one_before(
    installation: Installation, signed: Path, key: PrivateKey
) -> None:
    install(installation, signed, "2")
    installation.commit()
    golden = installation.slots.path("2") / GOLDEN
    golden.write_bytes(golden.read_bytes()[:-1] + b"\1")
    installation = again(installation, key)
    assert (installation.ledger.state, installation.ledger.in_charge) == (State.ROLLED_BACK, "1")
    assert "expected the files of version 2 as they were signed, got damaged ones" in installation.ledger.reason


@pytest.mark.parametrize("junk", [b"", b"{", b"[]", b'{"state": "FINE"}', b"\xff\xfe"])
def test_a_ledger_that_cannot_be_read_is_begun_anew(
    junk: bytes, installation: Installation, signed: Path, key: PrivateKey
) -> None:
    install(installation, signed, "2")
    (installation.slots.folder / LEDGER).write_bytes(junk)
    installation = again(installation, key)
    assert (installation.ledger.in_charge, installation.ledger.highest) == ("2", 2)


def test_a_folder_that_cannot_be_written_leaves_the_one_before_in_charge(
    installation: Installation, signed: Path, key: PrivateKey
) -> None:
    shutil.copytree(signed / "2", installation.slots.incoming)
    installation.record(state=State.VERIFIED, version="2")
    draft = installation.slots.folder / f".{LEDGER}.draft"
    draft.mkdir()  # in the way of the ledger, as a full disk would be
    with pytest.raises(OSError, match="Is a directory"):
        installation.install("2")
    assert installation.slots.current() == installation.ledger.in_charge == "1"
    installation.fail("full")
    draft.rmdir()
    installation.keep()
    assert again(installation, key).ledger.reason == "full"
    assert not installation.slots.path("2").exists()


def test_a_version_that_cannot_be_opened_gives_way_while_a_download_goes_on(
    installation: Installation, signed: Path
) -> None:
    install(installation, signed, "2")
    installation.commit()
    installation.record(state=State.DOWNLOADING, version="3", order="0" * 16)
    installation.give_way("1", "no runtime opens it")
    ledger = installation.ledger
    assert (ledger.state, ledger.version, ledger.in_charge) == (State.DOWNLOADING, "3", "1")
    assert (installation.slots.current(), installation.slots.path("2").exists()) == ("1", False)


def test_a_version_that_cannot_be_opened_stays_if_there_is_none_before(installation: Installation) -> None:
    installation.give_way("", "no runtime opens it")
    ledger = installation.ledger
    assert (ledger.state, ledger.version, ledger.reason) == (State.FAILED, "1", "no runtime opens it")
    assert (installation.slots.current(), ledger.in_charge) == ("1", "1")
