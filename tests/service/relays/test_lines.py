import math
import time
from typing import Any

import numpy as np
import pytest

from edge.messages.alarm import Alarm
from edge.quality import Quality
from service.relays.lines import VerdictLines, alarm_line
from tests.conftest import START_MS
from tests.service.conftest import MakeMonitor
from tests.service.relays.conftest import verdicts_of

TAGS = b"bundle=pump/1,channel=%b,monitor=main,site=north,stream=%b"


def alarm(**changed: Any) -> Alarm:
    known = Alarm(
        "id", 1, "pump/1", "flow", START_MS, None, 2.5, 9.25, math.nan, None, 3.0, 4.0, START_MS + 10, "flow",
        raised=START_MS, severity="critical", explanation='flow "9"',
    )  # fmt: skip
    return known._replace(**changed)


def test_each_slot_and_channel_is_a_point(make_monitor: MakeMonitor) -> None:
    monitor = make_monitor(bundle={"channels": ("flow", "level")}, site="north")
    monitor.row("a")
    monitor.row("b 1")
    verdicts = verdicts_of(
        [START_MS, START_MS + 1],
        channels=2,
        stream=np.array([0, 1], np.int32),
        status=np.array([1, 2], np.uint8),
        value=np.array([[1.0, 2.5], [1e-7, -3e22]]),
        score=np.array([0.25, 7.0], np.float32),
    )
    fields = b"expected=1.25,lower=-0.5,upper=3.0"
    assert VerdictLines().of(monitor, verdicts) == [
        b"verdict,%b value=1.0,%b,score=0.25,anomaly=0i %d" % (TAGS % (b"flow", b"a"), fields, START_MS),
        b"verdict,%b value=2.5,%b,score=0.25,anomaly=0i %d" % (TAGS % (b"level", b"a"), fields, START_MS),
        b"verdict,%b value=1e-7,%b,score=7.0,anomaly=1i %d" % (TAGS % (b"flow", rb"b\ 1"), fields, START_MS + 1),
        b"verdict,%b value=-3e22,%b,score=7.0,anomaly=1i %d" % (TAGS % (b"level", rb"b\ 1"), fields, START_MS + 1),
    ]


def test_a_field_that_is_not_known_is_left_out(make_monitor: MakeMonitor) -> None:
    monitor = make_monitor(site="north")
    monitor.row("a")
    nan = math.nan
    verdicts = verdicts_of(
        [1, 2, 3],
        value=np.array([[nan], [1.0], [math.inf]]),
        expected=np.full((3, 1), nan),
        lower=np.full((3, 1), nan),
        upper=np.full((3, 1), nan),
        score=np.array([nan, nan, 2], np.float32),
    )
    said = sorted(line.split(b" ", 1)[1] for line in VerdictLines().of(monitor, verdicts))
    assert said == [b"anomaly=0i 1", b"score=2.0,anomaly=0i 3", b"value=1.0,anomaly=0i 2"]


def test_streams_that_are_new_and_a_monitor_that_begins_anew_have_their_names(make_monitor: MakeMonitor) -> None:
    monitor, lines = make_monitor(site="north"), VerdictLines()

    def streams(*rows: int) -> list[bytes]:
        verdicts = verdicts_of(list(rows), stream=np.array(rows, np.int32))
        return [line.split(b" ")[0].rpartition(b"stream=")[2] for line in lines.of(monitor, verdicts)]

    monitor.row("a")
    assert streams(0) == [b"a"]
    monitor.row("b")
    assert streams(1, 0) == [b"b", b"a"]
    monitor.restore([])
    monitor.row("c")
    assert streams(0) == [b"c"]


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        ("a,b=c d", rb"a\,b\=c\ d"),
        ("a\\b", rb"a\b"),
        ("a\\", b"a/"),
        ("a\\ b", rb"a/\ b"),
        ("a\\\\b", rb"a/\b"),
        ("a\nb,x=1 2", rb"a\ b\,x\=1\ 2"),
        ("%b %d", rb"%b\ %d"),
        ("Pumpe ü", "Pumpe\\ ü".encode()),
    ],
)
def test_names_cannot_break_out_of_their_tag(name: str, tag: bytes, make_monitor: MakeMonitor) -> None:
    monitor = make_monitor(site="north")
    monitor.row(name)
    (line,) = VerdictLines().of(monitor, verdicts_of([1]))
    assert line.startswith(b"verdict," + TAGS % (b"value", tag) + b" value=1.5,")
    assert alarm_line(monitor, name, alarm()).startswith(b"alarm," + TAGS % (b"flow", tag) + b" score=")


def test_what_is_wrong_with_a_channel_is_told_in_words_and_nothing_where_nothing_is(make_monitor: MakeMonitor) -> None:
    monitor = make_monitor(site="north")
    monitor.row("a")
    flags = np.array([[0], [Quality.STUCK], [Quality.STUCK | Quality.CLOCK]], np.uint8)
    said = sorted(line.split(b" ", 1)[1] for line in VerdictLines().of(monitor, verdicts_of([1, 2, 3], quality=flags)))
    fields = b"value=1.5,expected=1.25,lower=-0.5,upper=3.0,score=0.5,%banomaly=0i %d"
    assert said == sorted(
        [fields % (b"", 1), fields % (b'quality="stuck",', 2), fields % (b'quality="stuck+clock",', 3)]
    )


def test_an_alarm_is_one_point_which_its_end_changes(make_monitor: MakeMonitor) -> None:
    monitor = make_monitor(site="north")
    head = b"alarm,%b score=2.5,value=9.25,upper=3.0,peak_score=4.0," % (TAGS % (b"flow", b"a"))
    peak, start = b"peak_time=%di" % (START_MS + 10), b"%d" % START_MS
    assert alarm_line(monitor, "a", alarm()) == (
        head + b"open=1i," + peak + b",raised=%bi," % start + b'id="id",state="opened",severity="critical",'
        rb'explanation="flow \"9\"" ' + start
    )
    closed = alarm(end=START_MS + 99, explanation="a\\\nb", incident="x")
    assert alarm_line(monitor, "a", closed) == (
        head + b"open=0i," + peak + b",end=%di,raised=%bi," % (START_MS + 99, start)
        + rb'id="id",state="closed",severity="critical",explanation="a\\ b",incident="x" ' + start
    )  # fmt: skip


def test_a_point_costs_few_microseconds(make_monitor: MakeMonitor) -> None:
    monitor, lines = make_monitor(site="north"), VerdictLines()
    for number in range(1000):
        monitor.row(f"pump-{number}")
    noise = np.random.default_rng(1).normal(20, 3, (20_000, 1))
    verdicts = verdicts_of(
        range(20_000), stream=np.arange(20_000, dtype=np.int32) % 1000, value=noise, expected=noise, lower=noise - 1
    )
    costs = []
    for _ in range(5):
        began = time.process_time()
        assert len(lines.of(monitor, verdicts)) == 20_000
        costs.append(1e6 * (time.process_time() - began) / 20_000)
    assert min(costs) < 10  # measured: 1.7
