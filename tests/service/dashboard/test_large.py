"""The overview of ten thousand streams."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, expect

from service.storage.store import Store
from service.storage.verdict_book import add_series, insert
from tests.conftest import INTERVAL_MS
from tests.service.api.conftest import Site, open_site
from tests.service.dashboard.conftest import View

COUNT, SLOTS = 10_000, 20
NAMES = [f"hall-{number % 20}/device-{number:05d}" for number in range(COUNT)]


@pytest.fixture
def large_site(tmp_path: Path) -> Iterator[Site]:
    """Return a service whose database has verdicts of ten thousand streams."""
    store = Store(tmp_path / "foresense.db")
    store.open()
    with store.transaction():
        series = add_series(store.db, store.add_streams("main", NAMES), ["value"]).ravel()
        newest, random = int(time.time() * 1000) // INTERVAL_MS, np.random.default_rng(1)
        for slot in range(newest - SLOTS, newest):
            value = random.normal(size=COUNT)
            columns = [value, 0.9 * value, value - 1, value + 1, np.abs(value / 5)]
            times, status = [slot * INTERVAL_MS] * COUNT, [1] * COUNT
            insert(store.db, times, series.tolist(), *(each.tolist() for each in columns), status)
    store.close()
    with open_site(tmp_path) as site:
        yield site


@pytest.mark.slow
def test_the_overview_of_ten_thousand_streams_can_be_used_within_a_moment(browser: Browser, large_site: Site) -> None:
    context = browser.new_context(viewport={"width": 1200, "height": 850})
    view = View(context.new_page(), large_site)
    took = []
    for _ in range(3):
        began = time.monotonic()
        page = view.open()
        expect(page.locator("li.row").first).to_be_visible()
        page.get_by_label("Search").fill("device-09999")
        expect(page.locator("li.row")).to_have_count(1)
        took.append(time.monotonic() - began)
        page.goto("about:blank")
    page = view.open()
    page.get_by_label("Sort").select_option("name")
    page.get_by_role("region", name="Streams").evaluate("each => { each.scrollTop = each.scrollHeight }")
    expect(page.locator("li.row").last).to_contain_text(max(NAMES))
    assert page.locator("li.row").count() < 60
    context.close()
    assert view.complaints == []
    assert min(took) < 1.5
