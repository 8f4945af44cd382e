import pytest

from edge.errors import ConfigError
from edge.topics import Match, Template, may_be_ours, overlap


def test_placeholders_become_single_level_wildcards() -> None:
    assert Template("plant/{site}/{device}/{channel}").filter == "plant/+/+/+"


@pytest.mark.parametrize(
    ("template", "topic", "expected"),
    [
        ("plant/{site}/{device}/{channel}", "plant/north/pump-1/flow", Match("north/pump-1", "flow")),
        ("{channel}/of/{device}", "flow/of/pump", Match("pump", "flow")),
        ("plant/{device}/state", "plant/pump/state", Match("pump", None)),
        ("plant/pump/{channel}", "plant/pump/flow", Match("", "flow")),
        ("plant/{device}/state", "plant/pump/alarm", None),
        ("plant/{device}", "plant/pump/flow", None),
        ("plant/{device}/{channel}", "plant//flow", None),
        ("plant/{device}/{channel}", "plant/a\x07b/flow", None),
        ("plant/{device}", "", None),
        ("plant/{device}", "plant/" + "x" * 1024, None),
        ("plant/{_area}/{device}", "plant/hall-1/pump", Match("pump", None)),
        ("b/{group}/{_type}/{node}/{device...}", "b/g/NDATA/n", Match("g/n", None)),
        ("b/{group}/{_type}/{node}/{device...}", "b/g/DDATA/n/d", Match("g/n/d", None)),
        ("b/{node}/{device...}", "b/n/d/e", Match("n/d/e", None)),
        ("b/{node}/{_rest...}", "b/n/d/e", Match("n", None)),
        ("b/{node}/{device...}", "b", None),
        ("b/{node}/{device...}", "b/n//e", None),
        ("b/{node}/{device...}", "b/n/", None),
        ("b/{channel}/{device...}", "b/flow/d/e", Match("d/e", "flow")),
    ],
)
def test_a_topic_names_its_stream_and_channel(template: str, topic: str, expected: Match | None) -> None:
    assert Template(template).match(topic) == (expected and expected._replace(topic=topic))


def test_an_open_end_becomes_a_multi_level_wildcard() -> None:
    assert Template("b/{group}/{_type}/{node}/{device...}").filter == "b/+/+/+/#"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plant//{device}",
        "plant/+/x",
        "plant/#",
        "$share/group/{device}",
        "a{device}",
        "{device}/{device}",
        "{Device}",
        "{}",
        "a/{b",
        "a/{b...}/c",
        "a/{channel...}",
        "a/{_b}/{_b}",
        "a/{b..}",
    ],
)
def test_a_template_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="topic: expected"):
        Template(text)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("a/b", "a/b", True),
        ("a/+", "a/b", True),
        ("a/+", "+/b", True),
        ("a/#", "a/b/c", True),
        ("a/#", "a", True),
        ("#", "x/y", True),
        ("a/b", "a/c", False),
        ("a/+", "a/b/c", False),
        ("a/+/x", "a/+/y", False),
        ("b/#", "a/b", False),
        ("b/+/+/#", "b/x", False),
        ("b/+/+/#", "b/x/y", True),
        ("b/+/+/#", "b/+/y/z/+", True),
        ("b/+/NDATA/#", "b/+/DDATA/#", False),
    ],
)
def test_overlap_is_found_either_way_round(one: str, other: str, expected: bool) -> None:
    assert overlap(one, other) is expected
    assert overlap(other, one) is expected


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        ("foresense/x", True),
        ("foresense/x/state", True),
        ("foresense/#", True),
        ("+/+", True),
        ("+/#", True),
        ("#", True),
        ("+", True),
        ("+/a/alarm", True),
        ("+/a/state", False),
        ("plant/+/alarm", False),
    ],
)
def test_a_filter_that_may_match_what_we_publish_is_known(one: str, expected: bool) -> None:
    assert may_be_ours(one, "foresense") is expected
