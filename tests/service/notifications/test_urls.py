from pathlib import Path
from typing import Any

import pytest

from edge.errors import ConfigError
from service.notifications.settings import NotificationSettings
from service.notifications.urls import open_plugin, read_urls


def settings(**given: Any) -> NotificationSettings:
    return NotificationSettings.model_validate(given)


def test_a_file_has_a_url_a_line_and_remarks(tmp_path: Path) -> None:
    (tmp_path / "urls").write_text("# the team\njson://a\n\n  mailto://b.example  \n")
    assert read_urls(settings(urls_file=tmp_path / "urls")) == ["json://a", "mailto://b.example"]


def test_a_variable_has_urls_between_spaces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEAM", "json://a  json://b\n")
    assert read_urls(settings(urls_variable="TEAM")) == ["json://a", "json://b"]


def test_what_has_no_urls_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOBODY", raising=False)
    with pytest.raises(ConfigError, match="urls_variable: NOBODY: expected at least one URL, got none"):
        read_urls(settings(urls_variable="NOBODY"))
    with pytest.raises(ConfigError, match="expected a URL a line, got: No such file"):
        read_urls(settings(urls_file=tmp_path / "none"))
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="got: bytes that are no text"):
        read_urls(settings(urls_file=tmp_path / "bytes"))


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("hunter2", "expected a URL as Apprise has them .*got something else"),
        ("nothing://hunter2", "expected a URL as Apprise has them .*got nothing://"),
        ("jsons://plant.example/hunter2?verify=no", "expected a URL without verify=no"),
        ("json://me:hunter2@plant.example", "expected a URL of an encrypted scheme"),
        ("mailto://me:hunter2@plant.example?smtp=mail.plant.example", "expected a URL of an encrypted scheme"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused_and_not_shown(url: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as error:
        open_plugin(url, settings(urls_variable="TEAM"))
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize(
    "url",
    ["json://me:pw@127.0.0.1", "json://plant.example", "jsons://me:pw@plant.example", "ntfys://me:pw@a.example/b"],
)
def test_a_url_that_tells_no_secret_to_the_network_is_opened(url: str) -> None:
    assert open_plugin(url, settings(urls_variable="TEAM")).socket_read_timeout == 10


def test_insecure_allows_a_password_on_the_network() -> None:
    assert open_plugin("json://me:pw@plant.example", settings(urls_variable="TEAM", insecure=True))
