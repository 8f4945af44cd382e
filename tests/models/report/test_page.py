import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from edge.errors import DataError
from edge.manifest import Channel
from models.report.page import Page, render, write_report
from models.report.training import train_and_report
from models.search.comparison import Comparison, Row
from models.search.task import Task
from models.search.tuning import Trial
from models.spec import ForecasterSpec, TrainingSpec
from tests.models.conftest import recording

EVIL = "<img src=x onerror=alert(1)>"
SPEC, TRAINING = ForecasterSpec("ar", lookback=6), TrainingSpec(stretch=16)


class Elements(HTMLParser):
    """Collects a page's elements, their attributes and the text that a reader sees."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002
        self.text += " "

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the report of a search with everything in it, on streams with a wicked name."""
    folder: Path = tmp_path_factory.mktemp("report")
    streams = (recording(EVIL, (EVIL, "heat")), recording("short", (EVIL, "heat"), slots=20))
    task = Task("pump", streams, (Channel(EVIL, "<b>"), Channel("heat", "<b>")), "Europe/Rome", "2 per week")
    trials = [Trial(0, 0.2, "complete", {"family": "ar"}), Trial(1, float("nan"), "failed", {})]
    report = folder / "new" / "report.html"
    spec = replace(SPEC, family="elman", units=3)
    training = replace(TRAINING, epochs=3)
    bundle, compared = train_and_report(
        task, spec, training, folder, report, settings={"lookback": "6"}, command=f"train {EVIL}", trials=trials
    )
    assert bundle.path.is_dir()
    assert list(compared.errors) == ["elman", "ar", "seasonal", "last"]
    return report.read_text("utf-8")


def test_names_are_shown_and_are_harmless(page: str) -> None:
    elements = Elements(page)
    assert not elements.names & {"img", "script", "b", "link", "iframe"}
    assert not [name for name, _ in elements.attributes if name.startswith("on")]
    assert f"{EVIL} (<b>)" in elements.text
    assert re.search(f"{re.escape(EVIL)}, (heat|{re.escape(EVIL)}) in <b>, times in", elements.text)
    assert f"train {EVIL}" in elements.text


def test_a_page_asks_for_nothing_from_anywhere(page: str) -> None:
    assert "://" not in page
    assert "@import" not in page
    assert {value[:1] for name, value in Elements(page).attributes if name in ("src", "href", "xlink:href")} <= {"#"}
    assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page


def test_ids_are_unique_and_colours_are_the_pages(page: str) -> None:
    ids = [value for name, value in Elements(page).attributes if name == "id"]
    shared = {each for each in ids if ids.count(each) > 1 and f"#{each}" in page}
    assert not shared
    charts = "".join(re.findall(r"<svg.*?</svg>", page, re.DOTALL))
    assert charts.count("var(--first)") > 5
    assert not re.findall(r"#(?:0[0-9a-f]){3}\b", charts)
    assert page.count("prefers-color-scheme: dark") == 1


def test_a_page_tells_what_was_trained_on_what_and_what_it_is_worth(page: str) -> None:
    text = " ".join(Elements(page).text.split())
    assert "Search report" in text
    assert re.search(r"Use (ar|elman)", text)
    assert "2 per week a stream" in text
    assert "400 in 1 stream" in text
    assert "left out: short: too short" in text
    assert "Units 3" in text
    for title in ("The search", "Families side by side", "A typical stream", "Where an error was greatest",
                  "How surprising slots are", "What structure is left", "How it learnt"):  # fmt: skip
        assert title in text


def test_a_comparison_in_which_all_failed_is_a_page() -> None:
    compared = Comparison((Row("lstm", failure="there is <no> luck"),), 1.0)
    text = Elements(render(Page("Comparison", Task("pump", (recording(),)), compared))).text
    assert "No family could be trained." in text
    assert "there is <no> luck" in text


def test_a_report_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    page = Page("Comparison", Task("pump", (recording(),)), Comparison((), 1.0))
    with pytest.raises(DataError, match="expected a file that can be written"):
        write_report(tmp_path / "file" / "report.html", page)
