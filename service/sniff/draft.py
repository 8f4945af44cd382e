"""Drafts: monitors for what a survey has found."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from typing import Any

from edge.payloads.payload import Run
from edge.payloads.rejects import RejectError
from edge.topics import Match, Template, may_be_ours, overlap
from service.payloads.conventions import open_payload
from service.pipeline.runs import read_runs
from service.pipeline.source import SourceSettings
from service.sniff.grouping import is_template, templates
from service.sniff.recognition import Form, join, recognise, telling_tags
from service.sniff.survey import Survey, Topic
from service.sniff.zone import guess_zone

CHANNEL = "value"  #: where nothing names one
_MOST_READ = 2000  # topics of a draft whose samples are read
_MOST_PARTS = 32
_NEAT_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600)
_NO_NAME = re.compile(r"[^a-z0-9]+")


@dataclass(slots=True)
class Draft:
    """A monitor that would watch some topics, and what is known of them."""

    name: str
    settings: dict[str, Any]  #: without the bundle
    topics: list[str]
    messages: int
    units: dict[str, str]
    streams: int = 0
    channels: list[str] = field(default_factory=list)
    interval_ms: int | None = None  #: median spacing of a stream's readings
    read: int = 0  #: samples that have readings
    rejects: Counter[str] = field(default_factory=Counter)  #: samples that are rejects, by reason

    @property
    def template(self) -> str:
        """Return the topic template."""
        return str(self.settings["topic"])

    def monitor(self, bundle: str | None) -> dict[str, Any]:
        """Return the settings of the monitor."""
        return self.settings | {"bundle": bundle or self.name}


@dataclass(slots=True)
class Findings:
    """What a survey comes to."""

    drafts: list[Draft]  #: of which no two overlap
    overlapping: list[Draft]  #: which would have a topic of one of these
    unknown: list[Topic]  #: topics whose messages are nothing that we read


def draft(survey: Survey, prefix: str) -> Findings:
    """Return monitors for all topics that can be read; `prefix` is that of what we publish."""
    groups: dict[tuple[str, ...], list[tuple[str, Form]]] = defaultdict(list)
    for topic in survey.topics.values():
        if form := recognise(topic):
            groups[form.kind].append((topic.name, form))
    drafts = [each for group in groups.values() for each in _drafts(group, survey)]
    apart, overlapping = _set_apart(sorted(drafts, key=lambda each: -each.messages), prefix, survey)
    _name(apart + overlapping)
    known = {name for made in apart + overlapping for name in made.topics}
    unknown = [topic for topic in survey.topics.values() if topic.name not in known]
    return Findings(apart, overlapping, unknown)


def _drafts(group: list[tuple[str, Form]], survey: Survey) -> Iterator[Draft]:
    """Yield the drafts for topics of one kind."""
    forms = dict(group)
    convention = group[0][1].convention
    may_name = convention == "number" or (
        convention == "json" and all("value" in form.settings for form in forms.values())
    )
    for template, topics in templates(convention, list(forms), may_name).items():
        if not is_template(template, topics):
            continue
        form = join([forms[topic] for topic in topics])
        settings = {"topic": template, "payload": convention} | form.settings
        if names := telling_tags(form.tags):
            settings["tags"] = names
        if zone := guess_zone(settings, (sample for name in topics for sample in survey.topics[name].samples)):
            settings["time_zone"] = zone
        made = _made(settings, topics, form.units, survey)
        if made.read:
            yield made


def _made(settings: dict[str, Any], topics: list[str], units: dict[str, str], survey: Survey) -> Draft:
    """Return a draft, its samples read."""
    made = Draft("", settings, topics, sum(survey.topics[topic].messages for topic in topics), units)
    _read(made, survey)
    return made


def _split(made: Draft, survey: Survey) -> list[Draft]:
    """Return drafts for what a draft's first placeholder stands for, one each; none if these are too many."""
    levels = made.template.split("/")
    place = next((i for i, level in enumerate(levels) if level.startswith("{")), -1)
    by_level: dict[str, list[str]] = defaultdict(list)
    for topic in made.topics if place >= 0 else ():
        by_level[topic.split("/")[place]].append(topic)
    if not 0 < len(by_level) <= _MOST_PARTS or made.settings["payload"] == "sparkplug":
        return []
    parts = []
    for level, topics in by_level.items():
        template = "/".join([*levels[:place], level, *levels[place + 1 :]])
        if is_template(template, topics):
            parts.append(_made(made.settings | {"topic": template}, topics, made.units, survey))
    return parts


def _read(made: Draft, survey: Survey) -> None:
    """Read the samples as the monitor would."""
    source = SourceSettings.model_validate(made.settings)
    template, payload = Template(source.topic), open_payload(source)
    times: dict[tuple[str, str], set[int]] = defaultdict(set)

    def parse(match: Match, plain: bytes) -> list[Run]:
        return payload.parse(plain, match.channel or CHANNEL, match)

    samples = [sample for name in made.topics[:_MOST_READ] for sample in survey.topics[name].samples]
    for sample in sorted(samples, key=lambda sample: sample.received_ms):
        match = template.match(sample.topic)
        if match is None:
            continue
        try:
            runs = read_runs(sample, match, parse)
        except RejectError as reject:
            made.rejects[reject.reason] += 1
            continue
        made.read += bool(runs)
        for run, told in runs:
            spaced = () if sample.retain else told
            times[match.stream_name(run.stream, ""), run.channel].update(spaced)
    made.streams = len({stream for stream, _ in times})
    made.channels = sorted({channel for _, channel in times})
    made.interval_ms = _interval(times.values())


def _interval(times: Iterable[set[int]]) -> int | None:
    """Return the median of what lies between the times of readings, ms, or None if there are too few."""
    gaps = [
        median(later - earlier for earlier, later in pairwise(told)) for told in map(sorted, times) if len(told) > 1
    ]
    if not gaps:
        return None
    typical_s = median(gaps) / 1000
    near = min(_NEAT_S, key=lambda neat: abs(neat - typical_s))
    return max(1, round(1000 * (near if abs(near - typical_s) <= near / 10 else typical_s)))


def _set_apart(drafts: list[Draft], prefix: str, survey: Survey) -> tuple[list[Draft], list[Draft]]:
    """Return drafts of which no two overlap, and those left out; one that would overlap is split if that helps."""
    apart: list[Draft] = []
    overlapping: list[Draft] = []

    def is_apart(made: Draft) -> bool:
        one, taken = Template(made.template).filter, [Template(other.template).filter for other in apart]
        return not (may_be_ours(one, prefix) or any(overlap(one, other) for other in taken))

    for each in drafts:
        parts = [each] if is_apart(each) else _split(each, survey)
        fitting = [part for part in parts if is_apart(part)]
        apart += fitting
        overlapping += [part for part in parts if part not in fitting] or ([] if fitting else [each])
    return apart, overlapping


def _name(drafts: list[Draft]) -> None:
    """Give each draft a name of its own, from the fixed levels of its topic."""
    taken: set[str] = set()
    for each in drafts:
        fixed = [level for level in each.template.split("/") if not level.startswith("{")]
        root = _NO_NAME.sub("-", (fixed or ["topics"])[0].lower()).strip("-") or "topics"
        last = _NO_NAME.sub("-", (fixed or [""])[-1].lower()).strip("-")
        choices = [
            root,
            f"{root}-{last}",
            f"{root}-{each.settings['payload']}",
            *(f"{root}-{k}" for k in range(2, 10_000)),
        ]
        each.name = next(name for name in choices if name not in taken)
        taken.add(each.name)
