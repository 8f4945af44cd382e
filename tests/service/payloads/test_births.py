import pytest

from service.payloads.births import Births, Metric, Node

FLOW = {1: Metric("flow", 10)}


@pytest.mark.parametrize(
    ("numbers", "missing"),
    [
        ((0, 1, 2), 0),
        ((254, 255, 0, 1), 0),
        ((0, 3), 2),
        ((255, 1), 1),
        ((5, 6, 5, 6, 7), 0),
        ((7,), 0),
    ],
)
def test_messages_are_numbered_from_0_to_255(numbers: tuple[int, ...], missing: int) -> None:
    node = Node()
    assert sum(node.follow(number) for number in numbers) == missing


def test_a_device_forgets_its_aliases_and_a_node_those_of_all() -> None:
    births = Births()
    births.tell("a", "", FLOW)
    births.tell("a", "pump", FLOW)
    births.forget("a", "pump")
    assert set(births.node("a").aliases) == {""}
    births.forget("a")
    assert births.node("a").aliases == {}
    births.forget("never heard of")


def test_the_node_that_has_been_silent_longest_makes_room() -> None:
    births = Births(most_nodes=2)
    for name in ("a", "b", "a", "c"):
        births.node(name).seq = 1
    assert len(births) == 2
    assert births.node("a").seq == 1


def test_aliases_are_counted_over_all_nodes() -> None:
    births = Births(most_aliases=5)
    many = {k: Metric("x", 10) for k in range(3)}
    births.tell("a", "", many)
    births.tell("a", "", many)
    births.tell("b", "", FLOW)
    assert len(births) == 2
    births.tell("b", "pump", many)
    assert len(births) == 1
    assert len(births.node("b").aliases["pump"]) == 3
