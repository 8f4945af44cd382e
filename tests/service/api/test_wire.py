import socket
from dataclasses import fields

import numpy as np
import pytest

from edge.reading import Verdicts
from service.api.wire import Frames, Said, frame, frame_of, said_in
from tests.service.relays.conftest import verdicts_of


def test_verdicts_cross_the_wire_as_they_are_in_whatever_parts_they_come() -> None:
    said = Said("main", "pump/1", ["flow", "heat"], 3, ["a", "é"], verdicts_of([1000, 2000, 3000], channels=2))
    data = frame_of(said) + frame(kind="reload")
    for size in (1, 7, len(data)):
        frames, got = Frames(), []
        for place in range(0, len(data), size):
            got += frames.feed(data[place : place + size])
        assert got[1] == {"kind": "reload"}
        back = said_in(got[0])
        assert back[:-1] == said[:-1]
        for each in fields(Verdicts):
            column, wanted = getattr(back.verdicts, each.name), getattr(said.verdicts, each.name)
            assert column.dtype == wanted.dtype
            np.testing.assert_array_equal(column, wanted)


def test_the_end_of_the_other_side_is_an_error() -> None:
    ours, theirs = socket.socketpair()
    with ours:
        theirs.sendall(frame(ask=1))
        theirs.close()
        frames = Frames()
        assert frames.read(ours) == [{"ask": 1}]
        with pytest.raises(EOFError):
            frames.read(ours)
