import numpy as np
import pytest

from edge.state import Records, StateTable, layout, record_dtype


def rows(*numbers: int) -> np.ndarray:
    return np.array(numbers, np.int32)


@pytest.fixture
def table() -> StateTable:
    new = StateTable(record_dtype(2, 3))
    new.add(Records.zeros(100, new.dtype))
    return new


@pytest.mark.parametrize("chosen", [(3, 4, 5), (3, 50, 99)])
def test_what_is_scattered_is_gathered(table: StateTable, chosen: tuple[int, ...]) -> None:
    records = table.gather(rows(*chosen))
    records["memory"] = 7
    table.scatter(rows(*chosen), records)
    assert (table.gather(rows(*chosen))["memory"] == 7).all()
    assert table.field("memory", rows(2, 6, 98)).sum() == 0


def test_only_scattered_rows_count_as_changed(table: StateTable) -> None:
    table.scatter(rows(3, 50), table.gather(rows(3, 50)))
    assert table.changed().tolist() == [3, 50]
    assert table.changed().tolist() == []


def test_rows_stay_as_the_table_grows(table: StateTable) -> None:
    records = table.gather(rows(99))
    records["seen"] = 5
    table.scatter(rows(99), records)
    added = table.add(Records.zeros(1000, table.dtype))
    assert (added[0], added[-1], len(table)) == (100, 1099, 1100)
    assert table.field("seen", rows(99, 100)).tolist() == [5, 0]


def test_single_channels_are_read_and_replaced(table: StateTable) -> None:
    channels = np.array([0, 1, 1], np.int16)
    table.put_cells("last_value", rows(3, 3, 8), channels, np.array([1.5, 2.5, 3.5]))
    assert table.cells("last_value", rows(8, 3, 3), channels).tolist() == [0.0, 2.5, 2.5]
    assert table.field("last_value", rows(3, 8)).tolist() == [[1.5, 2.5], [0.0, 3.5]]
    assert table.changed().tolist() == [3, 8]


def test_a_record_survives_as_bytes(table: StateTable) -> None:
    records = table.gather(rows(1))
    records["memory"] = [1, 2, 3]
    table.scatter(rows(1), records)
    table.from_bytes(rows(2), table.to_bytes(rows(1)))
    assert table.field("memory", rows(2)).tolist() == [[1, 2, 3]]


def test_bytes_of_another_layout_are_refused(table: StateTable) -> None:
    with pytest.raises(ValueError, match="expected"):
        table.from_bytes(rows(0), [b"short"])


def test_what_fits_is_restored_and_the_rest_is_told(table: StateTable) -> None:
    records = table.gather(rows(1))
    records["memory"] = [1, 2, 3]
    (kept,) = table.to_bytes(rows(1))
    assert table.restore([kept, None, b"short", kept]) == [1, 2]
    assert table.field("memory", rows(0, 2, 3)).tolist() == [[1, 2, 3], [0, 0, 0], [1, 2, 3]]


def test_the_layout_names_every_field_with_type_and_shape() -> None:
    rows_of = layout(record_dtype(2, 3))
    assert ["memory", "<f4", [3]] in rows_of
    assert ["open_slot", "<i8", []] in rows_of
    assert len(rows_of) == len(record_dtype(2, 3).names or ())
