import gzip

import pytest

from edge.payloads.number import NumberPayload
from edge.payloads.payload import ANYWHERE, LARGEST_PAYLOAD, MOST_AHEAD_MS, Run
from edge.payloads.rejects import Reason, RejectError
from edge.topics import Match
from service.pipeline.runs import read_runs
from tests.service.conftest import RECEIVED_MS, message


def say(*runs: Run) -> list[tuple[Run, list[int]]]:
    return read_runs(message(), ANYWHERE, lambda _match, _payload: list(runs))


def test_a_run_without_times_has_those_of_its_receipt() -> None:
    assert say(Run("flow", [1.0, 2.0]))[0][1] == [RECEIVED_MS] * 2


def test_times_may_be_told_from_the_receipt() -> None:
    assert say(Run("flow", [1.0, 2.0], [-5000, 0], from_receipt=True))[0][1] == [RECEIVED_MS - 5000, RECEIVED_MS]


@pytest.mark.parametrize("from_receipt", [True, False])
def test_a_time_far_ahead_is_a_reject_however_it_is_told(from_receipt: bool) -> None:
    time_ms = MOST_AHEAD_MS + 1 + (0 if from_receipt else RECEIVED_MS)
    with pytest.raises(RejectError) as reject:
        say(Run("flow", [1.0], [time_ms], from_receipt=from_receipt))
    assert reject.value.reason is Reason.FUTURE


def test_a_compressed_payload_is_read_as_any_other() -> None:
    payload = NumberPayload()

    def parse(match: Match, plain: bytes) -> list[Run]:
        return payload.parse(plain, "flow", match)

    ((run, _),) = read_runs(message(payload=gzip.compress(b"21.5")), ANYWHERE, parse)
    assert run == Run("flow", [21.5])


@pytest.mark.parametrize("payload", [b"x" * (LARGEST_PAYLOAD + 1), gzip.compress(b" " * 100_000_000)])
def test_a_payload_that_is_or_becomes_too_large_is_a_reject(payload: bytes) -> None:
    with pytest.raises(RejectError) as reject:
        read_runs(message(payload=payload), ANYWHERE, lambda _match, _payload: [])
    assert reject.value.reason is Reason.SIZE
