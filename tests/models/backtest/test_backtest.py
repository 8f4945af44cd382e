"""The whole backtest on a small recording: a bundle's alarms, the baselines beside it, and the report of it."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from edge.bundle import Bundle
from models.backtest import baselines, pictures, report, timeline
from models.backtest.backtest import Backtest, run_backtest
from models.backtest.summary import notes
from models.data.account import Account
from models.data.periods import Period
from models.data.recordings import Data, Recording, read_recordings
from models.data.selection import Selection
from models.data.sources.files import Files
from models.data.sources.layout import Layout
from models.detection import run_engine
from models.policy import read_policy
from service.cli import main
from tests.models.conftest import INTERVAL_MS, MakeRecording
from tests.models.report.test_page import Elements

EVIL = "<b>leak</b>"
FAULTS = {"pump-1": (600, 700), "pump-2": (650,)}
LONG = 8


@pytest.fixture(scope="module")
def folder(make_recording: MakeRecording, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with readings of two streams and labels of three faults, one of which does not show."""
    place = tmp_path_factory.mktemp("backtest")
    frames, labels = [], []
    for seed, (name, starts) in enumerate(FAULTS.items()):
        recording = make_recording(name, ("flow", "heat"), slots=800, seed=seed)
        values = recording.values.copy()
        time = recording.slots * INTERVAL_MS
        for start in starts:
            values[start : start + LONG, 0] += 60.0 if start != 700 else 0.0
            labels.append((name, *pd.to_datetime(time[[start, start + LONG]], unit="ms", utc=True), EVIL))
        values[500, 1] += 60
        frames.append(pd.DataFrame(values, columns=["flow", "heat"]).assign(time=time, device=name))
    pd.concat(frames).to_csv(place / "pumps.csv", index=False)
    pd.DataFrame(labels, columns=["stream", "start", "end", "label"]).to_csv(place / "labels.csv", index=False)
    return place


def opened(folder: Path) -> Callable[[int | None], Data]:
    def data(end_ms: int | None) -> Data:
        source = Files(folder / "pumps.csv", Layout("time", ("flow", "heat"), "device"))
        return Data(source, ("flow", "heat"), Selection(end_ms=end_ms))

    return data


def periods(folder: Path) -> list[Period]:
    from models.backtest.labels import read_labels

    return read_labels(folder / "labels.csv", "UTC")


@pytest.fixture(scope="module")
def found(trained: Bundle, folder: Path) -> Backtest:
    """Return a backtest with labels, without baselines."""
    return run_backtest(trained, opened(folder), None, read_policy({}), periods(folder), baselines=False)


def test_it_says_what_the_engine_says(found: Backtest, trained: Bundle, folder: Path) -> None:
    detected = run_engine(trained, opened(folder)(None).blocks())
    assert found.detected.summary() == detected.summary()
    np.testing.assert_array_equal(found.detected.verdicts.score, detected.verdicts.score)


def test_faults_that_show_are_found_and_what_the_bundle_learnt_from_is_not_judged(found: Backtest) -> None:
    assert found.conditions.stretch.reason == "what the bundle has not learnt from"
    (only,) = found.outcomes
    assert only.slots == 2 * 400
    assert only.worth is not None
    assert only.worth.events.found.tolist() == [True, False, True]
    assert only.worth.events.false >= 2  # heat jumps in slot 500 of both, which nobody has labelled


def test_an_alarm_that_never_ends_is_told(found: Backtest, folder: Path, trained: Bundle) -> None:
    policy = read_policy({"release": "0.001"})
    stuck = run_backtest(
        trained,
        opened(folder),
        None,
        policy,
        None,
        judge_from_ms=found.conditions.stretch.end_ms - 60 * INTERVAL_MS,
        baselines=False,
    )
    assert stuck.outcomes[0].alarms == 0
    assert notes(stuck) == ["alarms that were open already when the judged stretch began: 2"]


def test_budget_and_policy_are_those_given(trained: Bundle, folder: Path, found: Backtest) -> None:
    from edge.limits import Budget

    policy = read_policy({"k": "5", "n": "5"})  # a single jump is seen again in the three forecasts after it
    strict = run_backtest(trained, opened(folder), None, policy, None, baselines=False)
    assert strict.outcomes[0].alarms < found.outcomes[0].alarms
    assert strict.outcomes[0].worth is None
    loose = run_backtest(trained, opened(folder), Budget.parse("20 per day"), read_policy({}), None, baselines=False)
    assert loose.outcomes[0].alarms > found.outcomes[0].alarms
    assert loose.budget_per_week == pytest.approx(140)


