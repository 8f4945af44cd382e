from edge.scaling import so_far
from tests.conftest import records_of


def test_the_deviation_so_far_is_in_the_unit_of_the_values() -> None:
    records = records_of()
    records["seen"], records["scale"] = 4, 36.0
    assert so_far(records) == [[3.0]]
