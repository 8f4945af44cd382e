"""The page: what is in the report of a training, a comparison or a search."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edge.bundle import Bundle
from edge.duration import duration_text
from edge.limits import Budget
from models.hidden import RULE
from models.report import charts
from models.report.document import Chart, drawn, render_document, write_document
from models.report.stretch import choose
from models.report.structure import autocorrelation, lags_for
from models.search.comparison import BASELINES, CALLED, LINEAR, Comparison, Row, percent
from models.search.evidence import Evidence, gather, specs_of
from models.search.task import Task
from models.spec import ForecasterSpec
from models.tflite.account import told_of

if TYPE_CHECKING:
    from models.search.tuning import Trial

LEAST_EPOCHS = 2  #: fewer make no curve
BY_CHANCE = 0.05  #: share of correlations beyond the bound where there is nothing to find
NOTICED = 0.1  #: correlation; a smaller one is of no use even where it is sure


@dataclass(frozen=True, slots=True)
class Page:
    """What a report tells."""

    kind: str  #: Training, Comparison or Search
    task: Task
    comparison: Comparison
    row: Row | None = None  #: the one of the comparison that is looked at closely; none if nothing could be trained
    spec: ForecasterSpec | None = None  #: that was asked for
    command: str = ""  #: what trains it again
    trials: "Sequence[Trial]" = ()

    @property
    def bundle(self) -> Bundle | None:
        """Return the bundle that is looked at closely."""
        return self.row.bundle if self.row else None


def write_report(path: Path, page: Page) -> None:
    """Write a report; DataError if the file cannot be written."""
    write_document(path, render(page))


def render(page: Page) -> str:
    """Return the page as one HTML document."""
    evidence = gather(page.bundle, page.task.recordings) if page.bundle else None
    return render_document(
        "report/template.html.j2",
        {"size": _size, "percent": percent},
        page=page,
        facts=_facts(page),
        good=page.row is not None and page.row.family == page.comparison.recommended,
        charts=_charts(page, evidence),
        baselines=BASELINES,
        linear=LINEAR,
        settings=_settings(page.bundle, page.spec) if page.bundle and page.spec else [],
        account=_account(page),
    )


def _facts(page: Page) -> list[tuple[str, str]]:
    first, channels = page.task.recordings[0], page.task.recordings[0].channels
    units = {each.name: each.unit for each in page.task.channels}
    told = [f"{each} ({unit})" if (unit := units.get(each)) else each for each in channels]
    facts = [
        ("Channels", ", ".join(told)),
        ("Interval", duration_text(first.interval_ms)),
        ("Budget", f"{page.task.budget} a stream"),
    ]
    if page.bundle is not None:
        data = page.bundle.manifest.data
        facts += [
            ("Rows", f"{data['rows']:,} in {data['streams']:,} {'stream' if data['streams'] == 1 else 'streams'}"),
            ("Period", f"{_moment(data['start'])} to {_moment(data['end'])}"),
            ("Held out", f"the last {page.bundle.manifest.spec['training']['validation']:.0%} of every stream"),
            ("Made", _moment(page.bundle.manifest.created)),
        ]
        facts += told_of(page.bundle.manifest)
        facts += _units(page)
    return facts


def _charts(page: Page, evidence: Evidence | None) -> list[Chart]:
    found = []
    if sum(each.state == "complete" for each in page.trials):
        text = "Each mark is one choice of settings; the search never saw the part that is held out below."
        found.append(_chart("The search", charts.search(page.trials), text))
    if len(page.comparison.errors) > 1:
        text = (
            "Left is better; an arrow lies further right. Diamonds need no network. A network that is not left of the "
            "shaded band gains nothing over the linear forecast."
        )
        found.append(_chart("Families side by side", charts.families(page.comparison), text))
    if evidence is not None:
        found += [*_forecasts(page, evidence), _tail(evidence), _structure(evidence)]
    if page.row is not None and len(page.row.history) >= LEAST_EPOCHS:
        found.append(_learning(page.comparison, page.row))
    return found


def _forecasts(page: Page, evidence: Evidence) -> list[Chart]:
    return [
        _chart(
            stretch.title,
            charts.forecast(stretch, page.task.time_zone),
            f"{stretch.stream}, {stretch.channel}{f' in {stretch.unit}' if stretch.unit else ''}, times in "
            f"{page.task.time_zone}: {len(stretch.time)} slots that were not learnt from, "
            f"{int(stretch.outside.sum())} of them outside the band.",
        )
        for stretch in choose(evidence)
    ]


def _tail(evidence: Evidence) -> Chart:
    manifest, budget = evidence.manifest, Budget.parse(evidence.manifest.budget)
    per_slot = budget.per_slot(manifest.interval_ms)
    text = (
        f"The limit of {evidence.limit:.3g} decades of surprise is for {budget}. On what was held out it raised "
        f"{evidence.alarms_per_week:.2g} alarms a stream and week; the limit was set on these same slots, "
        "so expect somewhat more."
    )
    svg = charts.tail(evidence.surprises, manifest.tail, evidence.limit, per_slot)
    return _chart("How surprising slots are", svg, text, wide=False)


def _structure(evidence: Evidence) -> Chart:
    values, bound = autocorrelation(evidence.residuals, lags_for(evidence))
    beyond, strongest = int((np.abs(values) > bound).sum()), int(np.argmax(np.abs(values)))
    plain = beyond <= 2 * BY_CHANCE * len(values) and abs(values[strongest]) < max(2 * bound, NOTICED)
    text = (
        f"{beyond} of {len(values)} correlations lie beyond what chance gives to one in twenty; the strongest is "
        f"{values[strongest]:+.2f} at {strongest + 1} {'slot' if strongest == 0 else 'slots'}. "
        + ("What is left looks like noise." if plain else "There is something left that a forecaster could use.")
    )
    return _chart("What structure is left", charts.autocorrelation(values, bound), text, wide=False)


def _learning(comparison: Comparison, row: Row) -> Chart:
    errors, best = comparison.errors, min(row.history, key=lambda each: each.error)
    references = {called: errors[name] for name, called in CALLED.items() if name in errors and name != row.family}
    text = f"{len(row.history)} epochs; the least error came in epoch {best.number}."
    return _chart("How it learnt", charts.learning(row.history, references), text)


def _chart(title: str, svg: str, text: str, *, wide: bool = True) -> Chart:
    return Chart(title, drawn(svg), text, wide)


def _settings(bundle: Bundle, asked: ForecasterSpec) -> list[tuple[str, str, bool]]:
    """Return name and value of every setting that the family has, and whether it was asked to be no default."""
    network, training = specs_of(bundle.manifest)
    usual = ForecasterSpec(asked.family)
    told = [(each.name, getattr(network, each.name)) for each in fields(network)]
    return [
        (name, str(value), getattr(asked, name) != getattr(usual, name)) for name, value in told if value is not None
    ] + [(each.name, str(value := getattr(training, each.name)), value != each.default) for each in fields(training)]


def _units(page: Page) -> list[tuple[str, str]]:
    units = page.bundle.manifest.spec["units"] if page.bundle else None
    if units is None or page.spec is None:
        return []
    return [("Units", str(units) if page.spec.units is not None else f"{units}, by the rule of the {RULE}")]


def _account(page: Page) -> list[str]:
    """Return in words what was used of the data, and what was not."""
    told = page.task.account.lines() if page.task.account else []
    used = page.bundle.manifest.scaling.streams if page.bundle else {}
    short = [each.name for each in page.task.recordings if used and each.name not in used]
    return [*told, *(f"left out: {name}: too short" for name in short)]


def _moment(iso: str) -> str:
    return iso.replace("T", " ").replace(":00Z", " UTC").replace("Z", " UTC")


def _size(count: int) -> str:
    return f"{count / 1024:.0f} KiB" if count < 1024 * 1024 else f"{count / 1024 / 1024:.1f} MiB"
