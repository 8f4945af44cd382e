from tests.service.api.conftest import Site
from tests.system.conftest import wait_until


def test_dead_letters_are_listed_shown_replayed_and_purged(site: Site) -> None:
    told = site.get("/v1/dead-letters")
    assert told["counts"] == {"syntax": 1}
    (letter,) = told["dead_letters"]
    assert letter["topic"] == f"{site.name}/north/pump-1/value"
    assert site.get(f"/v1/dead-letters/{letter['id']}")["payload"] == "no json"
    assert site.get("/v1/dead-letters", reason="topic")["dead_letters"] == []

    asked = site.client.post("/v1/dead-letters/replay", json={"ids": [letter["id"]]}).json()
    assert asked == {"asked": 1, "cut": 0}
    wait_until(lambda: site.get("/v1/status")["told"]["counters"]["replayed"] == 1, "it is read again")
    assert site.get("/v1/dead-letters")["counts"] == {"syntax": 1}

    assert site.client.post("/v1/dead-letters/purge", json={"reason": "topic"}).json() == {"purged": 0}
    assert site.client.post("/v1/dead-letters/purge", json={"all": True}).json() == {"purged": 1}
    assert site.get("/v1/dead-letters") == {"counts": {}, "dead_letters": []}
    assert site.client.get(f"/v1/dead-letters/{letter['id']}").status_code == 404


def test_what_says_neither_which_nor_all_is_refused(site: Site) -> None:
    for choice in ({}, {"all": True, "ids": ["1"]}):
        answer = site.client.post("/v1/dead-letters/purge", json=choice)
        assert answer.status_code == 422
        assert "expected ids, reason, sink, topic, from or to, or else all: true" in answer.json()["detail"]
