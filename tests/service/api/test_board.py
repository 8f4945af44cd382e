import math
from typing import Any

import numpy as np

from edge.quality import Quality
from edge.reading import Status
from service.api.board import SPARKS, STATES, Board, Stream
from service.api.wire import Said
from tests.service.relays.conftest import verdicts_of

A, B = Stream(7, "main", "a"), Stream(9, "main", "b")


def board() -> Board:
    made = Board()
    made.know([A, B])
    return made


def say(to: Board, times: list[int], first: int = 0, names: tuple[str, ...] = ("b", "a"), **columns: Any) -> None:
    to.take(Said("main", "pump/1", ["value"], first, list(names), verdicts_of(times, **columns)))


def test_the_newest_verdict_of_each_stream_is_kept_at_its_own_place() -> None:
    made = board()
    say(made, [1, 2, 3], stream=np.array([1, 0, 1], np.int32), score=np.array([0.1, 0.2, 0.3], np.float32))
    seen = made.look()
    assert seen.streams == (A, B)
    assert seen.time.tolist() == [3, 2]
    assert [seen.sparkline(0), seen.sparkline(1)] == [[0.1, 0.3], [0.2]]
    assert [STATES[state] for state in seen.state()] == ["normal", "normal"]


def test_the_newest_scores_are_kept_in_their_order_however_many_come_at_once() -> None:
    made, count = board(), 3 * SPARKS + 5
    for begin, end in ((0, 5), (5, count)):
        times = list(range(begin + 1, end + 1))
        score = np.arange(begin, end, dtype=np.float32)
        say(made, times, stream=np.ones(len(times), np.int32), score=score)
    assert made.look().sparkline(0) == list(range(count - SPARKS, count))


def test_what_is_no_newer_than_what_is_known_is_left_out() -> None:
    made = board()
    made.fill(A, [(10, 0.5, int(Status.NORMAL), 0), (20, 2.0, int(Status.ANOMALY), 20)])
    say(made, [20, 30], stream=np.array([1, 1], np.int32), score=np.array([9, 0.25], np.float32))
    seen = made.look()
    assert seen.sparkline(0) == [0.5, 2.0, 0.25]
    assert (int(seen.time[0]), math.isnan(seen.score[1])) == (30, True)


def test_a_stream_is_unknown_learning_silent_or_in_alarm() -> None:
    made = board()
    assert [STATES[state] for state in made.look().state()] == ["unknown", "unknown"]
    say(made, [1], stream=np.array([1], np.int32), status=np.array([Status.LEARNING], np.uint8))
    say(made, [1], 2, (), stream=np.array([0], np.int32), alarm=np.array([1], np.int64))
    assert [STATES[state] for state in made.look().state()] == ["learning", "alarm"]
    nothing = np.array([[math.nan]])
    silent = np.array([[Quality.SILENT]], np.uint8)
    say(made, [2], 2, (), stream=np.array([0], np.int32), alarm=np.array([1], np.int64), quality=silent, value=nothing)
    assert [STATES[state] for state in made.look().state()] == ["learning", "silent"]
