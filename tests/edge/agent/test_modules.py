"""Which third-party modules the device program loads: NumPy, MQTT, YAML, the command line, one runtime."""

import json
import subprocess
import sys
from pathlib import Path

import numpy
import pytest

from service.fleet.private_key import PrivateKey
from service.fleet.signing import sign_bundle
from tests.conftest import MakeBundle
from tests.edge.agent.conftest import MakeDevice
from tests.system.conftest import Broker, World, wait_until

ALLOWED = {"numpy", "paho", "yaml", "_yaml", "click"}
SPY = """
import json, sys
from pathlib import Path

def read():
    homes = {name: getattr(module, "__file__", None) for name, module in list(sys.modules.items())}
    Path(__file__).with_name("modules.json").write_text(json.dumps(homes))
    return {"value": 1.0}
"""


@pytest.mark.parametrize("signed", [False, True], ids=["", "with a keyring"])
def test_nothing_else_is_loaded(
    signed: bool, broker: Broker, world: World, make_device: MakeDevice, make_bundle: MakeBundle, tmp_path: Path
) -> None:
    monitor = {"source": "spy_on_modules:read", "every": "100ms", "bundle": "pump"}
    path, more = make_bundle().path, {}
    if signed:
        key = PrivateKey.make(tmp_path / "release.key", "")
        sign_bundle(path, key, 3600, "0.1.0")
        (tmp_path / "keyring").write_text(key.public.line)
        more["updates"] = {"keyring": str(tmp_path / "keyring")}
    device = make_device(broker, f"modules-{signed}", path.parents[1], {"main": monitor}, runtime="onnx", **more)
    device.config.with_name("spy_on_modules.py").write_text(SPY)
    told = device.config.with_name("modules.json")
    world.listen(f"{device.prefix}/#")
    device.start()
    world.wait_for(device.availability, b"online")
    wait_until(lambda: told.exists() and told.stat().st_size > 0, "the function was called")
    assert device.end() == 0
    loaded = json.loads(told.read_text())
    site = str(Path(numpy.__file__).parents[1])

    others = {name.partition(".")[0] for name, home in loaded.items() if home and home.startswith(site)}

    verifying = {"cryptography", "_cffi_backend"} if signed else set()
    assert others - of_the_interpreter() - ALLOWED == {"onnxruntime"} | verifying


def of_the_interpreter() -> set[str]:
    """Return the modules that this installation's interpreter loads by itself."""
    program = "import sys; print(*sys.modules)"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    return {name.partition(".")[0] for name in said.split()}
