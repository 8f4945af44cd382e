import pytest

from tests.service.api.conftest import Site


def test_a_stream_is_muted_and_unmuted(site: Site) -> None:
    one = site.stream("north/pump-1")
    answer = site.client.post(
        "/v1/mutes", json={"monitor": "main", "stream": "north/*", "duration": "2h", "reason": "cleaning"}
    )
    assert answer.status_code == 201
    made = answer.json()
    assert (made["by"], made["reason"], made["stream"]) == ("local", "cleaning", "north/*")
    assert site.get("/v1/mutes")["mutes"] == [made]
    assert site.get(f"/v1/streams/{one}")["mutes"] == [made]
    assert [each["muted"] for each in site.get("/v1/streams")["streams"]] == [True, True, False]

    assert site.client.delete(f"/v1/mutes/{made['id']}").status_code == 204
    assert site.get("/v1/mutes") == {"mutes": []}
    assert site.client.delete(f"/v1/mutes/{made['id']}").status_code == 404


def test_a_mute_that_is_over_at_once_is_told_as_it_was(site: Site) -> None:
    answer = site.client.post("/v1/mutes", json={"monitor": "main", "duration": "1ms"})
    assert answer.status_code == 201
    assert answer.json()["stream"] == "*"


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ({"duration": "long"}, 422, "duration: expected a duration such as"),
        ({"duration": "11y"}, 422, "duration: expected at most 10 years"),
        ({"monitor": "other"}, 404, "expected a monitor, one of main, got 'other'"),
        ({"stream": ""}, 422, "stream"),
    ],
)
def test_a_mute_that_cannot_be_is_refused_with_what_is_expected(
    site: Site, change: dict[str, str], status: int, said: str
) -> None:
    answer = site.client.post("/v1/mutes", json={"monitor": "main", "duration": "1h"} | change)
    assert answer.status_code == status
    assert said in answer.json()["detail"]
