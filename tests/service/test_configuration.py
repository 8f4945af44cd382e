from pathlib import Path

import pytest

from edge.alarm import AlarmPolicy
from edge.errors import ConfigError
from service.configuration import read_settings

MONITOR = "monitors: {main: {topic: 'plant/{device}/{channel}', bundle: pump"


def problems(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "foresense.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as error:
        read_settings(path)
    lines = str(error.value).splitlines()
    assert all(line.startswith(f"{path}:") for line in lines)
    return [line.removeprefix(f"{path}:").strip() for line in lines]


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    path = tmp_path / "foresense.yaml"
    path.write_text(
        f"database: data/it.db\nbundles: /srv/bundles\nbroker: {{username: me, password_file: secret}}\n"
        f"maintenance: [{{ics: plant.ics}}]\n{MONITOR}, maintenance: [{{ics: sub/pump.ics}}]}}}}"
    )

    settings = read_settings(path)

    assert settings.database == tmp_path / "data/it.db"
    assert settings.bundles == Path("/srv/bundles")
    assert settings.broker.password_file == tmp_path / "secret"
    assert settings.maintenance[0].ics == tmp_path / "plant.ics"
    assert settings.monitors["main"].maintenance[0].ics == tmp_path / "sub/pump.ics"
    assert settings.monitors["main"].max_streams == 10_000


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (", budged: 1", "monitors.main.budged: expected a known key, got 'budged'; did you mean 'budget'?"),
        (", alarm: {cooldown: 1}", "monitors.main.alarm.cooldown: expected a known key, got 'cooldown'; did you mean"),
        (", budget: often", "monitors.main.budget: expected a rate such as '2 per week'"),
        (", alarm: {k: 3, n: 2}", "monitors.main.alarm: expected 1 <= k <= n <= 32, got k=3, n=2"),
        (", alarm: {direction: up}", "monitors.main.alarm.direction: expected 'above', 'below' or 'both', got 'up'"),
        (", alarm: {direction: {flow: up}}", "monitors.main.alarm.direction: expected 'above', 'below' or 'both', got"),
        (", alarm: {least_absolute: {flow: much}}", "monitors.main.alarm.least_absolute: expected a valid number"),
        (", alarm: {least_relative: -1}", "monitors.main.alarm: expected least_relative of at least 0, got -1"),
        (", alarm: {level: always}", "monitors.main.alarm.level: expected 'never', 'confirm' or 'sustained', got"),
        (", payload: xml", "monitors.main.payload: expected 'number', 'json', 'zigbee2mqtt', 'tasmota'"),
        (", max_streams: 0", "monitors.main.max_streams: expected greater than or equal to 1, got 0"),
        (", max_streams: many", "monitors.main.max_streams: expected a valid integer"),
        (", time: ts", "monitors.main: expected time only with payload: json, got it with payload: number"),
        (", payload: json, value: v, fields: {a: b}", "monitors.main: expected either value or fields, got both"),
        (", payload: json, fields: {a: b}", "monitors.main: expected the channels either in the topic"),
        (", payload: tasmota", "monitors.main: expected the channels either in the topic"),
        (", payload: json, fields: {a: x, b: x}", "monitors.main.fields: expected of each channel a path of its own"),
        (", payload: json, step: dt", "monitors.main: expected a time beside step, got none"),
        (", payload: json, tags: [a]", "monitors.main: expected tags only with payload: telegraf, influx, got it with"),
        (", payload: json, time_zone: Mars", "monitors.main.time_zone: expected a time zone such as 'Europe/Rome'"),
        (", payload: esphome, fields: {a: x}", "monitors.main: expected fields only with payload: json, zigbee2mqtt"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_monitor_is_told_with_its_place(tmp_path: Path, more: str, expected: str) -> None:
    (said,) = problems(tmp_path, f"{MONITOR}{more}}}}}")
    assert said.startswith(expected)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("duration: 1h", ": expected either cron or ics, got neither"),
        ("cron: '* *'", ".cron: expected a cron expression of five fields"),
        ("cron: '0 0 30 2 *'", ".cron: expected a cron expression of five"),
        ("cron: '0 2 * * *', duration: long", ".duration: expected a duration"),
        ("ics: a.ics, duration: 2h", ": expected duration only with cron"),
        ("ics: a.ics, time_zone: Mars", ".time_zone: expected a time zone"),
        ("ics: a.ics, streams: []", ".streams: expected at least one, got none"),
        ("isc: a.ics", ".isc: expected a known key, got 'isc'; did you mean 'ics'"),
    ],
)
def test_a_mistake_in_a_maintenance_window_is_told_with_its_place(tmp_path: Path, given: str, expected: str) -> None:
    (said,) = problems(tmp_path, f"{MONITOR}, maintenance: [{{{given}}}]}}}}")
    assert said.startswith(f"monitors.main.maintenance.0{expected}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "expected settings such as 'monitors:', got nothing"),
        ("- 1", "expected settings such as 'monitors:', got [1]"),
        ("a: [", "line 1: expected YAML, got: "),
        ("a: 1\nb: 2\na: 3", "line 3: expected YAML, got: expected each key once, got 'a' again"),
        ("a: !!python/object:os.system {}", "line 1: expected YAML, got: could not determine a constructor"),
        ("broker: {port: 1883}", "monitors: expected a value, got nothing"),
        ("monitors: {}", "monitors: expected at least one, got none"),
        ("monitors: {main: {bundle: pump}}", "monitors.main.topic: expected a value, got nothing"),
        ("monitors: {main: {bundle: pump, topic: a/#}}", "monitors.main.topic: expected levels that are names"),
        ("monitors: {main: {bundle: ../x, topic: a}}", "monitors.main.bundle: expected NAME or NAME/VERSION, got"),
        (f"moniter: 1\n{MONITOR}}}}}", "moniter: expected a known key, got 'moniter'; did you mean 'monitors'?"),
        (f"xyz: 1\n{MONITOR}}}}}", "xyz: expected a known key, got 'xyz'; known are broker, brokers, database,"),
        (f"broker: {{protocol: 4}}\n{MONITOR}}}}}", "broker.protocol: expected 5 or '3.1.1', got 4"),
        (f"broker: {{password_file: p}}\n{MONITOR}}}}}", "broker: expected a username beside password_file"),
        (
            f"broker: {{host: plant.example, username: me, password_file: p}}\n{MONITOR}}}}}",
            "broker: expected tls (or insecure: true, if it must be), as what is in password_file would cross the",
        ),
        (
            f"broker: {{host: plant.example, username_file: p}}\n{MONITOR}}}}}",
            "broker: expected tls (or insecure: true, if it must be), as what is in username_file would cross the",
        ),
        (f"broker: {{tls: true, insecure: true}}\n{MONITOR}}}}}", "broker: expected insecure only without tls"),
        (f"broker: {{tls: {{key_file: k}}}}\n{MONITOR}}}}}", "broker.tls: expected certificate_file beside key_file"),
        (f"broker: {{tls: {{verify: false}}}}\n{MONITOR}}}}}", "broker.tls.verify: expected a known key, got 'verify'"),
        (f"broker: {{username: a, username_file: b}}\n{MONITOR}}}}}", "broker: expected either username or username_"),
        (f"broker: {{path: /ws}}\n{MONITOR}}}}}", "broker: expected path only with transport: websockets"),
        (f"broker: {{host: 'plant/x'}}\n{MONITOR}}}}}", "broker.host: expected the name or address of a host, got"),
        (f"broker: {{host: 'a..b'}}\n{MONITOR}}}}}", "broker.host: expected the name or address of a host, got"),
        (f"broker: {{host: '${{NOT_THERE}}'}}\n{MONITOR}}}}}", "broker.host: expected the variable NOT_THERE in the"),
        (f"brokers: {{n: {{}}}}\n{MONITOR}}}}}", "monitors.main.broker: expected one of brokers (n), got none"),
        (f"{MONITOR}, broker: n}}}}", "monitors.main.broker: expected one of brokers (no names without `brokers`)"),
        (f"broker: {{}}\nbrokers: {{n: {{}}}}\n{MONITOR}, broker: n}}}}", "expected either broker or brokers"),
        (
            f"brokers: {{n: {{}}, s: {{port: 9}}}}\n{MONITOR}, broker: n}}}}",
            "brokers.s: expected a monitor or publish to name it, got none that does",
        ),
        (
            f"brokers: {{n: {{}}, s: {{}}}}\npublish: {{broker: s}}\n{MONITOR}, broker: n}}}}",
            "brokers.s: expected another host, port or client_id than that of n, got the same",
        ),
        (f"publish: {{broker: s}}\nbrokers: {{n: {{}}}}\n{MONITOR}, broker: n}}}}", "publish.broker: expected one of"),
        (f"incident: {{stream: 2}}\n{MONITOR}}}}}", "incident.stream: expected a known key, got 'stream'; did you"),
        (f"incident: {{within: soon}}\n{MONITOR}}}}}", "incident.within: expected a duration such as '10s', '5min'"),
        (f"incident: true\n{MONITOR}}}}}", "incident: expected "),
        (f"{MONITOR}, site: 'a/#'}}}}", "monitors.main.site: expected levels of a topic without '+', '#'"),
        (f"publish: {{prefix: 'a/#'}}\n{MONITOR}}}}}", "publish.prefix: expected levels of a topic"),
        (f"publish: {{prefix: plant}}\n{MONITOR}}}}}", "monitors.main.topic: expected topics other than"),
        (
            "monitors: {one: {topic: 'a/{b}', bundle: p}, two: {topic: 'a/b', bundle: p}}",
            "monitors.two.topic: expected topics of no other monitor, got a/b, which overlaps with a/+ of one",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place(tmp_path: Path, text: str, expected: str) -> None:
    (said,) = problems(tmp_path, text)
    assert said.startswith(expected)


@pytest.mark.parametrize("given", ["off", "false", "null"])
def test_incidents_may_be_off(tmp_path: Path, given: str) -> None:
    path = tmp_path / "foresense.yaml"
    path.write_text(f"incident: {given}\n{MONITOR}}}}}")
    assert read_settings(path).incident is None


def test_a_policy_may_be_by_channel(tmp_path: Path) -> None:
    path = tmp_path / "foresense.yaml"
    path.write_text(
        f"{MONITOR}, alarm: {{direction: {{flow: above}}, least_absolute: {{flow: 2}}, level: sustained}}}}}}"
    )
    policy = read_settings(path).monitors["main"].alarm.policy()
    assert policy == AlarmPolicy(direction={"flow": "above"}, least_absolute={"flow": 2.0}, level="sustained")


def test_every_mistake_is_told(tmp_path: Path) -> None:
    assert len(problems(tmp_path, f"broker: {{port: 0, keepalive: x}}\n{MONITOR}, budged: 1}}}}")) == 3


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected a configuration file, got: No such file"):
        read_settings(tmp_path / "none.yaml")


def test_a_password_is_read_and_never_shown(tmp_path: Path) -> None:
    path = tmp_path / "foresense.yaml"
    (tmp_path / "secret").write_text("hush\n")
    path.write_text(f"broker: {{username: me, password_file: secret}}\n{MONITOR}}}}}")
    settings = read_settings(path)

    username, password = settings.broker.credentials()

    assert username == "me"
    assert password is not None
    assert password.get_secret_value() == "hush"
    assert "hush" not in f"{password!r}{settings!r}"


def test_a_password_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / "foresense.yaml"
    path.write_text(f"broker: {{username: me, password_file: secret}}\n{MONITOR}}}}}")
    with pytest.raises(
        ConfigError, match=r"password_file: .*secret: expected a readable password file, got: No such file"
    ):
        read_settings(path).broker.credentials()


BROKERS = "brokers: {north: {host: a}, south: {host: b, password_file: p, username: me, tls: {ca_file: ca.pem}}}"
ONE, OTHER = "{broker: north, topic: a/b, bundle: pump}", "{broker: south, topic: a/b, bundle: pump}"


def test_monitors_of_different_brokers_may_have_the_same_topics(tmp_path: Path) -> None:
    path = tmp_path / "foresense.yaml"
    path.write_text(f"{BROKERS}\nmonitors: {{one: {ONE}, other: {OTHER}}}")

    settings = read_settings(path)

    assert list(settings.connections) == ["north", "south"]
    assert (settings.publishes_to("one"), settings.publishes_to("other")) == ("north", "south")
    south = settings.brokers["south"]
    assert (south.port, south.password_file) == (8883, tmp_path / "p")
    assert south.tls is not None
    assert south.tls.ca_file == tmp_path / "ca.pem"
    path.write_text(f"{BROKERS}\nmonitors: {{one: {ONE}, same: {ONE}, other: {OTHER}}}")
    with pytest.raises(ConfigError, match=r"monitors\.same\.topic: expected topics of no other monitor"):
        read_settings(path)


def test_all_alarms_may_go_to_one_broker(tmp_path: Path) -> None:
    path = tmp_path / "foresense.yaml"
    path.write_text(f"{BROKERS}\npublish: {{broker: north}}\nmonitors: {{one: {ONE}, other: {OTHER}}}")
    settings = read_settings(path)
    assert {settings.publishes_to(name) for name in settings.monitors} == {"north"}


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("{}", "mqtt://localhost:1883"),
        ("{tls: true}", "mqtts://localhost:8883"),
        ("{tls: false, host: '::1'}", "mqtt://[::1]:1883"),
        ("{transport: websockets}", "ws://localhost:80/mqtt"),
        ("{transport: websockets, tls: true, path: /}", "wss://localhost:443/"),
        ("{tls: true, port: 1}", "mqtts://localhost:1"),
        ("{host: plant.example, username: me, password_file: p, insecure: true}", "mqtt://plant.example:1883"),
    ],
)
def test_a_broker_has_the_usual_port_of_its_transport(tmp_path: Path, given: str, address: str) -> None:
    path = tmp_path / "foresense.yaml"
    path.write_text(f"broker: {given}\n{MONITOR}}}}}")
    assert read_settings(path).broker.address == address


def test_a_variable_of_the_environment_may_stand_in_a_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANT", "north")
    monkeypatch.setenv("PORT", "1884")
    path = tmp_path / "foresense.yaml"
    path.write_text(f"broker: {{host: '${{PLANT}}.example', port: '${{PORT}}'}}\n{MONITOR}}}}}")
    assert read_settings(path).broker.address == "mqtt://north.example:1884"
