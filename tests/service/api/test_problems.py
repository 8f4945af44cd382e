import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.service.api.conftest import Site, open_site
from tests.system.conftest import wait_until


@pytest.fixture
def own_site(tmp_path: Path) -> Iterator[Site]:
    """Return a service whose broker and database the test may take away."""
    with open_site(tmp_path) as site:
        yield site


@pytest.mark.slow
def test_a_database_that_is_locked_is_told_and_does_not_keep_anybody_from_reading(own_site: Site) -> None:
    with closing(sqlite3.connect(own_site.plant.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = own_site.client.post("/v1/mutes", json={"monitor": "main", "duration": "1h"})
        assert answer.status_code == 503
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.headers["Retry-After"] == "5"
        assert "database is locked; try again" in answer.json()["detail"]
        assert own_site.get("/v1/streams")["total"] == 0
        other.execute("ROLLBACK")
    assert own_site.client.post("/v1/mutes", json={"monitor": "main", "duration": "1h"}).status_code == 201


def test_a_database_that_is_away_is_told_with_what_mends_it(own_site: Site) -> None:
    database = own_site.plant.database
    aside = database.rename(database.with_suffix(".aside"))
    answer = own_site.client.get("/v1/alarms")
    assert answer.status_code == 503
    assert "the database cannot be used now" in answer.json()["detail"]
    assert "`foresense doctor`" in answer.json()["detail"]
    aside.rename(database)
    assert own_site.get("/v1/alarms")["total"] == 0


def test_a_broker_that_is_away_is_told_and_what_is_stored_still_can_be_seen(own_site: Site) -> None:
    own_site.fill()
    own_site.broker.stop()
    wait_until(lambda: own_site.client.get("/readyz").status_code == 503, "the service is not ready")
    wait_until(lambda: not any(own_site.get("/v1/status")["told"]["brokers"].values()), "the status tells of it")
    assert own_site.get("/v1/streams")["total"] == 3
    own_site.broker.start()
    wait_until(lambda: own_site.answers("/readyz"), "the service is ready again")


def test_a_path_or_method_that_is_not_there_is_a_problem_that_says_where_to_look(own_site: Site) -> None:
    for method, path, status in (("GET", "/v2/streams", 404), ("DELETE", "/v1/streams", 405)):
        answer = own_site.client.request(method, path)
        assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")
        assert "that /v1/openapi.json lists" in answer.json()["detail"]
