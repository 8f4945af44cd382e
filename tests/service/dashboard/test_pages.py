"""Each page's main path in a real browser; the view fails a test in which the browser complains."""

import os
import re
import time
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.service.api.conftest import SLOTS, STREAMS, Site
from tests.service.dashboard.conftest import View
from tests.system.conftest import wait_until

PICTURES = Path(os.environ["FORESENSE_PICTURES"]) if "FORESENSE_PICTURES" in os.environ else None  #: for the README
HOSTILE = STREAMS[2]
CHART = re.compile(rf"^value of {re.escape(STREAMS[0])}: \d+ points, newest .*; 1 alarms$")
PAGES = {"streams": "", "stream": "stream/{stream}", "alarms": "alarms", "bundles": "bundles", "service": "service"}


@pytest.fixture(scope="module")
def stream(site: Site) -> int:
    return site.stream(STREAMS[0])


def test_the_overview_lists_searches_and_sorts(view: View) -> None:
    page = view.open()
    rows = page.locator("li.row")
    expect(rows).to_have_count(len(STREAMS))
    expect(rows.first).to_contain_text(STREAMS[1])  # in alarm: the worst first
    page.get_by_label("Search").fill("PUMP-1")
    expect(rows).to_have_count(1)
    page.get_by_label("Search").fill("")
    page.get_by_label("Sort").select_option("name")
    expect(rows.first).to_contain_text(STREAMS[0])


def test_a_name_that_is_a_script_is_text(view: View) -> None:
    page = view.open()
    page.get_by_role("link", name=HOSTILE).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE)
    assert page.locator("img").count() == 0


def test_a_streams_page_has_its_chart_its_alarm_and_its_budget(view: View, stream: int) -> None:
    page = view.open(f"stream/{stream}")
    expect(page.locator("canvas").first).to_have_attribute("aria-label", CHART)
    expect(page.locator("article.panel")).to_contain_text("value 100")
    page.get_by_label("False alarms that are accepted").fill("0.000001 per year")
    expect(page.get_by_text("Of 1 alarm of this stream")).to_contain_text("1 would remain")
    page.get_by_role("button", name="False alarm").click()
    expect(page.get_by_role("button", name="False alarm")).to_have_attribute("aria-pressed", "true")
    page.locator("canvas").first.press("+")
    expect(page.get_by_role("button", name="Live again")).to_be_visible()


def test_a_verdict_is_seen_within_a_second_of_its_publishing(view: View, stream: int) -> None:
    page = view.open(f"stream/{stream}")
    expect(page.locator("#live")).to_have_text("● live")
    chart = page.locator("canvas").first
    before = chart.get_attribute("aria-label")
    began = time.monotonic()
    view.site.publish(STREAMS[0], range(SLOTS, SLOTS + 1))
    page.wait_for_function(
        "before => document.querySelector('canvas').getAttribute('aria-label') !== before", arg=before
    )
    assert time.monotonic() - began < 1


def test_a_stream_is_muted_with_the_keyboard_alone(view: View, stream: int) -> None:
    page = view.open(f"stream/{stream}")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Mute":
            break
    page.keyboard.press("Enter")
    expect(page.get_by_text("Muted until")).to_be_visible()
    (mute,) = view.site.get("/v1/mutes")["mutes"]
    assert mute["stream"] == STREAMS[0]
    expect(page.get_by_role("button", name="Unmute")).to_be_focused()
    page.keyboard.press("Enter")
    wait_until(lambda: view.site.get("/v1/mutes")["mutes"] == [], "it is muted no more")


def test_an_open_alarm_is_acknowledged_in_the_inbox(view: View) -> None:
    page = view.open("alarms")
    page.get_by_role("button", name="Acknowledge", exact=True).click()
    expect(page.get_by_text("None is open.")).to_be_visible()
    page.get_by_role("button", name="Acknowledged").click()
    expect(page.locator("article.panel")).to_contain_text("acknowledged by local")


def test_bundles_and_the_service_are_told_with_examples_of_what_could_not_be_read(view: View) -> None:
    page = view.open("bundles")
    expect(page.get_by_role("heading", name="pump/1")).to_be_visible()
    page = view.open("service")
    expect(page.get_by_text(f"{view.site.name}/north/pump-1/value")).to_be_visible()
    expect(page.get_by_text("● connected")).to_be_visible()


def test_what_is_not_there_is_a_page_that_says_what_to_do(view: View) -> None:
    page = view.open("stream/999")
    expect(page.get_by_text("expected the id of a stream")).to_be_visible()
    assert [each for each in view.complaints if "404" not in each] == []
    view.complaints.clear()  # the browser tells of the answer, which is meant


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_no_page_has_a_serious_finding_of_axe_in_light_or_dark(
    view: View, stream: int, name: str, scheme: str, tmp_path: Path
) -> None:
    view.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page = view.open(PAGES[name].format(stream=stream))
    page.wait_for_load_state("load")
    page.wait_for_timeout(500)
    page.screenshot(
        path=PICTURES / f"page-{name}{'-dark' * (scheme == 'dark')}.png" if PICTURES else tmp_path / f"{name}.png"
    )
    found = Axe().run(page).response["violations"]
    serious = [
        (each["id"], each["nodes"][0]["html"][:200]) for each in found if each["impact"] in ("serious", "critical")
    ]
    assert serious == []


@pytest.mark.parametrize("name", PAGES)
def test_every_page_fits_a_phone(view: View, stream: int, name: str) -> None:
    view.page.set_viewport_size({"width": 360, "height": 740})
    page = view.open(PAGES[name].format(stream=stream))
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
