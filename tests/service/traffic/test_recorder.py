from pathlib import Path

import pytest

from edge.errors import ForesenseError
from service.brokers.broker import BrokerSettings
from service.traffic import recorder
from service.traffic.recording import RecordingWriter


def test_a_broker_that_is_away_is_told_and_no_file_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "_PATIENCE_S", 0.3)
    told = r"broker: expected one at mqtt://localhost:9 that accepts us, got none within 0\.3 s"
    with pytest.raises(ForesenseError, match=told), RecordingWriter(tmp_path / "traffic.jsonl") as file:
        recorder.Recorder({"": BrokerSettings(port=9)}, {"": ["plant/+"]}, file.write).run(None, None, lambda: None)
    assert not list(tmp_path.iterdir())
