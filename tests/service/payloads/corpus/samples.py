"""Sound messages of each convention, and what damages them."""

import gzip
from random import Random
from typing import Any

import cbor2

from service.payloads.protobuf import encode

_BIRTH = encode(
    timestamp=1_700_000_000_000,
    seq=0,
    metrics=[
        {"name": "bdSeq", "datatype": 4, "long_value": 1},
        {"name": "flow", "alias": 1, "datatype": 10, "double_value": 1.5},
        {"name": "heat", "alias": 2, "datatype": 3, "int_value": 2**32 - 5},
        {"name": "on", "alias": 3, "datatype": 11, "boolean_value": True},
    ],
)
_DATA = encode(timestamp=1_700_000_001_000, seq=1, metrics=[{"name": "flow", "float_value": 2.5}, {"name": "x"}])
_SENML = [{-2: "urn:dev:a:", -3: 1_700_000_000, -4: "Cel", 0: "flow", 2: 21.5}, {0: "heat", 6: -5, 2: 3}]
_METRIC = b'{"name": "pump", "tags": {"device": "p1"}, "fields": {"flow": 1.5, "mode": "a"}, "timestamp": 1700000000}'
_COLUMNS = b'{"ts": [1700000000, 1700000010], "data": {"flow": [1, 2.5], "heat": [1, null]}}'
_LIST = b'{"r": [{"ts": 1700000000, "v": 1}, {"ts": 1700000010, "v": 2.5}]}'
_ZIGBEE = b'{"temperature": 21.5, "contact": true, "last_seen": 1700000000000, "update": {"state": "idle"}}'
_TASMOTA = b'{"Time": "2023-11-14T22:13:20", "S": {"Temperature": 21.5}, "E": {"P": [1, 2]}}'
_LINES = b"""# c
pump,device=p\\ 1 flow=1.5,n=2i,on=t,s="a \\"b" 1700000000000000000
pump,device=p2 flow=2
"""
_RECORDS = b'[{"bn": "urn:dev:a:", "bt": 1700000000, "n": "flow", "v": 21.5}, {"n": "heat", "t": -5, "v": 3}]'
_FIELDS: dict[str, Any] = {"fields": {"flow": "data.flow", "heat": "data.heat"}}

#: (convention, its settings) -> messages
SAMPLES: list[tuple[str, dict[str, Any], list[bytes]]] = [
    ("number", {}, [b"21.5", b" -1.5e3 \n"]),
    ("esphome", {}, [b"21.5"]),
    ("homeassistant", {}, [b"21.5"]),
    ("json", {}, [b'{"value": 21.5, "unit": "l/s"}', gzip.compress(b'{"value": 21.5}')]),
    ("json", {"time": "ts"}, [b'{"value": 21.5, "ts": 1700000000000}', b'{"value": 1, "ts": "2023-11-14T22:13:20"}']),
    ("json", {"time": "ts", **_FIELDS}, [_COLUMNS]),
    ("json", {"time": "r.ts", "value": "r.v"}, [_LIST]),
    ("json", {"time": "t0", "step": "dt", "value": "v"}, [b'{"t0": 1700000000, "dt": 0.5, "v": [1, 2.5, 3]}']),
    ("zigbee2mqtt", {}, [_ZIGBEE]),
    ("tasmota", {"time_zone": "Europe/Rome"}, [_TASMOTA]),
    ("telegraf", {"tags": ["device"]}, [_METRIC, b'{"metrics": [%s, %s]}' % (_METRIC, _METRIC)]),
    ("influx", {"tags": ["device"]}, [_LINES]),
    ("senml", {}, [_RECORDS, cbor2.dumps(_SENML)]),
    ("sparkplug", {}, [_BIRTH, _DATA]),
]

_TEXTS = (
    "NaN Infinity -inf 1e999 1e101 null true [] {} [[[[ 1_000 ٣ \\ud800 \\ , : = - 0 e . i u + # "
    "2023-13-01T00:00:00 0001-01-01T00:00:00+23:59 9999-12-31T23:59:59-23:59"
)
#: wrong encodings, gzip, zstd, CBOR (endless containers, NaN, big numbers, decimals, shared values), protobuf
_BYTES = (
    "00 fffe eda080 20 22 2222 0a 1f8b08 28b52ffd 9f bf fb7ff0000000000000 fb7ff8000000000000 c249 c482 d81c d81d00 f7 "
    "1200 ffffffffffffffffff01 9a06"
)
_TOKENS = [*(text.encode() for text in _TEXTS.split()), *map(bytes.fromhex, _BYTES.split()), b"9" * 400]


def damage(sample: bytes, random: Random) -> bytes:
    """Return a message with one to four changes: of bits, pieces cut out or doubled, what is known to be awkward."""
    data = bytearray(sample)
    for _ in range(random.randint(1, 4)):
        place = random.randint(0, len(data))
        end = min(len(data), place + random.randint(1, 8))
        match random.randint(0, 5):
            case 0 if place < len(data):
                data[place] ^= 1 << random.randint(0, 7)
            case 1:
                del data[place:end]
            case 2:
                data[place:place] = data[place:end] * random.randint(1, 3)
            case 3:
                data[place:place] = random.choice(_TOKENS)
            case 4:
                data[place:end] = random.choice(_TOKENS)
            case _:
                data[place:end] = random.randbytes(end - place)
    return bytes(data)
