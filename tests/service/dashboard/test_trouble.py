"""What is seen while something is away, and by those who may only look."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Browser, Page, expect

from service.api.accounts import Accounts
from service.api.roles import Role
from service.storage.access import Access
from tests.conftest import write_pump
from tests.service.api.conftest import Site
from tests.service.dashboard.conftest import View
from tests.service.dashboard.test_appearance import PHONE
from tests.system.conftest import broker_in, free_port, wait_until

PASSWORD = "correct horse battery"  # noqa: S105


class TroubledSite(Site):
    """A service whose sink is away, with slots of a second."""

    def watched(self, folder: Path) -> tuple[Path, dict[str, Any]]:
        secret = folder / "secret"
        secret.write_text("whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
        hook = {"url": f"http://127.0.0.1:{free_port()}/hook", "secret_file": str(secret)}
        self.more = {"sinks": {"the-pager-of-the-night-shift": {"webhook": hook}}}
        bundles = write_pump(folder / "bundles", interval_ms=1000).path.parents[1]
        topic = f"{self.name}/{{site}}/{{device}}/{{channel}}"
        return bundles, {"main": {"topic": topic, "payload": "json", "time": "ts", "bundle": "pump"}}

    def say(self, values: list[float]) -> None:
        """Publish values of a pump, the last of them as of now."""
        now = time.time_ns() // 1_000_000_000
        bodies = [{"ts": now - len(values) + 1 + at, "value": value} for at, value in enumerate(values)]
        self.world.publish((f"{self.name}/north/pump-1/value", msgspec.json.encode(body)) for body in bodies)


@pytest.fixture
def troubled(tmp_path: Path) -> Iterator[TroubledSite]:
    with broker_in(tmp_path) as broker:
        site = TroubledSite(tmp_path, broker, "api", login=True)
        accounts = Accounts(Access(site.plant.database))
        for role in Role:
            accounts.add_user(role.word, role, PASSWORD)
        site.client.post("/v1/session", json={"user": "admin", "password": PASSWORD}).raise_for_status()
        try:
            yield site
        finally:
            site.close()


@pytest.fixture
def page(browser: Browser, troubled: TroubledSite) -> Iterator[Page]:
    """Return a page that waits for a login."""
    context = browser.new_context(viewport=PHONE)  # type: ignore[arg-type]
    context.set_default_timeout(20_000)
    page = context.new_page()
    View(page, troubled).open()
    yield page
    context.close()


def log_in(page: Page, role: Role) -> None:
    page.get_by_label("User").fill(role.word)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.locator("form.login")).to_be_hidden()


def test_why_a_sink_is_away_fits_a_phone_and_a_silent_stream_is_called_silent(
    page: Page, troubled: TroubledSite
) -> None:
    log_in(page, Role.VIEWER)
    troubled.say([0.1, 0.2] * 10 + [90.0, 95.0])
    wait_until(lambda: troubled.get("/v1/streams")["total"] == 1, "the stream is there")
    page.goto(f"{troubled.client.base_url}/#/stream/1")
    state = page.locator("header.stream .badge").first
    expect(state).to_have_text("▲ alarm")
    for hidden in ("Mute", "Set", "As configured", "False alarm"):
        expect(page.get_by_role("button", name=hidden, exact=True)).to_be_hidden()
    expect(page.get_by_text("Not muted.")).to_be_visible()
    expect(state).to_have_text("◌ silent", timeout=60_000)
    page.goto(f"{troubled.client.base_url}/#/service")
    expect(page.get_by_text("▲ no connection")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_more_incidents_are_shown_when_they_are_asked_for(page: Page, troubled: TroubledSite) -> None:
    with closing(sqlite3.connect(troubled.plant.database)) as db, db:
        rows = [(f"{number:032x}", "plant", 1000 + number, 2000, 1000, 3, 3) for number in range(45)]
        db.executemany("INSERT INTO incident VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    log_in(page, Role.VIEWER)
    page.goto(f"{troubled.client.base_url}/#/alarms")
    page.get_by_role("button", name="Incidents 45").click()
    incidents, more = page.locator("section.incident"), page.get_by_role("button", name="Show more")
    for count in (20, 40, 45):
        expect(incidents).to_have_count(count)
        if count < 45:
            more.click()
    expect(more).to_be_hidden()


def test_a_page_that_is_opened_while_the_service_is_away_is_shown_when_it_is_back(
    page: Page, troubled: TroubledSite
) -> None:
    log_in(page, Role.VIEWER)
    expect(page.get_by_role("heading", name="No stream yet")).to_be_visible()
    troubled.plant.end()
    page.evaluate("location.hash = '#/alarms'")
    expect(page.get_by_text("The service does not answer. Trying again…")).to_be_visible()
    troubled.plant.start()
    expect(page.get_by_text("No alarm is open")).to_be_visible(timeout=20_000)
