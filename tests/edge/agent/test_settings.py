"""The configuration file: what it may say, and what is said of mistakes."""

from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from edge.agent.settings import Settings, read_settings
from edge.errors import ConfigError

README = (Path(__file__).parents[3] / "edge" / "README.md").read_text()
MONITOR = "monitors: {main: {bundle: pump, topic: 'plant/{device}'}}"


def settings(tmp_path: Path, text: str) -> Settings:
    (tmp_path / "edge.yaml").write_text(text)
    return read_settings(tmp_path / "edge.yaml")


def test_a_bundle_and_a_topic_are_enough(tmp_path: Path) -> None:
    found = settings(tmp_path, f"device: pi\n{MONITOR}")
    assert found.monitors["main"].bundle == "pump"
    assert found.database == tmp_path / "foresense-edge.db"
    assert found.bundles == tmp_path / "bundles"
    broker = found.connections[""]
    assert (broker.host, broker.port, broker.client_id) == ("localhost", 1883, "foresense-pi")
    assert found.write_every_s == 60


def test_tls_may_be_on_or_have_files_of_this_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRETS", "/run/secrets")
    found = settings(
        tmp_path, f"broker: {{host: a, tls: true, username: me, password_file: '${{SECRETS}}/p'}}\n{MONITOR}"
    )
    assert found.connections[""].port == 8883
    assert found.connections[""].password_file == Path("/run/secrets/p")
    found = settings(tmp_path, f"broker: {{host: a, tls: {{ca_file: ca.pem}}}}\n{MONITOR}")
    tls = found.connections[""].tls
    assert tls is not None
    assert tls.ca_file == tmp_path / "ca.pem"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("devise: pi", "devise: expected a known key, got 'devise'; did you mean 'device'?"),
        ("broker: {prot: 1}", "broker.prot: expected a known key, got 'prot'; did you mean 'port'?"),
        ("broker: {port: high}", "broker.port: expected a whole number, got 'high'"),
        ("broker: {port: true}", "broker.port: expected a whole number, got True"),
        ("broker: {port: 70000}", "broker: expected a port from 1 to 65535, got 70000"),
        ("broker: {protocol: 4}", "broker.protocol: expected 5 or 3.1.1, got 4"),
        ("broker: {host: far, username: me, password_file: p}", "broker: expected tls"),
        ("broker: {tls: {key_file: k}}", "broker.tls: expected certificate_file beside key_file, got none"),
        ("write_every: soon", "write_every: expected a duration such as '10s'"),
        ("outbox_mb: 0", "outbox_mb: expected at least 1, got 0"),
        ("publish: {prefix: 'a/#'}", "publish: prefix: expected levels of a topic"),
        ("publish: {broker: north}", "publish.broker: expected one of brokers (no names without `brokers`), got north"),
        ("device: 'a/b'", "device: expected a name of letters, digits, '.', '-' and '_', got 'a/b'"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        settings(tmp_path, f"{text}\n{MONITOR}")
    assert f"{tmp_path}/edge.yaml: {said}" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{bundle: pump}", "expected either topic or source, got both or neither"),
        ("{topic: a}", "monitors.main.bundle: expected a value, got nothing"),
        ("{bundle: pump/, topic: a}", "bundle: expected NAME or NAME/VERSION, got 'pump/'"),
        ("{bundle: pump, topic: 'a/+'}", "topic: expected levels that are names or placeholders"),
        ("{bundle: pump, topic: foresense/x}", "monitors.main.topic: expected topics other than our own"),
        (
            "{bundle: pump, source: tape}",
            "source: expected stdin, file:PATH, serial:PATH or MODULE:FUNCTION, got 'tape'",
        ),
        ("{bundle: pump, source: stdin, every: 5s}", "expected every only beside a function, got it beside stdin"),
        ("{bundle: pump, source: 'a:b', payload: json}", "expected payload only where bytes are read"),
        ("{bundle: pump, source: stdin, broker: x}", "expected broker only beside a topic"),
        ("{bundle: pump, source: stdin, time: t}", "expected value, fields and time only with payload: json"),
        ("{bundle: pump, source: stdin, payload: json, value: v, fields: {a: b}}", "expected either value or fields"),
        ("{bundle: pump, topic: a, budget: often}", "budget: expected a rate such as '2 per week'"),
        ("{bundle: pump, topic: a, alarm: {k: 3}}", "monitors.main.alarm: expected 1 <= k <= n <= 32, got k=3, n=1"),
        (
            "{bundle: pump, topic: a, alarm: {direction: up}}",
            "alarm.direction: expected above or below or both, got 'up'",
        ),
        ("{bundle: pump, topic: a, lateness_s: -1}", "lateness_s: expected 0 to 86400 seconds, got -1"),
        (
            "{bundle: pump, topic: a, time_zone: Mars}",
            "time_zone: expected a time zone such as 'Europe/Rome', got 'Mars'",
        ),
        ("pump", "monitors.main: expected settings with bundle, topic"),
    ],
)
def test_a_mistake_in_a_monitor_is_told_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        settings(tmp_path, f"monitors: {{main: {text}}}")
    assert said in str(caught.value)
    assert "monitors.main" in str(caught.value)


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        settings(tmp_path, "divice: a\nbroker: {hots: b}\nmonitors: {main: {bundle: 3, topic: a}}")
    assert len(str(caught.value).splitlines()) == 3


def test_two_monitors_of_one_topic_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected topics of no other monitor"):
        settings(tmp_path, "monitors: {a: {bundle: p, topic: 'x/{d}'}, b: {bundle: p, topic: x/y}}")


def test_a_direction_may_be_given_by_channel(tmp_path: Path) -> None:
    found = settings(
        tmp_path, "monitors: {main: {bundle: p, topic: a, alarm: {direction: {flow: above}, level: never}}}"
    )
    assert found.monitors["main"].alarm.direction == {"flow": "above"}


def _settings_of(kind: Any, place: str = "") -> list[str]:
    names = []
    for each in fields(kind):
        hint = get_type_hints(kind)[each.name]
        inner = [part for part in (hint, *get_args(hint)) if is_dataclass(part)]
        if not inner:
            names.append(f"{place}{each.name}")
        elif each.name != "brokers":
            step = ".NAME." if each.name == "monitors" else "."
            names += _settings_of(inner[0], f"{place}{each.name}{step}")
    return names


def test_each_setting_is_in_the_readme() -> None:
    missing = [name for name in _settings_of(Settings) if f"`{name}`" not in README]
    assert missing == []
