"""Every request is looked at: who asks, whether they may, and whether our own page asks."""

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
import pytest

from service.api.accounts import Accounts
from service.api.guard import MOST_BYTES
from service.api.roles import OPEN, Role, is_page
from service.storage.access import Access
from tests.service.api.conftest import MARK, Site, open_site

PASSWORD = "correct horse battery"  # noqa: S105


class Guarded:
    """A service that asks everybody to log in, with a user and a token of each role."""

    def __init__(self, site: Site) -> None:
        self.site = site
        accounts = Accounts(Access(site.plant.database))
        self.tokens = {role: accounts.add_token(f"{role.word}-token", role, None) for role in Role}
        for role in Role:
            accounts.add_user(role.word, role, PASSWORD)
        self.accounts = accounts

    def client(self, role: Role | None = None, headers: Mapping[str, str] = MappingProxyType({})) -> httpx.Client:
        """Return a client with a token, or with other headers."""
        token = {"Authorization": f"Bearer {self.tokens[role]}"} if role else {}
        return httpx.Client(base_url=self.site.client.base_url, headers={**token, **headers}, timeout=20)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    with open_site(tmp_path_factory.mktemp("guard"), login=True) as site:
        yield Guarded(site)


def routes(guarded: Guarded) -> list[tuple[str, str]]:
    with guarded.client(Role.VIEWER) as client:
        paths: dict[str, dict[str, Any]] = client.get("/v1/openapi.json").json()["paths"]
    found = [(method.upper(), re.sub(r"\{\w+\}", "1", path)) for path, methods in paths.items() for method in methods]
    return [*found, ("GET", "/v1/openapi.json"), ("GET", "/v1/unknown"), ("POST", "/v1/unknown"), ("PUT", "/")]


def test_no_route_answers_without_a_login_but_those_that_are_listed(guarded: Guarded) -> None:
    assert {
        ("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/v1/session"), ("POST", "/v1/session"),
    } == OPEN  # fmt: skip
    seen = routes(guarded)
    assert len(seen) > 25
    for headers in ({}, MARK, MARK | {"Authorization": "Bearer fs_wrong"}, MARK | {"Cookie": "foresense=fs_wrong"}):
        with guarded.client(headers=headers) as client:
            for method, path in seen:
                if (method, path) in OPEN and "Authorization" not in headers:
                    continue
                status = client.request(method, path, json={}).status_code
                wanted = {401, 403} if not (is_page(path) and method == "GET") else {200, 401, 404}
                assert status in wanted, (method, path, headers)


def test_each_role_may_do_what_it_is_for_and_no_more(guarded: Guarded) -> None:
    needs = {
        ("GET", "/v1/streams"): Role.VIEWER,
        ("POST", "/v1/score"): Role.VIEWER,
        ("POST", "/v1/mutes"): Role.OPERATOR,
        ("PUT", "/v1/budgets/main"): Role.OPERATOR,
        ("POST", "/v1/alarms/1/acknowledge"): Role.OPERATOR,
        ("POST", "/v1/dead-letters/replay"): Role.OPERATOR,
        ("POST", "/v1/dead-letters/purge"): Role.ADMIN,
        ("GET", "/v1/audit"): Role.ADMIN,
    }
    for role in Role:
        with guarded.client(role) as client:
            for (method, path), needed in needs.items():
                answer = client.request(method, path, json={} if method != "GET" else None)
                assert (answer.status_code == 403) == (role < needed), (role, method, path, answer.text)


def test_a_user_logs_in_is_known_and_logs_out(guarded: Guarded) -> None:
    with guarded.client(headers=MARK) as client:
        assert client.get("/v1/session").json() == {"user": None, "role": None, "login": True}
        answer = client.post("/v1/session", json={"user": "operator", "password": PASSWORD})
        assert answer.json() == {"user": "operator", "role": "operator", "login": True}
        cookie = answer.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert client.get("/v1/streams").status_code == 200
        kept = client.cookies["foresense"]
        assert client.delete("/v1/session").status_code == 204
    with guarded.client(headers={"Cookie": f"foresense={kept}"}) as client:
        assert client.get("/v1/streams").status_code == 401


def test_a_session_ends_with_its_user(guarded: Guarded) -> None:
    guarded.accounts.add_user("leaver", Role.VIEWER, PASSWORD)
    with guarded.client(headers=MARK) as client:
        assert client.post("/v1/session", json={"user": "leaver", "password": PASSWORD}).status_code == 200
        guarded.accounts.remove_user("leaver")
        assert client.get("/v1/streams").status_code == 401


