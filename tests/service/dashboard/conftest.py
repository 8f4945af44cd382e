"""What the tests of the dashboard share: a real service, and Chromium as its viewer."""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from tests.service.api.conftest import Site, site

__all__ = ["site"]

CHROMIUM = shutil.which("chromium")


class View:
    """A page of the dashboard, and what the browser complained about."""

    def __init__(self, page: Page, site: Site) -> None:
        self.page = page
        self.site = site
        self.complaints: list[str] = []
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))

    def open(self, place: str = "") -> Page:
        """Go to a place of the dashboard."""
        self.page.goto(f"{self.site.client.base_url}/#/{place}")
        self.page.wait_for_selector("h1")
        return self.page

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Return a Chromium."""
    if CHROMIUM is None:
        pytest.skip("needs a browser: apt-get install chromium")
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield opened
        opened.close()


@pytest.fixture
def view(browser: Browser, site: Site) -> Iterator[View]:
    """Return a view in which nothing may go wrong: no error, no warning, no violation of the policy."""
    context = browser.new_context(viewport={"width": 1200, "height": 850}, timezone_id="Europe/Rome", locale="en-GB")
    context.set_default_timeout(15_000)
    made = View(context.new_page(), site)
    yield made
    context.close()
    assert made.complaints == []
