"""Each page as it looks, in light and dark, on a desk and on a phone; the pictures of the README are of these."""

import os
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.service.dashboard.conftest import PumpsSite, View
from tests.service.dashboard.pumps import LEAKING

PICTURES = Path(os.environ["FORESENSE_PICTURES"]) if "FORESENSE_PICTURES" in os.environ else None  #: for the README
PAGES = {"streams": "", "stream": "stream/{stream}", "alarms": "alarms", "bundles": "bundles", "service": "service"}
READY = {"streams": "li.row small.why", "stream": "figure", "alarms": "article", "bundles": ".card", "service": "table"}
SHOWN = {(name, "light") for name in PAGES} | {("stream", "dark")}
PHONE = {"width": 360, "height": 740}


def opened(view: View, site: PumpsSite, name: str) -> Page:
    page = view.open(PAGES[name].format(stream=site.stream(LEAKING)))
    expect(page.locator(READY[name]).first).to_be_visible()
    if name != "bundles":  # which stay as they are
        expect(page.locator("#live")).to_have_text("● live")
    return page


def take(page: Page, path: Path) -> None:
    """Take a picture of all that a page says; of a stream's, as far as its chart."""
    page.set_viewport_size({"width": 1200, "height": 500})
    page.wait_for_timeout(200)  # until the chart is drawn again
    height = page.evaluate("(document.querySelector('.chart')?.closest('.card') ?? document.body).offsetHeight")
    top = page.evaluate("document.querySelector('.chart')?.closest('.card').offsetTop ?? 0")
    page.screenshot(path=path, full_page=True, clip={"x": 0, "y": 0, "width": 1200, "height": top + height + 12})


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_no_page_has_a_serious_finding_of_axe_in_light_or_dark(
    view: View, site: PumpsSite, name: str, scheme: str
) -> None:
    view.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    page = opened(view, site, name)
    if PICTURES and (name, scheme) in SHOWN:
        take(page, PICTURES / f"page-{name}{'-dark' * (scheme == 'dark')}.png")
    found = Axe().run(page).response["violations"]
    serious = [
        (each["id"], each["nodes"][0]["html"][:200]) for each in found if each["impact"] in ("serious", "critical")
    ]
    assert serious == []


@pytest.mark.parametrize("name", PAGES)
def test_every_page_fits_a_phone(view: View, site: PumpsSite, name: str) -> None:
    view.page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page = opened(view, site, name)
    if PICTURES and name == "stream":
        page.screenshot(path=PICTURES / "page-phone.png")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