def test_the_user_may_say_from_when_on_to_judge(trained: Bundle, folder: Path, found: Backtest) -> None:
    start_ms = found.conditions.stretch.start_ms + 250 * INTERVAL_MS
    later = run_backtest(trained, opened(folder), None, read_policy({}), None, judge_from_ms=start_ms, baselines=False)
    assert later.outcomes[0].slots == 2 * 150


@pytest.mark.slow
def test_baselines_never_see_what_is_judged(trained: Bundle, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    learnt: list[Recording] = []

    def read(data: Data, interval_ms: int | None = None) -> tuple[list[Recording], Account]:
        recordings, account = read_recordings(data, interval_ms)
        learnt.extend(recordings)
        return recordings, account

    monkeypatch.setattr(baselines, "read_recordings", read)
    told: list[str] = []
    beside = run_backtest(
        trained, opened(folder), None, read_policy({}), periods(folder), on_outcome=lambda each: told.append(each.name)
    )
    assert told == [each.name for each in beside.outcomes] == ["pump/1", "ar", "seasonal", "last"]
    assert all(not each.failure and each.slots == 800 and each.worth for each in beside.outcomes)
    start_ms = beside.conditions.stretch.start_ms
    assert [(each.first + len(each.values)) * INTERVAL_MS for each in learnt] == [start_ms, start_ms]


def test_a_baseline_that_cannot_learn_says_why(trained: Bundle, folder: Path, found: Backtest) -> None:
    early = int(found.detected.verdicts.time.min()) + 5 * INTERVAL_MS
    beside = run_backtest(trained, opened(folder), None, read_policy({}), None, judge_from_ms=early)
    assert all(each.failure for each in beside.outcomes[1:])


def test_a_season_is_a_day_where_there_are_several(make_recording: MakeRecording) -> None:
    assert baselines.season([make_recording(slots=4 * 144)]) == {"season": "144"}
    assert baselines.season([make_recording(slots=4 * 144 - 1)]) == {}


def test_the_report_shows_numbers_windows_and_alarms_and_escapes_names(found: Backtest, folder: Path) -> None:
    page = report.render(found, periods(folder))
    seen = Elements(page)
    assert "2 of 3 labelled windows found" in seen.text
    assert EVIL in seen.text
    assert EVIL not in page
    assert len(re.findall("<figure", page)) == found.outcomes[0].alarms
    assert "flow" in seen.text
    assert "expected" in seen.text
    assert {"missed", "right", "false"} <= set(seen.text.split())
    assert "script" not in seen.names
    assert not [value for name, value in seen.attributes if name in ("src", "href") and not value.startswith("#")]


def test_more_alarms_and_streams_than_are_drawn_are_told(
    found: Backtest, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "MOST", 2)
    monkeypatch.setattr(timeline, "MOST", 1)
    page = report.render(found, periods(folder))
    assert len(re.findall("<figure", page)) == 2
    assert f"{found.outcomes[0].alarms - 2} more alarms, with lower scores, are not drawn" in page
    assert "1 more streams are not shown" in page


def test_marks_lie_on_their_lines(found: Backtest) -> None:
    marks = [mark for line in timeline.draw(found).lines for mark in line.marks]
    assert [mark.kind for mark in marks].count("labelled") == 3
    assert all(0 <= mark.left <= 100 - mark.width for mark in marks)


def run(*words: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, ["backtest", *map(str, words)])
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.slow
def test_the_command_prints_a_table_and_writes_the_report(trained: Bundle, folder: Path, tmp_path: Path) -> None:
    given = (folder / "pumps.csv", "--device", "device", "--bundle", trained.path, "--no-baselines")
    code, said, _ = run(*given, "--labels", folder / "labels.csv", "--report", tmp_path / "new" / "report.html")
    assert code == 0
    assert "pump/1" in said
    assert re.search(r"labelled windows found .* 2 of 3", said)
    assert (tmp_path / "new" / "report.html").stat().st_size > 10_000
    code, said, _ = run(*given)
    assert code == 0
    assert "event F1" not in said


def test_the_command_answers_in_json(trained: Bundle, folder: Path) -> None:
    given = (folder / "pumps.csv", "--device", "device", "--bundle", trained.path, "--no-baselines", "--json")
    code, said, progress = run(*given, "--labels", folder / "labels.csv", "--alarm", "k=2", "--alarm", "n=3")
    assert (code, progress) == (0, "")
    facts = json.loads(said)
    assert facts["judged"] == "what the bundle has not learnt from"
    assert facts["detectors"][0]["found"] == 2
    code, _, said = run(*given, "--judge-from", "noon")
    assert (code, said) == (2, "foresense: --judge-from: expected a time such as '2024-05-01T06:30', got 'noon'\n")
    code, _, said = run(*given, "--judge-from", "2099-01-01")
    assert code == 2
    assert "expected slots to judge" in said
