from pathlib import Path

import yaml

from tests.service.api.conftest import Site
from tests.system.conftest import wait_until


def test_bundles_are_listed_with_who_uses_them(site: Site) -> None:
    wait_until(lambda: bool(site.get("/v1/bundles")["bundles"][0]["monitors"]), "the service has told of itself")
    (bundle,) = site.get("/v1/bundles")["bundles"]
    assert (bundle["name"], bundle["version"], bundle["monitors"], bundle["problem"]) == ("pump", "1", ["main"], None)
    assert bundle["channels"] == [{"name": "value", "unit": "l/s"}]
    assert set(bundle["files"]) == {"step.onnx", "golden.npz"}
    assert site.get("/v1/bundles/pump/1") == bundle


def test_a_bundle_that_may_not_be_trusted_is_listed_with_the_reason(site: Site) -> None:
    folder = Path(yaml.safe_load(site.plant.config.read_text())["bundles"]) / "broken" / "1"
    folder.mkdir(parents=True)
    (told,) = [each for each in site.get("/v1/bundles")["bundles"] if each["name"] == "broken"]
    assert "expected a readable file" in told["problem"]
    folder.rmdir()
    assert site.client.get("/v1/bundles/broken/1").status_code == 404
    assert site.client.get("/v1/bundles/..%2f..%2fetc/passwd").status_code in (404, 422)
