"""An operator with keys, signed bundles and a broker, and devices as processes: what the tests of updates share."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from click.testing import CliRunner, Result

from edge.bundle import GOLDEN, STEP_ONNX, write_bundle
from edge.updates.document import Document
from edge.updates.keys import Keyring
from edge.updates.ledger import Ledger
from edge.updates.order import Order, order_message
from edge.updates.signature import check_folder, deployment_of, read_signature
from edge.updates.topics import DeviceTopics
from service.cli import main
from service.fleet.private_key import PrivateKey
from service.fleet.signing import sign_bundle, write_signature
from tests.conftest import INTERVAL_MS, write_pump
from tests.system.conftest import Broker, Program, World, wait_until

COMMAND = str(Path(sys.executable).with_name("foresense"))
PROGRAM = Path(__file__).with_name("device.py")
YEAR_S = 365 * 86_400.0


class Operator:
    """Whoever signs and deploys, in a folder of their own."""

    def __init__(self, folder: Path, broker: Broker, name: str) -> None:
        self.prefix = f"foresense-{name}"
        self.broker = broker
        self.folder = folder
        self.bundles = folder / "bundles"
        self.keyring = folder / "keyring"
        self.config = folder / "foresense.yaml"
        folder.mkdir(parents=True, exist_ok=True)
        self.key = PrivateKey.make(folder / "release.key", "")
        self.keyring.write_text(f"{self.key.public.line}\n")
        monitors = {"main": {"topic": "plant/{device}/{channel}", "payload": "number", "bundle": "pump"}}
        settings = {"broker": {"port": broker.port, "client_id": name}, "publish": {"prefix": self.prefix}}
        self.config.write_text(yaml.safe_dump(settings | {"monitors": monitors}))

    @property
    def keys(self) -> Keyring:
        return Keyring.read(self.keyring)

    def make(self, version: str, key: PrivateKey | None = None, **options: Any) -> Path:
        """Write and sign a bundle of the pump."""
        path = write_pump(self.bundles, version=version, **options).path
        self.sign(path, key)
        return path

    def sign(
        self, path: Path, key: PrivateKey | None = None, valid_s: float = YEAR_S, agent: str = "0.1.0"
    ) -> Document:
        return sign_bundle(path, key or self.key, valid_s, agent)

    def make_bad(self, version: str, model: bytes) -> Path:
        """Write a bundle with another step model than its golden verdicts are of, and sign it untested."""
        good = write_pump(self.bundles, name="good", version=version)
        manifest = replace(good.manifest, name="pump")
        path = write_bundle(self.bundles, manifest, {STEP_ONNX: model, GOLDEN: good.files[GOLDEN]}).path
        write_signature(path, self.key, YEAR_S, "0.1.0")
        return path

    def deployment(self, version: str) -> str:
        """Return the id of the deployment of a version."""
        return deployment_of(read_signature(self.bundles / "pump" / version))

    def order(self, version: str, key: PrivateKey | None = None, **changes: Any) -> bytes:
        """Return the signed order to have pi-1 deploy a version of the pump, or another that is given."""
        signing, now_ms = key or self.key, time.time_ns() // 1_000_000
        given: dict[str, Any] = {
            "action": "deploy",
            "id": "0" * 16,
            "device": "pi-1",
            "bundle": "pump",
            "version": version,
        }
        given |= {"deployment": self.deployment(version), "number": now_ms} | changes
        return order_message(Order(**given), signing.public.id, signing.sign)

    def deploying(self, version: str, to: str, *more: str) -> list[str]:
        """Return the command that deploys a version."""
        return ["deploy", "pump", version, "--to", to, *self._as_ever, *more]

    def deploy(self, version: str, to: str, *more: str) -> Result:
        """Deploy a version, in this process."""
        return CliRunner().invoke(main, self.deploying(version, to, *more))

    def roll_back(self, to: str, *more: str) -> Result:
        """Roll the pump back, in this process."""
        return CliRunner().invoke(main, ["rollback", "pump", "--to", to, *self._as_ever, *more])

    @property
    def _as_ever(self) -> list[str]:
        key = str(self.folder / f"{self.key.name}.key")
        return ["--config", str(self.config), "--key", key, "--minutes", "1"]

    def fleet(self) -> list[Any]:
        """Return what `foresense fleet` tells, a row for each bundle of a device."""
        done = CliRunner().invoke(main, ["fleet", "--config", str(self.config), "--json"])
        assert done.exit_code == 0, done.output
        rows: list[Any] = json.loads(done.output)
        return rows


class DeviceProcess(Program):
    """A device that runs the `first` version of the pump to begin with."""

    def __init__(
        self,
        operator: Operator,
        name: str,
        first: str = "1",
        interval_ms: int = INTERVAL_MS,
        healthy_s: float = 0.2,
        **settings: Any,
    ) -> None:
        self.name = name
        self.operator = operator
        self.topics = DeviceTopics(operator.prefix, name)
        folder = operator.folder / name
        self.bundles = folder / "bundles"
        self.slots = self.bundles / "pump"
        self.environment: Mapping[str, str] = {}
        self.log = folder / "log"
        self._settings = folder / "settings.json"
        if not (operator.bundles / "pump" / first).exists():
            operator.make(first, interval_ms=interval_ms)
        shutil.copytree(operator.bundles / "pump" / first, self.slots / first)
        given = {"port": operator.broker.port, "device": name, "prefix": operator.prefix, "bundles": str(self.bundles)}
        given |= {"keyring": str(operator.keyring), "groups": [], "healthy_s": healthy_s, "behaviour": {}}
        self._settings.write_text(json.dumps(given | {"monitors": {"main": "pump"}} | settings))

    def start(self, *within: str) -> None:
        """Start it, perhaps within another command."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*within, sys.executable, str(PROGRAM), str(self._settings)],
                stdout=log,
                stderr=log,
                env={**os.environ, **self.environment},
            )

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def in_charge(self) -> str:
        """Return the version in charge, which is whole and signed."""
        version = (self.slots / "current").readlink().name
        document = check_folder(self.slots / version, self.operator.keys)
        assert document.version == version
        return version

    def ledger(self) -> Ledger:
        """Return what it remembers of updates."""
        return Ledger.load(self.slots) or Ledger()

    def reports(self, world: World) -> list[Any]:
        """Return what the device has said of the pump."""
        heard = [payload for topic, payload in list(world.heard) if topic == self.topics.state and payload]
        return [json.loads(payload)["bundles"]["pump"] for payload in heard]

    def wait_for(self, world: World, state: str, version: str, patience_s: float = 30) -> Any:
        """Return the first report of a state that is about a version."""

        def found() -> list[Any]:
            return [each for each in self.reports(world) if (each["state"], each["version"]) == (state, version)]

        wait_until(lambda: bool(found()), f"{state} {version}, not {self.reports(world)[-1:]}", patience_s)
        return found()[0]
