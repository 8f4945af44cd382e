"""The overview of a service that has heard nothing yet."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.service.api.conftest import Site, open_site
from tests.service.dashboard.conftest import View


@pytest.fixture
def empty_site(tmp_path: Path) -> Iterator[Site]:
    with open_site(tmp_path) as site:
        yield site


def test_without_a_stream_it_is_told_what_is_listened_to_and_how_to_find_out_more(
    browser: Browser, empty_site: Site
) -> None:
    context = browser.new_context()
    view = View(context.new_page(), empty_site)
    page = view.open()
    expect(page.get_by_role("heading", name="No stream yet")).to_be_visible()
    expect(page.locator("code")).to_have_text("api/{site}/{device}/{channel}")
    expect(page.locator("pre")).to_contain_text("foresense sniff --broker mqtt://localhost:")
    empty_site.publish("north/pump-1", range(1))
    expect(page.locator("li.row")).to_have_count(1)
    expect(page.get_by_role("heading", name="No stream yet")).to_be_hidden()
    context.close()
    assert view.complaints == []
