"""Building dataclasses from YAML: types, defaults, paths, mistakes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest

from edge.configuration import build, read_configuration
from edge.errors import ConfigError

FILE = Path("/etc/edge.yaml")


@dataclass(frozen=True, slots=True)
class Inner:
    name: str
    size: int = 3


@dataclass(frozen=True, slots=True)
class Outer:
    share: float = 0.5
    mode: Literal["fast", 5] = "fast"
    file: Path = Path("here")
    inner: Inner | None = None
    parts: Mapping[str, Inner] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    by_name: float | Mapping[str, float] = 0.0
    is_on: bool = False


def built(**raw: Any) -> Outer:
    return build(Outer, raw, FILE)


def test_values_become_those_of_their_types() -> None:
    found = built(share=1, mode=5, inner={"name": "a"}, parts={"b": {"name": "c", "size": 4}}, words=["x", "y"])
    assert found == Outer(1.0, 5, Path("/etc/here"), Inner("a"), {"b": Inner("c", 4)}, ("x", "y"))
    assert type(found.share) is float
    assert built(by_name={"flow": 2}).by_name == {"flow": 2.0}


def test_paths_are_taken_from_the_folder_of_the_file() -> None:
    assert built().file == Path("/etc/here")
    assert built(file="/there").file == Path("/there")


def test_a_part_may_be_switched_off() -> None:
    assert built(inner=False).inner is None
    assert built(inner=None).inner is None


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ({"shar": 1}, "shar: expected a known key, got 'shar'; did you mean 'share'?"),
        ({"zzzzz": 1}, "zzzzz: expected a known key, got 'zzzzz'; known are share, mode, file"),
        ({"share": "much"}, "share: expected a number, got 'much'"),
        ({"share": True}, "share: expected a number, got True"),
        ({"share": None}, "share: expected a number, got nothing"),
        ({"mode": "5"}, "mode: expected fast or 5, got '5'"),
        ({"mode": True}, "mode: expected fast or 5, got True"),
        ({"file": ""}, "file: expected a path, got ''"),
        ({"inner": {}}, "inner.name: expected a value, got nothing"),
        ({"inner": 3}, "inner: expected settings with name, size, got 3"),
        ({"inner": {"name": "a", "size": 1.5}}, "inner.size: expected a whole number, got 1.5"),
        ({"parts": ["a"]}, "parts: expected names with their values, got ['a']"),
        ({"parts": {"b": {"nam": "c", "name": "d"}}}, "parts.b.nam: expected a known key"),
        ({"words": "x"}, "words: expected a list, got 'x'"),
        ({"words": [1]}, "words.0: expected text, got 1"),
        ({"is_on": "yes"}, "is_on: expected true or false, got 'yes'"),
        ({"by_name": {"flow": "x"}}, "by_name.flow: expected a number, got 'x'"),
    ],
)
def test_a_mistake_is_told_with_file_and_place(raw: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        built(**raw)
    assert str(caught.value).startswith(f"/etc/edge.yaml: {said}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\na: 2", "line 2: expected YAML, got: expected each key once, got 'a' again"),
        ("a: [1", "expected YAML, got:"),
        ("- a", "expected settings such as 'monitors:', got ['a']"),
        ("a: {b: '${NOT_SET_ANYWHERE}'}", "a.b: expected the variable NOT_SET_ANYWHERE in the environment, got none"),
        ("a: !!python/object:os.system {}", "expected YAML, got:"),
    ],
)
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "edge.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_configuration(tmp_path / "edge.yaml")
    assert said in str(caught.value)
