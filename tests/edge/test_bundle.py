import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from edge.bundle import GOLDEN, MANIFEST, SEAL, STEP_ONNX, Bundle, find_bundle, read_bundle, write_bundle
from edge.errors import BundleError
from edge.golden import self_test
from edge.manifest import Manifest

MakeBundle = Callable[..., Bundle]


def test_a_fresh_bundle_verifies(make_bundle: MakeBundle) -> None:
    assert self_test(make_bundle()) == 40


def test_a_manifest_reads_back_as_written(make_bundle: MakeBundle) -> None:
    manifest = make_bundle(channels=("flow", "pressure")).manifest
    assert Manifest.from_json(manifest.to_json()) == manifest


@pytest.mark.parametrize("name", [MANIFEST, SEAL, STEP_ONNX, GOLDEN])
def test_a_changed_byte_is_found_wherever_it_is(make_bundle: MakeBundle, name: str) -> None:
    path = make_bundle().path / name
    data = path.read_bytes()
    for at in range(0, len(data), max(1, len(data) // 50)):
        path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        with pytest.raises(BundleError, match="expected SHA-256"):
            read_bundle(path.parent)


@pytest.mark.parametrize("name", [MANIFEST, SEAL, STEP_ONNX])
def test_a_missing_file_is_named(make_bundle: MakeBundle, name: str) -> None:
    path = make_bundle().path / name
    path.unlink()
    with pytest.raises(BundleError, match=f"{name}: expected a readable file"):
        read_bundle(path.parent)


def test_a_file_that_the_manifest_does_not_list_is_refused(make_bundle: MakeBundle) -> None:
    path = make_bundle().path
    (path / "extra.py").write_text("print()")
    with pytest.raises(BundleError, match=r"'extra\.py' besides"):
        read_bundle(path)


def test_a_shorter_file_is_refused_by_its_size(make_bundle: MakeBundle) -> None:
    path = make_bundle().path / STEP_ONNX
    size = path.stat().st_size
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(BundleError, match=f"expected {size} bytes, got {size - 1}"):
        read_bundle(path.parent)


def test_a_manifest_may_list_only_known_files(make_bundle: MakeBundle) -> None:
    bundle = make_bundle()
    with pytest.raises(BundleError, match=r"got '\.\./evil'"):
        write_bundle(bundle.path.parent.parent, replace(bundle.manifest, version="2"), {"../evil": b""})


def test_a_version_is_never_written_twice(make_bundle: MakeBundle) -> None:
    bundle = make_bundle()
    with pytest.raises(BundleError, match="expected a version that is not there yet"):
        write_bundle(bundle.path.parent.parent, bundle.manifest, bundle.files)


def test_no_folder_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="expected a bundle folder, got nothing"):
        read_bundle(tmp_path / "none")


def test_a_model_that_says_something_else_fails_its_golden_verdicts(make_bundle: MakeBundle) -> None:
    bundle = make_bundle()
    scaling = replace(bundle.manifest.scaling, spread=(2.0,), streams={})
    with pytest.raises(BundleError, match="golden verdicts"):
        self_test(replace(bundle, manifest=replace(bundle.manifest, scaling=scaling)))


@pytest.mark.parametrize("change", [{"schema": 2}, {"name": None, "extra": 1}, {"channels": 5}])
def test_a_manifest_of_another_form_is_refused(make_bundle: MakeBundle, change: dict[str, object]) -> None:
    raw = json.loads(make_bundle().manifest.to_json()) | change
    with pytest.raises(BundleError, match=r"manifest\.json: "):
        Manifest.from_json(json.dumps(raw).encode())


def test_the_highest_version_is_found(make_bundle: MakeBundle) -> None:
    root = make_bundle(version="9").path.parent.parent
    make_bundle(version="10")
    assert find_bundle(root, "pump").name == "10"
    assert find_bundle(root, "pump/9").name == "9"
    with pytest.raises(BundleError, match="expected a bundle 'fan'"):
        find_bundle(root, "fan")


@pytest.mark.parametrize("golden", [b"", b"PK\x03\x04 no archive", b"\x93NUMPY"])
def test_golden_verdicts_that_cannot_be_read_are_refused(make_bundle: MakeBundle, golden: bytes) -> None:
    bundle = make_bundle()
    with pytest.raises(BundleError, match=r"golden\.npz: expected golden readings"):
        self_test(replace(bundle, files=bundle.files | {GOLDEN: golden}))
