import numpy as np
import pytest

from edge.quality import Quality
from service.homeassistant.latest import Latest
from service.pipeline.transaction import Scored
from tests.service.relays.conftest import verdicts_of


def scored(rows: list[int], score: list[float], quality: list[int] | None = None) -> Scored:
    flags = np.array(quality or [0] * len(rows), np.uint8)[:, None]
    said = verdicts_of(rows, stream=np.array(rows, np.int32), score=np.array(score, np.float32), quality=flags)
    return Scored("main", "pump/1", ["a", "b", "c"], ["value"], said)


@pytest.fixture
def latest() -> Latest:
    return Latest(["a", "b", "c"], ["value"])


def test_of_several_verdicts_of_a_stream_the_last_is_kept(latest: Latest) -> None:
    latest.take(scored([0, 1, 0], [1, 2, 3]))
    assert latest.score.tolist() == [3, 2]
    assert latest.rows == {"a": 0, "b": 1}
    latest.take(scored([2], [4]))
    assert latest.score.tolist() == [3, 2, 4]


def test_a_stream_is_due_when_there_is_news_and_it_was_not_told_for_long(latest: Latest) -> None:
    latest.take(scored([0, 1], [1, 2]))
    assert latest.due(100, 30) == ["a", "b"]
    latest.told("a", 100)
    assert latest.due(100, 30) == ["b"]
    latest.take(scored([0], [1]))
    assert latest.due(129, 30) == ["b"]
    assert latest.due(130, 30) == ["a", "b"]


def test_a_stream_that_falls_silent_or_speaks_again_is_told(latest: Latest) -> None:
    assert latest.take(scored([0, 1], [1, 2])) == []
    assert latest.take(scored([0, 1], [1, 2], [Quality.SILENT, Quality.STUCK])) == ["a"]
    assert latest.take(scored([1], [1])) == []
    assert latest.take(scored([0], [1])) == ["a"]
