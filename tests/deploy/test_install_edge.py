"""The installer of a device, run for real in a view of this machine whose changes are thrown away."""

import subprocess
from pathlib import Path
from sysconfig import get_path

import pytest

from edge.bundle import Bundle
from tests.deploy.device import Device

SCRIPT = Path(__file__).parents[2] / "deploy" / "install-edge.sh"
PROGRAM = "/opt/foresense/bin/foresense"
CONFIGURATION = "/etc/foresense/edge.yaml"
UNIT = "/usr/local/lib/systemd/system/foresense-edge.service"
STARTED = "/etc/systemd/system/multi-user.target.wants/foresense-edge.service"

#: here no systemd is in charge: what needs one that is, is written down by a fake; the rest is systemctl's own
FAKE_SYSTEMD = r"""
mkdir -p /run/systemd/system
cat >/usr/local/bin/systemctl <<'END'
#!/bin/sh
case $1 in *able*) SYSTEMD_OFFLINE=1 exec /usr/bin/systemctl "$@" ;; esac
echo "$*" >>/run/asked
END
chmod +x /usr/local/bin/systemctl
"""


def test_shellcheck_finds_nothing() -> None:
    found = subprocess.run([Path(get_path("scripts")) / "shellcheck", SCRIPT], capture_output=True, text=True)
    assert (found.returncode, found.stdout) == (0, "")


@pytest.mark.slow
def test_it_may_be_run_again_and_keeps_what_was_edited(device: Device, wheel: Path, board: Bundle) -> None:
    def install(*options: object) -> str:
        return device.do(SCRIPT, "--package", wheel, *options)

    assert "there is no bundle" in install()
    assert not device.has(STARTED)
    packages = {line.split("==")[0] for line in device.do("/opt/foresense/bin/pip", "freeze").splitlines()}
    assert {"ai-edge-litert", "cryptography"} <= packages
    assert not {"onnxruntime", "tensorflow", "pandas", "pydantic"} & packages
    assert device.do("stat", "-c", "%a", "/etc/foresense/secrets") == "700\n"

    edited = "# edited"
    device.do("sh", "-c", f"echo '{edited}' >> {CONFIGURATION}")
    said = install("--bundle", board.path)
    assert f"{CONFIGURATION}: kept" in said
    assert device.do("tail", "-n", 1, CONFIGURATION).strip() == edited
    assert device.has(STARTED)
    installed = f"/var/lib/foresense-edge/bundles/{board.reference}"
    device.do("diff", "-r", board.path, installed)
    assert f"{installed}: is there already" in install("--bundle", board.path)
    assert "board: edge.sources.pi:read with bundle board/1" in device.do(PROGRAM, "edge", "check", CONFIGURATION)

    device.do("sh", "-ec", FAKE_SYSTEMD)
    install()
    assert calls(device)[-2:] == ["daemon-reload", "restart foresense-edge.service"]
    for _ in range(2):
        device.do(SCRIPT, "--uninstall")
        assert not any(map(device.has, (PROGRAM, UNIT, STARTED)))
        assert device.has(CONFIGURATION)
        assert device.has(installed)
    assert calls(device)[-2:] == ["stop foresense-edge.service", "daemon-reload"]


def calls(device: Device) -> list[str]:
    """Return what was asked of the systemd that is not there."""
    return device.do("cat", "/run/asked").splitlines()


@pytest.mark.parametrize(
    ("options", "complaint"),
    [(["--purge"], "expected --package, --bundle, --uninstall or --help, got --purge"), (["--bundle"], "got none")],
)
def test_a_wrong_option_changes_nothing(options: list[str], complaint: str, device: Device) -> None:
    done = device.run(SCRIPT, *options)
    assert done.returncode == 2
    assert complaint in done.stderr
    assert not device.has("/opt/foresense")
