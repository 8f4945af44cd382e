import pytest

from service.sniff.zone import guess_zone
from tests.service.sniff.conftest import said


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("2023-11-14T22:13:18", None),
        ("2023-11-15T00:13:18", "Etc/GMT-2"),
        ("2023-11-14T17:13:18", "Etc/GMT+5"),
        ("2023-11-15T00:13:18+02:00", None),
        ("2023-11-15T00:13:18Z", None),
        ("2024-11-15T00:13:18", None),
        ("soon", None),
    ],
)
def test_the_zone_is_that_in_which_messages_come_when_they_were_sent(time: str, expected: str | None) -> None:
    message = said("tele/a/SENSOR", f'{{"Time": "{time}", "A": {{"B": 1}}}}')
    assert guess_zone({"payload": "tasmota"}, [message]) == expected
    assert guess_zone({"payload": "json", "time": "Time"}, [message]) == expected


def test_epochs_and_messages_without_a_time_have_none() -> None:
    assert guess_zone({"payload": "json", "time": "ts"}, [said("a", '{"ts": 1700000000}'), said("a", "x")]) is None
    assert guess_zone({"payload": "number"}, [said("a", "1")]) is None
