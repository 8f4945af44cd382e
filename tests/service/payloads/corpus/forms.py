"""What stands around a value in each convention, so that a line of the corpus runs through all of them."""

import gzip
from typing import Any

from edge.payloads.payload import Run
from edge.payloads.rejects import RejectError
from edge.topics import Match
from service.payloads.conventions import open_payload
from service.pipeline.runs import read_runs
from service.pipeline.source import SourceSettings
from tests.service.conftest import message

#: convention -> a message of it, and whether its values are JSON
FORMS = {
    "number": ("%s", False),
    "esphome": ("%s", False),
    "homeassistant": ("%s", False),
    "influx": ("pump flow=%s", False),
    "json": ('{"value": %s}', True),
    "zigbee2mqtt": ('{"flow": %s}', True),
    "tasmota": ('{"Time": "2023-11-14T22:13:20", "S": {"flow": %s}}', True),
    "telegraf": ('{"name": "pump", "fields": {"flow": %s}}', True),
    "senml": ('[{"n": "flow", "v": %s}]', True),
}
#: convention -> a message of it with a time
TIMED = {
    "json": '{"value": 1, "ts": %s}',
    "zigbee2mqtt": '{"flow": 1, "last_seen": %s}',
    "tasmota": '{"flow": 1, "Time": %s}',
    "telegraf": '{"name": "pump", "fields": {"flow": 1}, "timestamp": %s}',
    "influx": "pump flow=1 %s",
    "senml": '[{"n": "flow", "v": 1, "t": %s}]',
}


def written(text: str | list[Any]) -> str:
    """Return a text; one that is too long to be written down is told as [what, how often, after what]."""
    if isinstance(text, str):
        return text
    repeated, count, *before = text
    return "".join(map(str, before)) + str(repeated) * int(count)


def payload_of(case: dict[str, Any]) -> bytes:
    """Return the payload of a message: of `text`, or of `hex`, perhaps compressed."""
    plain = bytes.fromhex(case["hex"]) if "hex" in case else written(case["text"]).encode()
    return gzip.compress(plain) if case.get("gzip") else plain


def fate(convention: str, payload: bytes, **settings: Any) -> str | list[list[Any]]:
    """Return the reason why a message is rejected, or of its runs: channel, values, times after the receipt in ms."""
    source = SourceSettings.model_validate({"topic": "a/b/{_type}/{node}", "payload": convention, **settings})
    reader = open_payload(source)

    def parse(match: Match, plain: bytes) -> list[Run]:
        return reader.parse(plain, "flow", match)

    arrived = message(payload=payload)
    try:
        runs = read_runs(arrived, Match("", None, "spBv1.0/plant/NDATA/edge"), parse)
    except RejectError as reject:
        return str(reject.reason)
    return [[run.channel, list(run.values), [time - arrived.received_ms for time in times]] for run, times in runs]


def outcome_of_value(convention: str, case: dict[str, Any]) -> str | list[float]:
    """Return the reason why a value is rejected, or what values it comes to."""
    form, is_json = FORMS[convention]
    told = fate(convention, (form % written(case["json" if is_json else "text"])).encode())
    return told if isinstance(told, str) else [value for _, values, _ in told for value in values]


def outcome_of_time(convention: str, case: dict[str, Any]) -> str | int:
    """Return the reason why a time is rejected, or how long after the receipt it is, in ms."""
    text = written(case["json"]).strip('"') if convention == "influx" else written(case["json"])
    given = {"json": {"time": "ts"}, "tasmota": {"time_zone": "Europe/Rome"}}.get(convention, {})
    told = fate(convention, (TIMED[convention] % text).encode(), **given)
    return told if isinstance(told, str) else int(told[0][2][0])
