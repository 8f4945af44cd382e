"""What every payload convention must do."""

import re
from pathlib import Path
from random import Random
from typing import Any

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.align import LARGEST
from edge.payloads.payload import Payload, Run
from edge.payloads.rejects import Reason, RejectError
from edge.topics import Match
from service.payloads.conventions import open_payload
from service.pipeline.runs import read_runs
from service.pipeline.source import CONVENTIONS, SourceSettings
from tests.service.conftest import RECEIVED_MS, message
from tests.service.payloads.corpus.samples import SAMPLES, damage

TOPIC = Match("edge", None, "spBv1.0/plant/NBIRTH/edge")
MILLION = 1_000_000
README = (Path(__file__).parents[2] / "service" / "README.md").read_text()

Sample = tuple[str, dict[str, Any], list[bytes]]


def opened(convention: str, given: dict[str, Any]) -> Payload:
    topic = {"topic": "spBv1.0/plant/{_type}/{node}"}
    return open_payload(SourceSettings.model_validate(topic | {"payload": convention} | given))


def read(payload: Payload, data: bytes) -> list[tuple[Run, list[int]]]:
    def parse(match: Match, plain: bytes) -> list[Run]:
        return payload.parse(plain, "flow", match)

    return read_runs(message(payload=data, at_ms=RECEIVED_MS + 3_600_000), TOPIC, parse)


def check(payload: Payload, data: bytes) -> None:
    """Fail unless a message has sound runs or is a reject with a reason."""
    try:
        runs = read(payload, data)
    except RejectError as reject:
        told = reject
    else:
        check_runs(runs)
        return
    assert told.reason is not Reason.UNEXPECTED
    assert len(told.detail) < 1000


def check_runs(runs: list[tuple[Run, list[int]]]) -> None:
    for run, times in runs:
        assert isinstance(run.channel, str)
        assert len(run.values) == len(times) > 0
        assert all(isinstance(value, float) and abs(value) < LARGEST for value in run.values)
        assert all(type(time) is int for time in times)
        assert not any(sign in run.stream for sign in "+#\x00\n")
        assert run.stream.strip("/") == run.stream


@pytest.fixture(params=SAMPLES, ids=lambda sample: " ".join([sample[0], *sample[1]]))
def sample(request: pytest.FixtureRequest) -> Sample:
    chosen: Sample = request.param
    return chosen


def test_each_convention_has_samples() -> None:
    assert {convention for convention, _, _ in SAMPLES} == set(CONVENTIONS)


def test_a_sound_message_has_readings_and_is_read_the_same_again(sample: Sample) -> None:
    convention, given, messages = sample
    payload = opened(convention, given)
    for data in messages:
        runs = read(payload, data)
        assert runs
        check_runs(runs)
        assert read(payload, data) == runs


def test_keys_that_nobody_knows_change_nothing(sample: Sample) -> None:
    convention, given, messages = sample
    payload = opened(convention, given)
    for data in messages:
        if data[:1] == b"{":
            more = b'{"zzz": "x", "zz": {"z": [null, "y", false]}, ' + data[1:]
        elif data[:2] == b"[{":
            more = b'[{"zzz": "x", ' + data[2:]
        elif convention == "senml":
            more = cbor2.dumps([{"zzz": "x"} | record for record in cbor2.loads(data)])
        elif convention == "sparkplug":
            more = data + b"\x9a\x06\x01x"  # field 99
        elif convention == "influx":
            more = data.replace(b" flow=", b',zz=z zzz="x",flow=')
        else:
            continue  # there are none in a plain number
        assert read(payload, more) == read(payload, data)


def test_the_reference_has_each_convention_and_its_examples_are_read() -> None:
    table = README.partition("## Payloads")[2].partition("\n\n**")[0]
    rows = re.findall(r"^\| `(\w+)` \| `([^`]+)` \| (?:`([^`]+)`)?", table, re.MULTILINE)
    assert [convention for convention, _, _ in rows] == list(CONVENTIONS)
    for convention, topic, example in rows:
        source = SourceSettings.model_validate({"topic": topic, "payload": convention})
        if example == "unavailable":
            with pytest.raises(RejectError, match="unavailable"):
                read(open_payload(source), example.encode())
        elif example:
            assert read(open_payload(source), example.encode())


@given(random=st.randoms(use_true_random=False))
@settings(max_examples=400, deadline=None)
def test_damage_makes_a_reject_or_other_readings_and_nothing_else(random: Random) -> None:
    for convention, given_, messages in SAMPLES:
        check(opened(convention, given_), damage(random.choice(messages), random))


@given(data=st.binary(max_size=200))
@settings(max_examples=400, deadline=None)
def test_any_bytes_are_read_or_rejected(data: bytes) -> None:
    for convention, given_, _ in SAMPLES:
        check(opened(convention, given_), data)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(4))
def test_a_million_damages_raise_nothing_else(seed: int) -> None:
    """A quarter of a million a seed, on payloads that go on, as their memory is part of what may break."""
    random = Random(seed)  # noqa: S311
    payloads = [(opened(convention, given_), messages) for convention, given_, messages in SAMPLES]
    for count in range(MILLION // 4):
        payload, messages = payloads[count % len(payloads)]
        data = damage(random.choice(messages), random)
        try:
            check(payload, data)
        except Exception as error:
            raise AssertionError(f"seed {seed}, {type(payload).__name__}: {data!r}") from error
