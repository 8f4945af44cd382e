from tests.service.api.conftest import Site
from tests.system.conftest import wait_until


def test_the_service_tells_how_it_is(site: Site) -> None:
    wait_until(lambda: site.get("/v1/status")["told"] is not None, "the service has told of itself")
    told = site.get("/v1/status")
    assert told["running"]
    assert told["streams"] == {"main": 3}
    assert told["dead_letters"] == {"syntax": 1}
    assert told["told"]["counters"]["received"] == 91
    ((broker, is_connected),) = told["told"]["brokers"].items()
    assert is_connected
    assert told["watched"] == [
        {"monitor": "main", "topic": f"{site.name}/{{site}}/{{device}}/{{channel}}", "broker": broker}
    ]


def test_health_and_metrics_are_the_services_own(site: Site) -> None:
    assert site.client.get("/healthz").text == site.client.get("/readyz").text == "yes\n"
    answer = site.client.get("/metrics", headers={"Accept": "text/plain"})
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    assert "foresense_messages_received_total 91.0" in answer.text


def test_the_description_lists_every_resource(site: Site) -> None:
    paths = site.get("/v1/openapi.json")["paths"]
    resources = {path.split("/")[2] for path in paths if path.startswith("/v1/")}
    assert resources == {
        "streams", "alarms", "labels", "incidents", "mutes", "budgets", "bundles", "dead-letters", "status", "score",
        "events", "session", "audit",
    }  # fmt: skip
