"""Many messages at once say what each says alone, or are not read at once at all."""

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from edge.payloads.rejects import RejectError
from edge.topics import Match
from service.payloads.json import JsonPayload
from service.payloads.plain_json import LARGEST_PLAIN, PlainJson

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
columns = st.lists(st.tuples(st.floats(-1e6, 1e6), st.integers(NOW - 10**6, NOW)), min_size=1, max_size=3).map(
    lambda pairs: plain(*map(list, zip(*pairs, strict=True)))
)
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
@given(
    st.one_of(
        st.lists(messages, min_size=1, max_size=6),
        st.lists(
            st.one_of(columns, st.builds(plain, st.lists(numbers, max_size=3), st.lists(times, max_size=3))),
            min_size=1,
            max_size=4,
        ),
    )
)
@example([b'{"ts": 1700000000000, "value": "}', b'{"}', plain() + b"\n" + plain()])  # as many documents as messages
@example([b'{"ts": 1700000000000, "value": 1, "x": {}', b"{}}", plain() + plain()])
@example([b'{"ts": 1700000000000, "value": 1, "x": "\xff"}'])
@example([b'{"ts": 1700000000000, "value": 1, "value": 2}'])
@example([b'{"ts": 1700000000000, "value": 1, "x": 1e999}'])
@example([b'{"ts": [1700000000000, 99999999999999999999], "value": [1, 2]}'])
@example([b'{"ts": [1700000000000, 1700000000001], "value": [1, 1%s]}' % (b"0" * 400)])
def test_what_is_read_at_once_is_what_each_says_alone(payloads: list[bytes]) -> None:
    at_once = JsonPayload(time="ts").read_many(payloads, [HERE] * len(payloads))
    if at_once is not None:
        one_by_one = JsonPayload(time="ts")
        said = [one_by_one.parse(payload, "value", HERE) for payload in payloads]
        assert [len(run.values) for (run,) in said] == at_once.counts
        assert at_once.times_ms is not None
        assert [value for (run,) in said for value in run.values] == at_once.values.tolist()
        assert [time for (run,) in said for time in run.times_ms or ()] == at_once.times_ms.tolist()


def read(payloads: list[bytes], time: str | None = "ts") -> list[list[float]] | None:
    """Return counts, values and times."""
    said = PlainJson("value", time).read(payloads)
    return said and [said.counts, said.values.tolist(), [] if said.times_ms is None else said.times_ms.tolist()]


def test_plain_messages_are_read_at_once() -> None:
    payloads = [plain(1, NOW), plain(-2.5, NOW + 1), b' {"value":3,"unit":"\xc2\xb0C","ts":1700000000002}'.strip()]
    assert read(payloads) == [[1, 1, 1], [1, -2.5, 3], [NOW, NOW + 1, NOW + 2]]
    assert read(payloads[:1], time=None) == [[1], [1], []]


def test_plain_messages_of_many_numbers_are_read_at_once() -> None:
    payloads = [plain([1, 2.5], [NOW, NOW + 1]), plain([3], [NOW - 1])]
    assert read(payloads) == [[2, 1], [1, 2.5, 3], [NOW, NOW + 1, NOW - 1]]
    assert read(payloads, time=None) is None


@pytest.mark.parametrize(
    "payload",
    [
        plain(),
        plain([], []),
        plain([1, 2], [NOW]),
        plain([1, None], [NOW, NOW]),
        plain([1, True], [NOW, NOW]),
        plain([1, 1e100], [NOW, NOW]),
        plain([1, 2], [NOW, NOW // 1000]),
        plain([1, 2], [NOW, float(NOW)]),
        plain([1, 2], [NOW, 10**20]),
        plain([1, 2], NOW),
    ],
)
def test_numbers_that_are_not_plain_are_left_to_be_read_alone(payload: bytes) -> None:
    assert read([plain([1.5], [NOW]), payload]) is None


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
    assert read([plain(), payload, plain()]) is None


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
