import numpy as np
import pytest

from edge import across

VALUES = np.array([[1.0, 3.0, 2.0], [-1.0, -3.0, -2.0]], np.float32)
FLAGS = np.array([[True, False], [True, True], [False, False]])


def test_the_greatest_of_several_channels_and_the_only_one() -> None:
    assert across.greatest(VALUES).tolist() == [3.0, -1.0]
    assert across.greatest(VALUES[:, :1]).tolist() == [1.0, -1.0]


def test_which_channel_leads() -> None:
    assert across.leading(VALUES).tolist() == [1, 0]
    assert across.leading(VALUES[:, 1:2]).tolist() == [0, 0]


def test_what_is_set_of_all_any_and_how_many() -> None:
    assert across.any_of(FLAGS).tolist() == [True, True, False]
    assert across.all_of(FLAGS).tolist() == [False, True, False]
    assert across.share_of(FLAGS).tolist() == [0.5, 1.0, 0.0]
    assert across.any_of(FLAGS[:, 1:]).tolist() == across.all_of(FLAGS[:, 1:]).tolist() == [False, True, False]
    assert across.share_of(FLAGS[:, 1:]).tolist() == [0.0, 1.0, 0.0]


@pytest.mark.parametrize(
    ("flags", "some", "all_set"), [([], False, True), ([True, False], True, False), ([1], True, True)]
)
def test_whether_there_is_any_and_whether_there_are_all(flags: list[bool], some: bool, all_set: bool) -> None:
    assert across.some(np.array(flags, bool)) is some
    assert across.all_set(np.array(flags, bool)) is all_set


@pytest.mark.parametrize("kind", [np.uint8, np.uint32, np.float32])
def test_whether_any_number_differs_from_0(kind: type[np.number]) -> None:
    numbers = np.zeros((300, 2), kind)
    assert not across.some_number(numbers)
    assert not across.some_number(numbers[:0])
    numbers[299, 1] = 1
    assert across.some_number(numbers)
    assert not across.some_number(numbers[:, 0])


@pytest.mark.parametrize("kind", [np.uint8, np.uint32])
def test_bits_are_counted(kind: type[np.unsignedinteger]) -> None:
    numbers = np.array([[0, 1], [7, np.iinfo(kind).max]], kind)
    assert across.ones(numbers).tolist() == [[0, 1], [3, np.iinfo(kind).bits]]
