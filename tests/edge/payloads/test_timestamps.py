import pytest

from edge.payloads.rejects import Reason, RejectError
from edge.payloads.timestamps import Timestamps, epoch_ms

TIME = 1_700_000_000_000


@pytest.mark.parametrize(
    "raw",
    [
        1_700_000_000,
        1_700_000_000.0,
        1_700_000_000_000,
        1_700_000_000_000_000,
        1_700_000_000_000_000_999,
        "2023-11-14T22:13:20Z",
        "2023-11-14 22:13:20",
        "2023-11-14T23:13:20.000+01:00",
    ],
)
def test_the_same_moment_is_read_from_every_form(raw: object) -> None:
    assert epoch_ms(raw) == TIME


def test_fractions_of_seconds_are_kept() -> None:
    assert epoch_ms(1_700_000_000.25) == TIME + 250


def test_fractions_of_milliseconds_are_cut_off() -> None:
    assert epoch_ms("2023-11-14T22:13:20.000999Z") == TIME
    assert epoch_ms("2023-11-14T22:13:20.000999999Z") == TIME


@pytest.mark.parametrize(
    "raw",
    [
        0,
        -1,
        1e300,
        10**400,
        True,
        None,
        [],
        "",
        "1700000000",
        "2023-11-14",
        "now",
        "٢٠٢٣-11-14T22:13",
        "9999-99-99T99:99",
    ],
)
def test_what_is_no_time_is_rejected(raw: object) -> None:
    with pytest.raises(RejectError) as reject:
        epoch_ms(raw)
    assert reject.value.reason is Reason.TIME


EPOCHS = (1_700_000_000, 1_700_000_000_000, 1_700_000_000_000_000, 1_700_000_000_000_000_000)


def test_times_without_an_offset_are_of_the_zone() -> None:
    summer, winter = "2024-07-01T12:00:00", "2024-01-01T12:00:00"
    timestamps = Timestamps("Europe/Rome")
    assert timestamps.ms(summer, "a") == epoch_ms("2024-07-01T10:00:00Z")
    assert timestamps.ms(winter, "a") == epoch_ms("2024-01-01T11:00:00Z")
    assert timestamps.ms("2024-07-01T12:00:00Z", "a") == epoch_ms("2024-07-01T12:00:00Z")


@pytest.mark.parametrize("first", EPOCHS)
@pytest.mark.parametrize("second", EPOCHS)
def test_the_unit_of_a_streams_epochs_stays(first: int, second: int) -> None:
    timestamps = Timestamps()
    assert timestamps.ms(first, "a") == TIME
    if first == second:
        assert timestamps.ms(second, "a") == TIME
    else:
        with pytest.raises(RejectError) as reject:
            timestamps.ms(second, "a")
        assert reject.value.reason is Reason.UNIT
        with pytest.raises(RejectError):
            timestamps.all_ms([second, second], "a")
    assert timestamps.ms(second, "b") == TIME


@pytest.mark.parametrize("unset", [0, 86_400, 90_000_000])
def test_a_clock_that_was_not_set_tells_no_unit(unset: int) -> None:
    timestamps = Timestamps()
    if unset < 90_000:
        with pytest.raises(RejectError):
            timestamps.ms(unset - 1, "a")
    else:
        timestamps.ms(unset, "a")
    assert timestamps.ms(1_700_000_000_000, "a") == TIME


def test_many_times_are_as_each() -> None:
    timestamps = Timestamps()
    for raw in (
        [1_700_000_000, 1_700_000_001],
        [1_700_000_000.5, 1_700_000_001],
        ["2023-11-14T22:13:20Z", 1_700_000_000],
        [],
    ):
        assert timestamps.all_ms(raw, "a") == [timestamps.ms(each, "a") for each in raw]
    assert timestamps.all_ms([1_700_000_000_250.0, 1_700_000_000_000], "b") == [TIME + 250, TIME]
    with pytest.raises(RejectError, match="some in s, some in ms"):
        timestamps.all_ms([1_700_000_000, 1_700_000_000_000], "c")
    with pytest.raises(RejectError, match="expected an epoch"):
        timestamps.all_ms([1_700_000_000, None], "c")


@pytest.mark.parametrize(
    ("first", "step"), [(1_700_000_000, 0.5), (1_700_000_000_000, 500), ("2023-11-14T22:13:20Z", 0.5)]
)
def test_times_may_be_counted_on_from_a_first_one(first: object, step: object) -> None:
    assert Timestamps().steps_ms(first, step, 3, "a") == [TIME, TIME + 500, TIME + 1000]
    assert Timestamps().steps_ms(first, step, 0, "a") == []


@pytest.mark.parametrize("step", [0, -1, True, None, "1", 1e300])
def test_what_is_no_step_is_rejected(step: object) -> None:
    with pytest.raises(RejectError) as reject:
        Timestamps().steps_ms(1_700_000_000, step, 3, "a")
    assert reject.value.reason is Reason.TIME


def test_the_memory_for_units_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.payloads.timestamps.MOST_STREAMS", 2)
    timestamps = Timestamps()
    for stream in "abc":
        timestamps.ms(1_700_000_000, stream)
    assert timestamps.ms(1_700_000_000_000, "c") == TIME  # not remembered, but read
    with pytest.raises(RejectError):
        timestamps.ms(1_700_000_000_000, "a")
