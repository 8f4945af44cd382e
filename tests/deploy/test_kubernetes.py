"""The manifests for Kubernetes, against the schemas of its API and with the program's own eyes."""

import copy
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from click.testing import CliRunner

from service.cli import main
from service.configuration import read_settings
from tests.conftest import write_pump

MANIFESTS: dict[str, dict[str, Any]] = {
    each["kind"]: each
    for each in yaml.safe_load_all((Path(__file__).parents[2] / "deploy" / "kubernetes" / "foresense.yaml").read_text())
}
POD = MANIFESTS["Deployment"]["spec"]["template"]["spec"]
(SERVICE,) = POD["containers"]


@pytest.mark.parametrize("version", ["1.29", "1.33"])
@pytest.mark.parametrize("kind", MANIFESTS)
def test_the_api_knows_every_field(kind: str, version: str) -> None:
    kubernetes_validate.validate(MANIFESTS[kind], version, strict=True)


def test_a_field_that_is_not_known_is_found_out() -> None:
    wrong = copy.deepcopy(MANIFESTS["Deployment"])
    wrong["spec"]["template"]["spec"]["containers"][0]["livenessprobe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, "1.33", strict=True)


def test_what_is_referred_to_is_there() -> None:
    labels = MANIFESTS["Deployment"]["spec"]["selector"]["matchLabels"]
    assert labels == MANIFESTS["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert labels == MANIFESTS["Service"]["spec"]["selector"]
    volumes = {each["name"]: each for each in POD["volumes"]}
    assert volumes["configuration"]["configMap"]["name"] == MANIFESTS["ConfigMap"]["metadata"]["name"]
    assert (
        volumes["data"]["persistentVolumeClaim"]["claimName"] == MANIFESTS["PersistentVolumeClaim"]["metadata"]["name"]
    )
    assert {mount["name"] for mount in SERVICE["volumeMounts"]} == volumes.keys()


def test_there_is_one_pod_that_may_do_nothing_it_need_not() -> None:
    assert (MANIFESTS["Deployment"]["spec"]["replicas"], MANIFESTS["Deployment"]["spec"]["strategy"]) == (
        1, {"type": "Recreate"},
    )  # fmt: skip
    assert POD["securityContext"]["runAsNonRoot"] is True
    for container in (*POD["initContainers"], *POD["containers"]):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
        }  # fmt: skip


def test_the_configuration_is_in_order_and_answers_the_probes(tmp_path: Path) -> None:
    path = tmp_path / "foresense.yaml"
    path.write_text(MANIFESTS["ConfigMap"]["data"]["foresense.yaml"])
    settings = read_settings(path)
    assert settings.metrics is not None
    (port,) = SERVICE["ports"]
    assert (settings.metrics.host, settings.metrics.port) == ("0.0.0.0", port["containerPort"])  # noqa: S104
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert SERVICE[probe]["httpGet"]["port"] == port["name"]
        assert SERVICE[probe]["httpGet"]["path"] in {"/healthz", "/readyz"}
    mounted = [mount["mountPath"] for mount in SERVICE["volumeMounts"]]
    assert all(
        any(str(place).startswith(f"{mount}/") for mount in mounted) for place in (settings.database, settings.bundles)
    )


def test_the_arguments_are_those_of_the_program(tmp_path: Path) -> None:
    command, path, *options = SERVICE["args"]
    assert path == "/etc/foresense/foresense.yaml"
    write_pump(tmp_path / "bundles")
    result = CliRunner().invoke(main, [command, *options, str(tmp_path / "none.yaml")])
    assert result.exit_code == 2
    assert "none.yaml: expected" in result.output
