import ssl
from pathlib import Path

import pytest
from pydantic import ValidationError

from service.api.accounts import Accounts
from service.api.roles import Role
from service.api.settings import HttpSettings
from service.storage.access import Access
from tests.service.api.conftest import open_site
from tests.service.authority import Authority


def test_beyond_this_host_passwords_are_encrypted_unless_that_is_given_up() -> None:
    with pytest.raises(ValidationError, match=r"expected tls for an address beyond this host, got 0\.0\.0\.0 without"):
        HttpSettings(host="0.0.0.0")  # noqa: S104
    assert HttpSettings(host="0.0.0.0", insecure=True).needs_login  # noqa: S104
    assert HttpSettings.model_validate({"host": "::", "tls": {"certificate_file": "a.pem"}}).needs_login


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.1.2.3"])
def test_on_loopback_nobody_logs_in_unless_that_is_wanted(host: str) -> None:
    assert not HttpSettings(host=host).needs_login
    assert HttpSettings(host=host, login=True).needs_login


def test_names_are_compared_in_lower_case() -> None:
    assert {"localhost", "plant.example"} <= HttpSettings(names=("Plant.Example",)).hosts


def test_files_are_taken_from_the_folder_of_the_configuration() -> None:
    settings = HttpSettings.model_validate({"tls": {"certificate_file": "a.pem", "key_file": "b.pem"}})
    moved = settings.relative_to(Path("/etc/foresense")).tls
    assert moved is not None
    assert (str(moved.certificate_file), str(moved.key_file)) == ("/etc/foresense/a.pem", "/etc/foresense/b.pem")


@pytest.mark.slow
def test_with_a_certificate_all_is_encrypted_and_so_is_the_cookie(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    issued = authority.issue("service", host="127.0.0.1")
    tls = {"certificate_file": str(issued.certificate), "key_file": str(issued.key)}
    trusted = ssl.create_default_context(cafile=authority.file)
    with open_site(tmp_path, trusted=trusted, tls=tls, login=True) as site:
        Accounts(Access(site.plant.database)).add_user("ada", Role.VIEWER, "lovelace-1843")
        answer = site.client.post("/v1/session", json={"user": "ada", "password": "lovelace-1843"})
        assert answer.status_code == 200
        assert "Secure" in answer.headers["Set-Cookie"]
        assert answer.headers["Strict-Transport-Security"].startswith("max-age=")
        assert site.client.get("/v1/streams").status_code == 200
