"""Payloads with the real command and a real broker: a node of Sparkplug B, and what is sniffed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from service.configuration import read_settings
from service.payloads.protobuf import decode, encode
from tests.conftest import INTERVAL_MS, START_MS, MakeBundle
from tests.system.conftest import PATIENCE_S, Broker, MakePlant, World, wait_until

FORESENSE = str(Path(sys.executable).with_name("foresense"))
FIRST = START_MS // INTERVAL_MS * INTERVAL_MS
SPACE = "spBv1.0/plant-7"


def data(slot: int, seq: int) -> tuple[str, bytes]:
    value = 100.0 if slot == 20 else slot % 3 / 10
    metric = {"alias": 5, "double_value": value}
    return f"{SPACE}/DDATA/edge/pump", encode(timestamp=FIRST + slot * INTERVAL_MS, seq=seq % 256, metrics=[metric])


def birth(slot: int) -> list[tuple[str, bytes]]:
    time_ms = FIRST + slot * INTERVAL_MS
    node = encode(timestamp=time_ms, seq=0, metrics=[{"name": "bdSeq", "datatype": 4, "long_value": 1}])
    metric = {"name": "flow", "alias": 5, "datatype": 10, "double_value": slot % 3 / 10, "timestamp": time_ms}
    return [
        (f"{SPACE}/NBIRTH/edge", node),
        (f"{SPACE}/DBIRTH/edge/pump", encode(timestamp=time_ms, seq=1, metrics=[metric])),
    ]


@pytest.mark.slow
def test_a_node_is_asked_for_its_birth_after_each_start_and_then_understood(
    broker: Broker, world: World, make_plant: MakePlant, make_bundle: MakeBundle
) -> None:
    bundles = make_bundle(channels=("flow",), streams=("edge/pump",)).path.parents[1]
    template = f"{SPACE}/{{_type}}/{{node}}/{{device...}}"
    monitor = {"topic": template, "payload": "sparkplug", "fields": {"flow": "flow"}, "bundle": "pump"}
    plant = make_plant(broker, "sparkplug", bundles, {"main": monitor})
    world.listen(f"{plant.prefix}/#")
    world.listen(f"{SPACE}/NCMD/#")

    def asked() -> list[bytes]:
        return [payload for topic, payload in world.heard if topic == f"{SPACE}/NCMD/edge"]

    for part, slots in enumerate((range(1, 12), range(12, 30))):
        plant.start()
        world.wait_for(plant.availability, b"online")
        world.publish([data(slots[0], 17)])
        wait_until(lambda part=part: len(asked()) == part + 1, "the node is asked for its birth")  # type: ignore[misc]
        assert decode(asked()[-1]).metrics[0].name == "Node Control/Rebirth"
        world.publish([*birth(slots[0]), *(data(slot, k + 2) for k, slot in enumerate(slots[1:]))])
        wait_until(lambda last=slots[-1]: plant.count("verdict") == last, "all slots have verdicts")  # type: ignore[misc]
        assert plant.end() == 0
    assert plant.query("SELECT reason, count(*) FROM dead_letter GROUP BY 1") == [("unknown-alias", 2)]
    assert [(channel, value) for channel, value in plant.query("SELECT channel, value FROM alarm")] == [("flow", 100.0)]
    assert plant.query("SELECT name FROM stream") == [("edge/pump",)]


def test_what_is_published_is_sniffed(broker: Broker, world: World, tmp_path: Path) -> None:
    out = tmp_path / "foresense.yaml"
    command = [FORESENSE, "sniff", "--broker", f"127.0.0.1:{broker.port}", "--topic", "sniffed/#", "--seconds", "4"]
    with subprocess.Popen(
        [*command, "--out", str(out), "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        for k in range(200):
            devices = [(f"sniffed/p{d}/{name}", str(k)) for d in range(2) for name in ("flow", "heat")]
            world.publish([*devices, ("sniffed/odd", b"\xff")], pause_s=0.02)
            if process.poll() is not None:
                break
        said, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, err) == (0, "")
    told = json.loads(said)
    (monitor,) = told["monitors"]
    assert (monitor["topic"], monitor["channels"], monitor["streams"]) == (
        "sniffed/{device}/{channel}",
        ["flow", "heat"],
        2,
    )
    assert (told["unknown"], told["topics"]) == (1, 5)
    assert yaml.safe_load(out.read_text())["broker"] == {"host": "127.0.0.1", "port": broker.port}
    assert read_settings(out).monitors["sniffed"].payload == "number"


@pytest.mark.slow
def test_a_broker_that_is_away_is_told_and_no_file_is_left(tmp_path: Path) -> None:
    out = tmp_path / "foresense.yaml"
    done = subprocess.run(
        [FORESENSE, "sniff", "--broker", "127.0.0.1:9", "--seconds", "1", "--out", str(out)],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S + 20,
    )
    assert (done.returncode, "expected one at mqtt://127.0.0.1:9 that accepts us" in done.stderr) == (2, True)
    assert not out.exists()
