"""The proposal: findings as a configuration file, with comments."""

from collections.abc import Iterator
from shlex import quote
from typing import Any

import yaml

from edge.duration import duration_text
from service.sniff.draft import Draft, Findings

_HEAD = """\
# What `foresense sniff` found. Look the templates over: {name} stands for any one level, {channel} for the channel, and
# all other placeholders together name the stream that a forecaster watches.
#
# Next:
#   foresense record FILE --out traffic.jsonl.gz               # some days of it
#   foresense decode FILE traffic.jsonl.gz --monitor NAME --out NAME.csv
#   foresense train NAME.csv --name BUNDLE --channel ...       # for each monitor, as said below
#   foresense check FILE
"""
_MOST_SHOWN = 12


def configuration(findings: Findings, broker: dict[str, Any], bundle: str | None) -> str:
    """Return the text of a configuration with a monitor for each draft."""
    parts = [_HEAD, "\n", _yaml({"broker": broker}), "monitors:\n"]
    for made in findings.drafts:
        parts += [f"  # {line}\n" for line in _comments(made, bundle)]
        parts += [f"  {line}\n" for line in _yaml({made.name: made.monitor(bundle)}).splitlines()]
    for made in findings.overlapping:
        parts.append("  # Left out, as its topics overlap with those of another monitor:\n")
        parts += [f"  # {line}\n" for line in _yaml({made.name: made.monitor(bundle)}).splitlines()]
    for topic in findings.unknown[:_MOST_SHOWN]:
        parts.append(f"# not understood: {_printable(topic.name)} ({topic.messages} messages)\n")
    if (more := len(findings.unknown) - _MOST_SHOWN) > 0:
        parts.append(f"# not understood: {more} more topics\n")
    return "".join(parts)


def training(made: Draft, bundle: str | None) -> str:
    """Return the command that trains a bundle for a draft."""
    channels = " ".join(f"--channel {quote(channel)}" for channel in made.channels[:_MOST_SHOWN])
    interval = f" --interval {duration_text(made.interval_ms)}" if made.interval_ms else ""
    return f"foresense train {made.name}.csv --name {bundle or made.name} {channels}{interval}"


def _comments(made: Draft, bundle: str | None) -> Iterator[str]:
    every = f"a reading every {duration_text(made.interval_ms)}" if made.interval_ms else "no interval to be told"
    seen = f"{_count(made.messages, 'message')} on {_count(len(made.topics), 'topic')}"
    yield f"{_count(made.streams, 'stream')}, {every}; {seen}"
    shown = [_printable(channel) + _unit(made, channel) for channel in made.channels]
    more = f" and {len(shown) - _MOST_SHOWN} more" if len(shown) > _MOST_SHOWN else ""
    yield f"channels: {', '.join(shown[:_MOST_SHOWN])}{more}"
    if "time_zone" in made.settings:
        yield "times tell no offset; name their zone, such as Europe/Rome, if its clocks change for summer"
    for reason, number in sorted(made.rejects.items()):
        yield f"{_count(number, 'message')} cannot be read: {reason}"
    yield _printable(training(made, bundle))


def _unit(made: Draft, channel: str) -> str:
    unit = made.units.get(channel, made.units.get(channel.rsplit(".", 1)[-1], ""))
    return f" ({_printable(unit)})" if unit else ""


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _yaml(tree: dict[str, Any]) -> str:
    text: str = yaml.safe_dump(tree, sort_keys=False, allow_unicode=True, width=1000)
    return text


def _printable(text: str) -> str:
    """Return a text for a comment, which ends with its line."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)[:200]
