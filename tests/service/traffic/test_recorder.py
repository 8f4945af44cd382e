from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from edge.brokers.consumer import acknowledge
from edge.errors import ForesenseError
from edge.inbox import Message
from service.brokers.broker import BrokerSettings
from service.traffic import recorder
from service.traffic.recording import RecordingWriter
from tests.system.conftest import Broker, World


def test_a_broker_that_is_away_is_told_and_no_file_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "_PATIENCE_S", 0.3)
    told = r"broker: expected one at mqtt://localhost:9 that accepts us within 0\.3 s, got: .*nothing listens there"
    with pytest.raises(ForesenseError, match=told), RecordingWriter(tmp_path / "traffic.jsonl") as file:
        recorder.Recorder({"": BrokerSettings(port=9)}, {"": ["plant/+"]}, file.write).run(None, None, lambda: None)
    assert not list(tmp_path.iterdir())


def test_a_message_is_acknowledged_once_it_is_written(
    broker: Broker, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []

    def acknowledged(connection: Any, messages: Sequence[Message]) -> None:
        done.append("acknowledged")
        acknowledge(connection, messages)

    monkeypatch.setattr(recorder, "acknowledge", acknowledged)
    settings = BrokerSettings(host="127.0.0.1", port=broker.port)
    recording = recorder.Recorder({"": settings}, {"": ["recorded/+"]}, lambda _messages: done.append("written"))
    recording.run(20, 1, lambda: world.publish([("recorded/a", "1")]) if not done else None)
    assert done == ["written", "acknowledged"]
