import time

import pytest

from edge.payloads.rejects import Reason, RejectError
from service.payloads.line_protocol import Point, read_points


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("pump flow=1.5", Point("pump", {}, {"flow": 1.5}, None)),
        (
            "pump,device=p1,hall=h flow=1.5,heat=-2e3 17",
            Point("pump", {"device": "p1", "hall": "h"}, {"flow": 1.5, "heat": -2000.0}, 17),
        ),
        ("pump a=1i,b=2u,c=-3i,d=.5,e=5.", Point("pump", {}, {"a": 1, "b": 2, "c": -3, "d": 0.5, "e": 5}, None)),
        ("pump on=t,off=FALSE,flow=1", Point("pump", {}, {"flow": 1}, None)),
        ('pump s="a, b=c 3\nd",flow=1', Point("pump", {}, {"flow": 1}, None)),
        (r'pump s="say \"1\" \\",flow=1', Point("pump", {}, {"flow": 1}, None)),
        (
            r"my\ pump\,1,de\=vice=p\ 1\,x my\ flow\=\,=1",
            Point("my pump,1", {"de=vice": "p 1,x"}, {"my flow=,": 1}, None),
        ),
        (r"pump,path=C:\tmp flow=1", Point("pump", {"path": r"C:\tmp"}, {"flow": 1}, None)),
        ("pump,site=Köln flow=1", Point("pump", {"site": "Köln"}, {"flow": 1}, None)),
        ("  pump   flow=1   -17  \r\n", Point("pump", {}, {"flow": 1}, -17)),
    ],
)  # fmt: skip
def test_a_line_is_a_point(line: str, expected: Point) -> None:
    assert list(read_points(line)) == [expected]


def test_comments_and_empty_lines_are_skipped() -> None:
    points = read_points("# first, a comment\n\npump flow=1\n\r\n  # another\npump flow=2\n")
    assert [point.numbers["flow"] for point in points] == [1, 2]


@pytest.mark.parametrize(
    "line",
    [
        "pump", "pump ", "pump flow", "pump flow=", "pump =1", ",a=b flow=1", "pump,a flow=1", "pump,a= flow=1",
        'pump s="open', 'pump s="a"b=1', "pump flow=1 17 18", "pump flow=1 1.5", "pump flow=1,,heat=2", "pump flow=1,",
        "pump flow=1 now", "{}", "21.5",
    ],
)  # fmt: skip
def test_what_is_no_line_is_rejected(line: str) -> None:
    with pytest.raises(RejectError) as reject:
        list(read_points(line))
    assert reject.value.reason is Reason.SYNTAX


@pytest.mark.parametrize("value", ["nan", "inf", "1_000", "1.5i", "0x1", "٣", "21.5°C", "unavailable", "1e", "--1"])
def test_what_is_no_number_is_rejected(value: str) -> None:
    with pytest.raises(RejectError) as reject:
        list(read_points(f"pump flow={value}"))
    assert reject.value.reason is Reason.NUMBER


def test_a_time_of_many_digits_is_rejected() -> None:
    with pytest.raises(RejectError) as reject:
        list(read_points("pump flow=1 " + "9" * 5000))
    assert reject.value.reason is Reason.TIME


@pytest.mark.parametrize(
    "text", ['pump s="' + "\\" * 200_000, "pump," + "a" * 250_000, "a=" * 100_000, "\\ " * 100_000]
)
def test_a_long_line_takes_no_longer_than_it_is_long(text: str) -> None:
    begin = time.process_time()
    with pytest.raises(RejectError) as reject:
        list(read_points(text))
    assert len(reject.value.detail) < 300
    assert time.process_time() - begin < 1  # where it backtracks, hours
