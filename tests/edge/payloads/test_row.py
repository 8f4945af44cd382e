import pytest

from edge.payloads.payload import LARGEST_PAYLOAD, Run
from edge.payloads.rejects import RejectError
from edge.payloads.row import RowPayload


@pytest.mark.parametrize("line", [b"1.5 -2", b"1.5,-2", b" 1.5 ;\t-2 ", b"1.5\t-2"])
def test_numbers_are_those_of_the_channels_in_their_order(line: bytes) -> None:
    assert RowPayload(["flow", "level"]).parse(line, "") == [Run("flow", [1.5]), Run("level", [-2.0])]


@pytest.mark.parametrize("line", [b"", b"1", b"1 2 3", b"1,,2", b"1 nan", b"1 2_0", b"1" * (LARGEST_PAYLOAD + 1)])
def test_anything_else_is_refused(line: bytes) -> None:
    with pytest.raises(RejectError):
        RowPayload(["flow", "level"]).parse(line, "")
