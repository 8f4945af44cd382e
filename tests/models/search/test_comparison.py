from collections.abc import Callable
from dataclasses import replace

import pytest

from edge.bundle import Bundle
from edge.errors import DataError
from models.data.recordings import Recording
from models.report.page import Page, render
from models.search import comparison as module
from models.search.comparison import LINEAR, Comparison, Measured, Row, compare
from models.search.comparison_table import table
from models.search.task import Task
from models.spec import ForecasterSpec

MakeRecording = Callable[..., Recording]
BRIEF = {"epochs": "2", "lookback": "6", "units": "4", "stretch": "16"}


def row(family: str, error: float) -> Row:
    return Row(family, Measured(error, 1, 2048, 10.0, 0.1, 4, 1.0, 0.5))


def of(**errors: float) -> Comparison:
    return Comparison(tuple(row(family, error) for family, error in errors.items()), 2.0)


def test_a_network_that_gains_more_than_the_margin_is_recommended() -> None:
    compared = of(last=0.4, ar=0.2, lstm=0.19, gru=0.18)
    assert compared.recommended == "gru"
    assert compared.sentence == (
        "Use gru: its error is 10.0% lower than the linear forecast's and 55.0% lower than the last-value forecast's."
    )


def test_a_network_that_gains_less_than_the_margin_is_not() -> None:
    compared = of(ar=0.2, gru=0.1985)
    assert compared.recommended == "ar"
    assert compared.sentence == (
        "Use ar, which needs no network: the error of the best one, gru, is 0.7% lower, "
        "and a gain below 1% counts as none."
    )


def test_of_baselines_that_are_alike_the_linear_one_is_recommended() -> None:
    assert of(last=0.1995, ar=0.2).recommended == "ar"
    assert of(last=0.19, ar=0.2).recommended == "last"
    assert of(last=0.19).recommended == "last"


def test_a_network_must_beat_the_best_baseline_not_only_the_linear_one() -> None:
    assert of(last=0.15, ar=0.2, lstm=0.18).recommended == "last"


def test_without_a_baseline_the_best_network_is_recommended() -> None:
    compared = of(lstm=0.2, gru=0.3)
    assert (compared.recommended, compared.sentence) == ("lstm", "Use lstm: its error is 0.2 deviations.")


def test_where_every_family_failed_nothing_is_recommended() -> None:
    compared = Comparison((Row("lstm", failure="no"),), 1.0)
    assert (compared.recommended, compared.sentence) == ("", "No family could be trained.")
    assert compared.to_json()["families"] == [
        {"family": "lstm", "failure": "no", "note": None, "gain_over_linear": None}
    ]


def test_the_failed_rows_come_last() -> None:
    compared = Comparison((Row("lstm", failure="no"), row("ar", 0.2), row("gru", 0.1)), 1.0)
    assert [each.family for each in compared.ranked] == ["gru", "ar", "lstm"]


def test_a_network_that_is_left_out_is_noted(trained: Bundle, make_recording: MakeRecording) -> None:
    metrics = trained.manifest.metrics | {"left_out": 1.0, "linear": 1.0}
    bundle = replace(trained, manifest=replace(trained.manifest, metrics=metrics))
    compared = Comparison((replace(row("mlp", 0.2), bundle=bundle), row("ar", 0.2)), 1.0)
    note = "The network is no better than the linear forecast beneath it, which is used alone."
    assert [each["note"] for each in compared.to_json()["families"]] == [note, None]
    assert table(compared).caption == f"mlp: {note}"
    assert f"mlp: {note}" in render(Page("Comparison", Task("pump", (make_recording(),)), compared))


@pytest.mark.slow
def test_families_are_measured_on_the_same_part_and_one_that_fails_stops_nothing(
    make_recording: MakeRecording, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    train_row = module.train_row

    def fail_on_gru(task: Task, spec: ForecasterSpec, *rest: object) -> object:
        if spec.family == "gru":
            raise RuntimeError("out of luck")
        if spec.family == "mlp":
            raise DataError("too short")
        return train_row(task, spec, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "train_row", fail_on_gru)
    seen: list[str] = []
    task = Task("pump", (make_recording(),), budget="2 per week")
    compared = compare(task, ("elman", "gru", "mlp", LINEAR, "last"), BRIEF, lambda done: seen.append(done.family))
    assert seen == ["elman", "gru", "mlp", "ar", "last"]
    failures = {each.family: each.failure for each in compared.rows}
    assert failures["gru"] == "RuntimeError: out of luck"
    assert "gru failed" in caplog.text
    assert failures["mlp"] == "too short"
    assert compared.errors["ar"] < compared.errors["last"]
    assert compared.budget_per_week == pytest.approx(2)
    last = next(each for each in compared.rows if each.family == "last").measured
    assert last is not None
    assert last.error == pytest.approx(compared.rows[0].bundle.manifest.metrics["last_value_error"])  # type: ignore[union-attr]
    assert (last.memory, last.streams) == (0, 1)
    assert 0 < last.row_us < last.alone_us
    assert len(compared.rows[0].history) == 2
