import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from edge.messages.alarm import Alarm
from service.cli import main
from service.storage.store import Store


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Return a configuration whose service was started once and knows two streams."""
    path = tmp_path / "foresense.yaml"
    path.write_text(yaml.safe_dump({"monitors": {"pumps": {"topic": "plant/{device}/{channel}", "bundle": "pump"}}}))
    store = Store(tmp_path / "foresense.db")
    store.open()
    with store.transaction():
        store.add_streams("pumps", ["north/a", "north/b"])
    store.close()
    return path


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(main, list(map(str, arguments)))
    return result.exit_code, result.output


def test_a_mute_without_end_is_refused(config: Path) -> None:
    wanted = (2, "foresense: duration: expected at most 10 years, got 11y\n")
    assert run("mute", config, "pumps", "--for", "11y") == wanted
    wanted = (2, "foresense: --for: expected at most 100y, got '99999999999999y'\n")
    assert run("mute", config, "pumps", "--for", "99999999999999y") == wanted


def test_what_is_muted_is_listed_until_it_is_unmuted(config: Path) -> None:
    code, said = run("mute", config, "pumps/north/*", "--for", "2h", "--reason", "cleaning")
    assert code == 0
    assert said.startswith("pumps/north/*: muted until 20")
    assert said.endswith("Z; 2 streams so far\n")

    (listed,) = json.loads(run("mutes", config, "--json")[1])
    assert (listed["monitor"], listed["stream"], listed["reason"]) == ("pumps", "north/*", "cleaning")
    assert listed["created"] < listed["until"]
    assert run("mutes", config)[1].startswith(f"pumps/north/* until {listed['until']}, by {listed['by']} at ")

    assert run("unmute", config, "pumps/north/*") == (0, "pumps/north/*: not muted any more\n")
    assert run("mutes", config) == (0, "")


def test_a_whole_monitor_is_muted_by_its_name(config: Path) -> None:
    assert run("mute", config, "pumps", "--for", "1h")[1].startswith("pumps/*: muted until ")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("mute", "pump", "--for", "1h"), "expected a monitor, got 'pump'; did you mean 'pumps'?"),
        (("mute", "fans/a", "--for", "1h"), "expected a monitor, got 'fans'; known are pumps"),
        (("mute", "pumps", "--for", "long"), "--for: expected a duration such as"),
        (("unmute", "pumps"), "expected a mute of pumps/* in force, got 'pumps/*'; known are none"),
        (("accept", "pumps/north/c"), "expected a stream of monitor pumps, got 'north/c'; did you mean 'north/"),
        (
            ("accept", "pumps/north/a"),
            "of monitor pumps with an open alarm, got 'north/a'; known are none",
        ),
        (("label", "abc", "false"), "foresense.db: expected the id of an alarm, got 'abc'"),
    ],
)
def test_a_mistake_is_told_in_a_sentence_and_ends_with_2(
    config: Path, arguments: tuple[str, ...], expected: str
) -> None:
    code, said = run(arguments[0], config, *arguments[1:])
    assert code == 2
    assert said.startswith("foresense: ")
    assert expected in said
    assert len(said.splitlines()) == 1


def test_a_level_is_asked_to_be_accepted_and_an_alarm_is_labelled(config: Path) -> None:
    store = Store(config.with_name("foresense.db"))
    store.open()
    with store.transaction():
        store.open_alarm(Alarm("abc", 1, "pump/1", "flow", 1000, None, 2.0, 9.0, 1.0, 0.0, 2.0, 2.0, 1000, "flow"))
    store.close()

    asked = "pumps/north/a: the service is asked to accept its present level\n"
    assert run("accept", config, "pumps/north/a") == (0, asked)
    assert run("label", config, "abc", "false", "--note", "cleaning") == (
        0,
        "alarm abc of pumps/north/a: a false alarm\n",
    )


def test_a_level_is_not_accepted_where_the_policy_never_does(config: Path) -> None:
    settings = yaml.safe_load(config.read_text())
    settings["monitors"]["pumps"]["alarm"] = {"level": "never"}
    config.write_text(yaml.safe_dump(settings))
    code, said = run("accept", config, "pumps/north/a")
    assert code == 2
    assert said.endswith("monitors.pumps.alarm.level: expected confirm or sustained, got never\n")
