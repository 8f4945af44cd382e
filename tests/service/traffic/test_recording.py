import gzip
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import ConfigError, DataError
from edge.inbox import Message
from service.traffic.recording import RecordingReader, RecordingWriter


def message(payload: bytes, topic: str = "plant/a/flow", retain: bool = False, source: str = "") -> Message:
    return Message(0, 0, 1, topic, payload, retain, 1_700_000_000_000, source)


def record(path: Path, *messages: Message) -> Path:
    with RecordingWriter(path) as file:
        for each in messages:
            file.write([each])
    return path


@settings(max_examples=50, deadline=None)
@given(
    payloads=st.lists(st.binary(max_size=40) | st.text(max_size=40).map(str.encode), min_size=1, max_size=5),
    topic=st.text(st.characters(codec="utf-8"), max_size=20),
    retain=st.booleans(),
    source=st.sampled_from(["", "north"]),
)
@pytest.mark.parametrize("name", ["traffic.jsonl", "traffic.jsonl.gz"])
def test_messages_come_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, name: str, payloads: list[bytes], topic: str, retain: bool, source: str
) -> None:
    messages = [message(payload, topic, retain, source) for payload in payloads]
    path = record(tmp_path_factory.mktemp("traffic") / name, *messages)
    reader = RecordingReader(path)
    assert list(reader) == messages
    assert reader.damaged == 0


def test_text_can_be_read_in_the_file_and_other_bytes_are_base64(tmp_path: Path) -> None:
    path = record(tmp_path / "traffic.jsonl", message(b'{"value": 1}'), message(b"\xff\x00"))
    assert path.read_text().splitlines() == [
        '{"time":1700000000000,"topic":"plant/a/flow","qos":1,"retain":false,"payload":"{\\"value\\": 1}"}',
        '{"time":1700000000000,"topic":"plant/a/flow","qos":1,"retain":false,"base64":"/wA="}',
    ]


def test_a_name_that_is_taken_is_refused(tmp_path: Path) -> None:
    path = record(tmp_path / "traffic.jsonl", message(b"1"))
    with pytest.raises(ConfigError, match=r"traffic\.jsonl: expected the name of a new file, got: File exists"):
        record(path, message(b"2"))
    assert len(list(RecordingReader(path))) == 1


def test_a_line_that_was_cut_is_counted_and_the_rest_is_read(tmp_path: Path) -> None:
    path = record(tmp_path / "traffic.jsonl", *(message(b"%d" % k) for k in range(3)))
    path.write_bytes(path.read_bytes()[:-20])
    reader = RecordingReader(path)
    assert [each.payload for each in reader] == [b"0", b"1"]
    assert reader.damaged == 1


def test_what_was_written_before_a_kill_can_be_read_from_a_compressed_file(tmp_path: Path) -> None:
    path = tmp_path / "traffic.jsonl.gz"
    with RecordingWriter(path) as file:
        file.write([message(b"0"), message(b"1")])
        so_far = path.read_bytes()
    killed = tmp_path / "killed.jsonl.gz"
    killed.write_bytes(so_far)
    reader = RecordingReader(killed)
    assert [each.payload for each in reader] == [b"0", b"1"]
    assert reader.damaged == 1
    with pytest.raises(EOFError):
        gzip.decompress(so_far)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.jsonl", None, "expected a recording, got: No such file"),
        ("empty.jsonl", b"", "expected a recording made by `foresense record`, got an empty file"),
        ("line.csv", b"time,flow\n1,2\n", "got 2 damaged lines"),
        ("line.jsonl.gz", b"time,flow\n1,2\n", "expected a recording, got: Not a gzipped file"),
    ],
)
def test_what_is_no_recording_is_told(tmp_path: Path, name: str, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        list(RecordingReader(tmp_path / name))
