from models.backtest.spans import Spans
from tests.models.backtest.conftest import spans


def rows(found: Spans) -> list[tuple[int, int, int]]:
    return list(zip(found.stream.tolist(), found.start.tolist(), found.end.tolist(), strict=True))


def test_what_overlaps_becomes_one_and_what_touches_stays_two() -> None:
    given = spans((1, 0, 5), (0, 10, 20), (0, 15, 18), (0, 17, 30), (0, 30, 31), (1, 40, 41))
    assert rows(given) == [(0, 10, 30), (0, 30, 31), (1, 0, 5), (1, 40, 41)]


def test_none_stay_none() -> None:
    assert rows(spans()) == []


def test_each_span_knows_the_others_it_overlaps() -> None:
    first, stop = spans((0, 10, 20), (1, 10, 20), (1, 50, 90)).overlapped_by(
        spans((0, 0, 10), (0, 20, 30), (1, 0, 11), (1, 60, 61), (1, 70, 71))
    )
    assert (stop - first).tolist() == [0, 1, 2]
    assert first[1:].tolist() == [2, 3]
