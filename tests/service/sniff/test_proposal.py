import shlex
from pathlib import Path

import yaml

from service.configuration import read_settings
from service.sniff.draft import draft
from service.sniff.proposal import configuration, training
from service.sniff.survey import Survey
from tests.service.sniff.conftest import said, survey_of


def test_the_configuration_can_be_read_and_says_what_was_found(surveyed: Survey, tmp_path: Path) -> None:
    findings = draft(surveyed, "foresense")
    text = configuration(findings, {"host": "broker.example"}, None)
    path = tmp_path / "foresense.yaml"
    path.write_text(text)
    settings = read_settings(path)
    assert settings.broker.host == "broker.example"
    assert settings.monitors["plant"].bundle == "plant"
    assert settings.monitors["hall"].fields == {"speed": "data.speed", "load": "data.load"}
    assert settings.monitors["tele"].time_zone == "Etc/GMT-2"
    assert "# 3 streams, a reading every 10s; 108 messages on 6 topics\n" in text
    assert "# channels: press (bar)\n" in text
    assert "# channels: AM2301.Temperature (degC)\n" in text
    assert "# 9 messages cannot be read: unavailable\n" in text
    assert "# not understood: camera (18 messages)\n" in text


def test_names_from_the_wire_stay_within_their_lines() -> None:
    messages = [
        said("plant/a: b # c/'\"/x", '{"x\\ny": 1, "z: {": 2}'),
        said("plant/\u2028monitors:/x", '{"x\\ny": 1, "z: {": 2}'),
        said("evil\u2028root: 1", "?"),
    ]
    text = configuration(draft(survey_of(*messages), "foresense"), {}, None)
    settings = yaml.safe_load(text)
    assert settings.keys() == {"broker", "monitors"}
    (monitor,) = settings["monitors"].values()
    assert monitor["fields"] == {"x\ny": "x\ny", "z: {": "z: {"}


def test_one_bundle_may_be_named_for_all(surveyed: Survey) -> None:
    findings = draft(surveyed, "foresense")
    monitors = yaml.safe_load(configuration(findings, {}, "pump"))["monitors"]
    assert {monitor["bundle"] for monitor in monitors.values()} == {"pump"}
    told = training(findings.drafts[0], "pump")
    assert told == "foresense train plant.csv --name pump --channel flow --channel heat --interval 10s"


def test_a_channel_is_quoted_for_the_shell() -> None:
    (made,) = draft(survey_of(said("lines", "pump fl\\ ow=1,it's=2")), "foresense").drafts
    words = shlex.split(training(made, None))
    assert [words[at + 1] for at, word in enumerate(words) if word == "--channel"] == ["pump.fl ow", "pump.it's"]
