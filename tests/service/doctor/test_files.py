from pathlib import Path

import pytest

from service.doctor.files import look_at_files, secrets_of
from service.doctor.finding import Level
from service.notifications.settings import NotificationSettings
from service.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    for name in ("password", "key"):
        (tmp_path / name).write_text("hush")
        (tmp_path / name).chmod(0o600)
    (tmp_path / "bundles").mkdir(mode=0o755)
    (tmp_path / "foresense.yaml").write_text("")
    broker = {
        "username": "me",
        "password_file": "password",
        "tls": {"certificate_file": "certificate", "key_file": "key"},
    }
    monitors = {"main": {"topic": "a/{b}", "bundle": "pump"}}
    return Settings.model_validate({"broker": broker, "monitors": monitors}).relative_to(tmp_path)


def levels(tmp_path: Path, settings: Settings) -> dict[str, tuple[Level, str]]:
    findings = look_at_files(tmp_path / "foresense.yaml", settings)
    return {finding.subject: (finding.level, finding.remedy) for finding in findings}


def test_secrets_that_only_their_owner_reads_are_in_order(tmp_path: Path, settings: Settings) -> None:
    assert levels(tmp_path, settings) == {
        "broker.password_file": (Level.OK, ""),
        "broker.tls.key_file": (Level.OK, ""),
        "database": (Level.OK, ""),
    }


@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_a_secret_that_others_can_read_is_told_with_its_remedy(tmp_path: Path, settings: Settings, mode: int) -> None:
    (tmp_path / "key").chmod(mode)
    assert levels(tmp_path, settings)["broker.tls.key_file"] == (Level.WARN, f"chmod 600 {tmp_path}/key")


def test_a_secret_that_is_not_there_fails(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "password").unlink()
    assert levels(tmp_path, settings)["broker.password_file"][0] is Level.FAIL


def test_bundles_and_configuration_that_others_can_write_are_told(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "bundles").chmod(0o777)
    (tmp_path / "foresense.yaml").chmod(0o666)
    found = levels(tmp_path, settings)
    assert found["bundles"] == (Level.WARN, f"chmod go-w {tmp_path}/bundles")
    assert found["configuration"][0] is Level.WARN


def test_the_secrets_are_those_of_brokers_sinks_notifications_and_http() -> None:
    webhook = {"url": "https://plant.example/hook", "secret_file": "hook"}
    settings = Settings.model_validate(
        {
            "brokers": {"north": {"username_file": "user", "tls": {"certificate_file": "both.pem"}}},
            "sinks": {
                "new": {"influx": {"url": "https://plant.example", "bucket": "plant", "token_file": "token"}},
                "pager": {"webhook": webhook, "tls": {"certificate_file": "a.pem", "key_file": "key"}},
                "open": {"influx": {"url": "http://plant.example", "database": "plant"}},
            },
            "notifications": {"team": {"urls_file": "urls"}, "boss": {"urls_variable": "BOSS"}},
            "http": {"tls": {"certificate_file": "shown.pem"}},
            "monitors": {"main": {"broker": "north", "topic": "a/{b}", "bundle": "pump"}},
        }
    )
    assert {setting: str(path) for setting, path in secrets_of(settings).items()} == {
        "brokers.north.username_file": "user",
        "brokers.north.tls.key_file": "both.pem",  # which holds the key as well
        "sinks.new.influx.token_file": "token",
        "sinks.pager.webhook.secret_file": "hook",
        "sinks.pager.tls.key_file": "key",
        "notifications.team.urls_file": "urls",
        "http.tls.key_file": "shown.pem",
    }


def test_a_folder_that_cannot_be_written_fails(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "file").write_text("in the way")
    settings = settings.model_copy(update={"database": tmp_path / "file" / "data" / "foresense.db"})
    assert levels(tmp_path, settings)["database"][0] is Level.FAIL


def test_the_urls_of_notifications_are_a_secret(tmp_path: Path, settings: Settings) -> None:
    told = {
        "team": NotificationSettings(urls_file=tmp_path / "urls"),
        "boss": NotificationSettings(urls_variable="BOSS"),
    }
    with_urls = settings.model_copy(update={"notifications": told})
    assert levels(tmp_path, with_urls)["notifications.team.urls_file"][0] is Level.FAIL
    (tmp_path / "urls").write_text("json://plant.example")
    (tmp_path / "urls").chmod(0o644)
    wanted = (Level.WARN, f"chmod 600 {tmp_path / 'urls'}")
    assert levels(tmp_path, with_urls)["notifications.team.urls_file"] == wanted
    assert "notifications.boss.urls_file" not in levels(tmp_path, with_urls)