def test_a_token_that_has_expired_is_told_what_mends_it(guarded: Guarded) -> None:
    token = guarded.accounts.add_token("short", Role.VIEWER, 1)
    answer = httpx.get(f"{guarded.site.client.base_url}/v1/streams", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "`foresense tokens add` makes one" in answer.json()["detail"]


def test_who_guesses_passwords_has_to_wait_and_others_of_that_name_too(guarded: Guarded) -> None:
    with guarded.client(headers=MARK) as client:
        statuses = [
            client.post("/v1/session", json={"user": "nobody", "password": f"guess {number}"}).status_code
            for number in range(7)
        ]
        answer = client.post("/v1/session", json={"user": "nobody", "password": "guess"})
    assert statuses[:5] == [401] * 5
    assert 429 in statuses
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize(
    ("headers", "status", "said"),
    [
        (
            {"Origin": "https://evil.example"},
            403,
            "expected a request of our own pages, got one of 'https://evil.example'",
        ),
        ({"Origin": "http://["}, 403, "expected a request of our own pages, got one of 'http://['"),
        ({"Origin": "null"}, 403, "expected a request of our own pages"),
        ({"Sec-Fetch-Site": "cross-site"}, 403, "got one that is cross-site"),
        ({"X-Foresense": ""}, 403, "expected the header `X-Foresense: 1`"),
        ({"Host": "evil.example"}, 421, "add the name to `http.names`"),
        ({"Host": "127.0.0.1.evil.example"}, 421, "expected to be asked for by one of"),
        ({"Host": "["}, 421, "expected to be asked for by one of"),
        ({"Host": ""}, 421, "expected to be asked for by one of"),
    ],
)
def test_what_a_page_of_another_site_may_send_is_refused_on_loopback_too(
    site: Site, headers: dict[str, str], status: int, said: str
) -> None:
    kept = {name: value for name, value in (MARK | headers).items() if not (name == "X-Foresense" and not value)}
    with httpx.Client(base_url=site.client.base_url, headers=kept) as client:
        answer = client.post("/v1/mutes", json={"monitor": "main", "duration": "1h"})
    assert answer.status_code == status
    assert said in answer.json()["detail"]


def test_no_answer_may_be_framed_sniffed_or_shared_and_scripts_are_our_own(site: Site) -> None:
    for path in ("/", "/v1/streams", "/v1/unknown", "/healthz", "/metrics"):
        headers = site.client.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "Access-Control-Allow-Origin" not in headers
        assert "server" not in headers


def test_a_body_that_is_too_long_is_refused_before_it_is_read(site: Site) -> None:
    connection = HTTPConnection("127.0.0.1", site.port, timeout=10)
    connection.putrequest("POST", "/v1/score")
    for name, value in (MARK | {"Content-Length": str(MOST_BYTES + 1)}).items():
        connection.putheader(name, value)
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


def test_what_is_changed_or_tried_is_in_the_audit_without_secrets(guarded: Guarded) -> None:
    with guarded.client(Role.OPERATOR) as client:
        client.post("/v1/mutes", json={"monitor": "main", "duration": "1h", "reason": "audited"})
        client.post("/v1/dead-letters/purge", json={"all": True})
    with guarded.client(headers=MARK) as client:
        client.post("/v1/session", json={"user": "viewer", "password": PASSWORD})
    with guarded.client(Role.ADMIN) as client:
        told = client.get("/v1/audit").json()
    newest = [(each["who"], each["action"], each["status"]) for each in told["entries"][:3]]
    assert newest == [
        ("viewer", "POST /v1/session", 200),
        ("token operator-token", "POST /v1/dead-letters/purge", 403),
        ("token operator-token", "POST /v1/mutes", 201),
    ]
    assert "audited" in told["entries"][2]["detail"]
    assert PASSWORD not in str(told)
    assert all(each["address"] == "127.0.0.1" for each in told["entries"])


@pytest.mark.slow
def test_users_and_tokens_are_added_listed_and_removed_by_commands(guarded: Guarded, tmp_path: Path) -> None:
    def run(*arguments: str, said: str = "") -> tuple[int, str]:
        command = [str(Path(sys.executable).with_name("foresense")), *arguments]
        done = subprocess.run(command, input=said, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    file = str(guarded.site.plant.config)
    assert run("users", "add", file, "ada", "--role", "operator", said="lovelace-1843\n")[0] == 0
    assert "ada  operator  since 20" in run("users", "list", file)[1]
    with guarded.client(headers=MARK) as client:
        assert client.post("/v1/session", json={"user": "ada", "password": "lovelace-1843"}).status_code == 200
        assert client.get("/v1/streams").status_code == 200
        assert run("users", "add", file, "ada", said="babbage-1837\n")[0] == 0
        assert client.get("/v1/streams").status_code == 401, "another password ends the session"
    assert run("users", "remove", file, "ada")[0] == 0
    assert run("users", "remove", file, "ada")[1].startswith("foresense: expected the name of a user, got 'ada'")
    code, said = run("users", "add", file, "bob", said="short\n")
    assert (code, "password: expected 10 to 1000 signs, got 5" in said) == (2, True)

    out = tmp_path / "token"
    assert run("tokens", "add", file, "grafana", "--for", "90d", "--out", str(out))[0] == 0
    assert out.stat().st_mode & 0o777 == 0o600
    bearer = {"Authorization": f"Bearer {out.read_text().strip()}"}
    assert httpx.get(f"{guarded.site.client.base_url}/metrics", headers=bearer).status_code == 200
    assert "grafana  viewer  since 20" in run("tokens", "list", file)[1]
    other = tmp_path / "other"
    assert run("tokens", "add", file, "grafana", "--out", str(other))[0] == 2
    assert not other.exists(), "there is one of that name, so nothing is in the file"
    assert run("tokens", "remove", file, "grafana")[0] == 0
    assert httpx.get(f"{guarded.site.client.base_url}/metrics", headers=bearer).status_code == 401
