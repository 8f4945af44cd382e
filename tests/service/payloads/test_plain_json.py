"""Many messages at once say what each says alone, or are not read at once at all."""

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from edge.payloads.payload import Run
from edge.payloads.rejects import RejectError
from edge.topics import Match
from service.payloads.json import JsonPayload
from service.payloads.plain_json import LARGEST_PLAIN, Plain, PlainJson

NOW = 1_700_000_000_000
HERE = Match("north/pump-1", None)


def plain(value: object = 1.5, time: object = NOW) -> bytes:
    return json.dumps({"ts": time, "value": value}).encode()


fragments = st.sampled_from(
    [
        b'{"value": "',
        b'"}',
        b'{"ts": 1, "value": 2}',
        b"{",
        b"}",
        b"\n",
        b" ",
        b",",
        b'{"value": "}',
        b'{"}',
        b"[",
        b"]",
    ]
)
numbers = st.one_of(
    st.integers(), st.floats(), st.booleans(), st.none(), st.just("1"), st.just([1.0]), st.just({"value": 1})
)
times = st.one_of(st.integers(NOW - 10**9, NOW), st.integers(), st.just("2024-05-01T12:00:00Z"), st.just(1.7e12))
others = st.dictionaries(
    st.sampled_from(["unit", "value ", "Value", "°C", "a"]), st.one_of(st.text(), numbers), max_size=2
)
messages = st.one_of(
    st.builds(plain, st.floats(-1e6, 1e6), st.integers(NOW - 10**6, NOW)),
    st.builds(plain, numbers, times),
    st.builds(
        lambda more: json.dumps({"ts": NOW, "value": 2} | more, ensure_ascii=False).encode("utf-8", "replace"), others
    ),
    st.builds(lambda parts: b"".join(parts), st.lists(fragments, max_size=4)),
    st.binary(max_size=20),
)


@settings(max_examples=500)
@given(st.lists(messages, min_size=1, max_size=6))
@example([b'{"ts": 1700000000000, "value": "}', b'{"}', plain() + b"\n" + plain()])  # as many documents as messages
@example([b'{"ts": 1700000000000, "value": 1, "x": {}', b"{}}", plain() + plain()])
@example([b'{"ts": 1700000000000, "value": 1, "x": "\xff"}'])
@example([b'{"ts": 1700000000000, "value": 1, "value": 2}'])
@example([b'{"ts": 1700000000000, "value": 1, "x": 1e999}'])
def test_what_is_read_at_once_is_what_each_says_alone(payloads: list[bytes]) -> None:
    at_once = JsonPayload(time="ts").read_many(payloads, [HERE] * len(payloads))
    if at_once is not None:
        one_by_one = JsonPayload(time="ts")
        said = [one_by_one.parse(payload, "value", HERE) for payload in payloads]
        assert said == [
            [Run("value", [value], [time])] for value, time in zip(at_once.values, at_once.times_ms or [], strict=True)
        ]


def test_plain_messages_are_read_at_once() -> None:
    payloads = [plain(1, NOW), plain(-2.5, NOW + 1), b' {"value":3,"unit":"\xc2\xb0C","ts":1700000000002}'.strip()]
    assert PlainJson("value", "ts").read(payloads) == Plain([1, -2.5, 3], [NOW, NOW + 1, NOW + 2])
    assert PlainJson("value").read(payloads[:1]) == Plain([1], None)


@pytest.mark.parametrize(
    "payload",
    [
        plain("1"),
        plain(True),
        plain(None),
        plain(1e100),
        plain(1, NOW // 1000),
        plain(1, 1.7e12),
        plain(1, "2024-05-01T12:00:00Z"),
        b'{"ts": 1700000000000}',
        b"[1, 2]",
        b'{"ts": 1700000000000, "value": 1, "x": {"value": 2}}',
        b'{"ts": 1700000000000,\n"value": 1}',
        plain() + plain(),
        json.dumps({"ts": NOW, "value": 1, "x": "x" * LARGEST_PLAIN}).encode(),
        b"",
        b"\x1f\x8b",
    ],
)
def test_what_is_not_plain_is_left_to_be_read_alone(payload: bytes) -> None:
    assert PlainJson("value", "ts").read([plain(), payload, plain()]) is None


@pytest.mark.parametrize(
    "options", [{"fields": {"flow": "value"}}, {"value": "a.value"}, {"time": "a.ts"}, {"step": "step"}]
)
def test_only_messages_of_one_value_at_a_key_can_be_plain(options: dict[str, str]) -> None:
    payload = JsonPayload(**({"time": "ts"} | options))  # type: ignore[arg-type]
    assert payload.read_many([plain()], [HERE]) is None


def test_a_stream_whose_times_are_in_another_unit_is_read_alone() -> None:
    payload = JsonPayload(time="ts")
    payload.parse(plain(1, NOW // 1000), "value", HERE)
    elsewhere = Match("south/pump-1", None)
    assert payload.read_many([plain()], [elsewhere]) is not None
    assert payload.read_many([plain(), plain()], [elsewhere, HERE]) is None


def test_a_unit_that_was_read_at_once_is_remembered() -> None:
    payload = JsonPayload(time="ts")
    assert payload.read_many([plain()], [HERE]) is not None
    with pytest.raises(RejectError, match="expected epochs in ms, as before"):
        payload.parse(plain(1, NOW // 1000), "value", HERE)
