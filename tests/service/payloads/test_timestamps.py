import pytest

from service.payloads.timestamps import epoch_ms
from service.rejects import Reason, RejectError

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
