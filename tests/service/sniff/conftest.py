"""What the tests of sniffing share: a survey of messages, and a plant's worth of them."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from edge.inbox import Message
from service.payloads.protobuf import encode
from service.sniff.survey import Survey

T0 = 1_700_000_000_000
Surveyed = Callable[..., Survey]


def said(topic: str, payload: str | bytes, after_s: float = 0, retain: bool = False) -> Message:
    data = payload.encode() if isinstance(payload, str) else payload
    return Message(0, 0, 1, topic, data, retain, T0 + round(1000 * after_s))


def survey_of(*messages: Message) -> Survey:
    survey = Survey("foresense/")
    survey.write(messages)
    return survey


def plant() -> list[Message]:
    """Return three minutes of a plant in which every convention is spoken."""
    unit = {"keys": ["engUnit"], "values": [{"type": 12, "string_value": "bar"}]}
    birth = {"name": "press", "alias": 1, "datatype": 10, "double_value": 1.0, "properties": unit}
    messages = [
        said("spBv1.0/g/NBIRTH/n1", encode(timestamp=T0, seq=0, metrics=[])),
        said("spBv1.0/g/DBIRTH/n1/d1", encode(timestamp=T0, seq=1, metrics=[birth])),
    ]
    for k in range(18):
        s, time_ms = 10 * k, T0 + 10_000 * k
        local = (datetime.fromtimestamp(time_ms / 1000, UTC) + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%S")
        for device in ("north/pump-1", "north/pump-2", "south/pump-1"):
            messages += [said(f"plant/{device}/{channel}", f"{k}.5", s) for channel in ("flow", "heat")]
        for device in ("fan-1", "fan-2"):
            document = {"ts": time_ms / 1000, "id": 7, "data": {"speed": k, "load": k / 2}}
            messages.append(said(f"hall/{device}", json.dumps(document), s))
        metric = {"name": "cpu", "tags": {"host": "h"}, "fields": {"idle": k}, "timestamp": time_ms // 1000}
        data = encode(timestamp=time_ms, seq=(k + 2) % 256, metrics=[{"alias": 1, "double_value": 1.0 * k}])
        messages += [
            said("zigbee2mqtt/kitchen", json.dumps({"temperature": k, "linkquality": 80}), s),
            said("zigbee2mqtt/bridge/state", '{"state": "online"}', s, retain=True),
            said("tele/plug/SENSOR", json.dumps({"Time": local, "AM2301": {"Temperature": k}, "TempUnit": "C"}), s),
            said("esp/sensor/temp/state", str(k), s),
            said("esp/sensor/level/state", "nan" if k % 2 else str(k), s),
            said("homeassistant/sensor/bath_temp/state", str(k), s),
            said("telegraf/h", json.dumps({"metrics": [metric]}), s),
            said("lines", f"pump,device=p1 flow={k}\npump,device=p2 flow={k}", s),
            said(
                "senml/a", json.dumps([{"bn": "urn:dev:a:", "bt": time_ms / 1000, "n": "flow", "u": "l/s", "v": k}]), s
            ),
            said("spBv1.0/g/DDATA/n1/d1", data, s),
            said("camera", b"\xff\xd8\xff\xe0", s),
            said("foresense/north/pump-1/verdict", "1", s),
        ]
    return messages


@pytest.fixture
def surveyed() -> Survey:
    return survey_of(*plant())
