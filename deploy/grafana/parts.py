"""Parts of the dashboards: queries in InfluxQL, panels, variables and links as all of them have them."""

from collections.abc import Mapping, Sequence
from typing import Any

from grafana_foundation_sdk.builders import bargauge, common, dashboard, stat, table, timeseries
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.common import BigValueColorMode, BigValueGraphMode, GraphTresholdsStyleMode
from grafana_foundation_sdk.models.dashboard import (
    AnnotationQuery,
    DashboardLinkType,
    DataSourceRef,
    DynamicConfigValue,
    Threshold,
    ThresholdsMode,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

SOURCE = DataSourceRef("influxdb", "foresense")
BLUE, ORANGE, RED, GREY = "#0072B2", "#E69F00", "#D55E00", "#999999"  # told apart by the colour-blind as well
SEVERITIES = {"minor": "#F0E442", "major": ORANGE, "critical": RED}
EVERY = "time($__interval)"


def where(*names: str, **also: str) -> str:
    """Return a condition: the dashboard's time, tags as the variables of their names say, and fields as told."""
    variables = [f'"{name}" =~ /^${{{name}:regex}}$/' for name in names]
    return " AND ".join(["$timeFilter", *variables, *(f'"{name}" = {value}' for name, value in also.items())])


class Query(Dataquery, Builder["Query"]):
    """A query of a panel, as Grafana's InfluxDB data source has it; the SDK has no model of that."""

    def __init__(self, query: str, alias: str = "", as_table: bool = False) -> None:
        self.query, self.alias, self.form = query, alias, "table" if as_table else "time_series"
        self.ref_id = "A"

    def build(self) -> "Query":
        """Return the query itself."""
        return self

    def to_json(self) -> dict[str, object]:
        """Return what stands in the dashboard."""
        told: dict[str, object] = {"refId": self.ref_id, "datasource": SOURCE, "rawQuery": True, "query": self.query}
        return told | {"resultFormat": self.form} | ({"alias": self.alias} if self.alias else {})


class InfluxAnnotation(AnnotationQuery, Builder[AnnotationQuery]):
    """Alarms drawn into panels, from start to end; the SDK's model lacks what the data source needs for it."""

    def __init__(self, query: str) -> None:
        super().__init__("Alarms", SOURCE, enable=True, icon_color=RED)
        self._query = query

    def build(self) -> AnnotationQuery:
        """Return the annotation itself."""
        return self

    def to_json(self) -> dict[str, object]:
        """Return what stands in the dashboard."""
        columns = {"titleColumn": "stream", "textColumn": "explanation", "tagsColumn": "severity"}
        return super().to_json() | {"query": self._query, "timeEndColumn": "end", **columns}


def alarms(*names: str) -> InfluxAnnotation:
    """Return the alarms of what the variables say as annotations."""
    columns = '"explanation", "severity", "end", "stream"'
    return InfluxAnnotation(f'SELECT {columns} FROM "alarm" WHERE {where(*names)}')


def board(uid: str, title: str, description: str) -> dashboard.Dashboard:
    """Return an empty dashboard with the links to the others."""
    links = dashboard.DashboardLink("Foresense").type(DashboardLinkType.DASHBOARDS).tags(["foresense"])
    made = dashboard.Dashboard(title).uid(f"foresense-{uid}").description(description).tags(["foresense"])
    made = made.timezone("browser").readonly().time("now-6h", "now").refresh("10s")
    return made.link(links.include_vars(True).keep_time(True).as_dropdown(False))


def variable(name: str, query: str, one: bool = False, label: str = "") -> dashboard.QueryVariable:
    """Return a variable with the values of a query: several or all of them, or one."""
    made = dashboard.QueryVariable(name).label(label or name).datasource(SOURCE).query(query)
    made = made.refresh(VariableRefresh.ON_TIME_RANGE_CHANGED).sort(VariableSort.ALPHABETICAL_CASE_INSENSITIVE_ASC)
    if one:
        return made.multi(False).include_all(False)
    every = VariableOption(text="All", value="$__all", selected=True)
    return made.multi(True).include_all(True).all_value(".*").current(every)


def tag_values(name: str, measurement: str = "verdict", *given: str) -> str:
    """Return the query for the values of a tag, of those points whose other tags are as variables say."""
    conditions = " AND ".join(f'"{each}" =~ /^${{{each}:regex}}$/' for each in given)
    return f'SHOW TAG VALUES FROM "{measurement}" WITH KEY = "{name}"' + (f" WHERE {conditions}" if given else "")


def number(title: str, query: str, what: str, steps: Mapping[int, str] | None = None) -> stat.Panel:
    """Return a panel of the newest number, on its colour; `steps` are colours from a value on."""
    last = common.ReduceDataOptions().calcs(["lastNotNull"]).values(False)
    panel = stat.Panel().title(title).description(what).datasource(SOURCE).targets([Query(query)]).reduce_options(last)
    panel = panel.color_mode(BigValueColorMode.BACKGROUND if steps else BigValueColorMode.VALUE).no_value("0")
    return panel.graph_mode(BigValueGraphMode.NONE).thresholds(thresholds(steps or {})).span(4).height(4)


def chart(title: str, what: str, *queries: Query, unit: str = "short") -> timeseries.Panel:
    """Return a chart over time."""
    panel = timeseries.Panel().title(title).description(what).datasource(SOURCE).targets(lettered(queries))
    return panel.unit(unit).span(12).height(8).line_width(1)


def bars(title: str, what: str, query: Query, steps: Mapping[int, str]) -> bargauge.Panel:
    """Return a panel with a bar for each series."""
    last = common.ReduceDataOptions().calcs(["lastNotNull"]).values(False)
    panel = bargauge.Panel().title(title).description(what).datasource(SOURCE).targets([query]).reduce_options(last)
    return panel.min(0).thresholds(thresholds(steps)).span(8).height(8)


def rows(title: str, what: str, query: str) -> table.Panel:
    """Return a table of what a query returns; a stream in it leads to its dashboard."""
    panel = table.Panel().title(title).description(what).datasource(SOURCE).targets([Query(query, as_table=True)])
    link = {
        "title": "Show this stream",
        "url": "/d/foresense-stream?var-site=${__data.fields.site:percentencode}"
        "&var-stream=${__data.fields.stream:percentencode}&${__url_time_range}",
    }
    panel = panel.override_by_name("stream", [DynamicConfigValue("links", [link])])
    for column in ("end", "raised", "peak_time"):
        panel = panel.override_by_name(column, [DynamicConfigValue("unit", "dateTimeAsIso")])
    return panel.span(24).height(11)


def thresholds(steps: Mapping[int, str]) -> dashboard.ThresholdsConfig:
    """Return colours from a value on, below all of them blue."""
    made = [Threshold(None, BLUE), *(Threshold(value, color) for value, color in steps.items())]
    return dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(made)


def limit_line(panel: timeseries.Panel, at: int) -> timeseries.Panel:
    """Return a chart with a line at a value."""
    style = common.GraphThresholdsStyleConfig().mode(GraphTresholdsStyleMode.DASHED)
    return panel.thresholds(thresholds({at: RED})).thresholds_style(style)


def colored(panel: timeseries.Panel, colors: Mapping[str, str]) -> timeseries.Panel:
    """Return a chart whose series have colours of their own."""
    for name, color in colors.items():
        fixed: dict[str, Any] = {"mode": "fixed", "fixedColor": color}
        panel = panel.override_by_name(name, [DynamicConfigValue("color", fixed)])
    return panel


def lettered(queries: Sequence[Query]) -> list[Builder[Dataquery]]:
    """Return queries under the letters by which Grafana tells them apart."""
    for i, query in enumerate(queries):
        query.ref_id = chr(ord("A") + i)
    return list(queries)
