"""Each page's main path in a real browser; the view fails a test in which the browser complains."""

import re
import time

import pytest
from playwright.sync_api import Page, expect

from tests.service.dashboard.conftest import PumpsSite, View
from tests.service.dashboard.pumps import BROKEN, DRIFTING, LEAKING, NAMES, SOUND, WORN
from tests.system.conftest import wait_until

NUMBER = r"-?\d+(\.\d+)?"
TIP = re.compile(rf"flow.*value\s*{NUMBER} m3/h\s*expected\s*{NUMBER}\s*band\s*{NUMBER} to {NUMBER}\s*score\s*{NUMBER}")


def open_stream(view: View, name: str) -> Page:
    page = view.open(f"stream/{view.site.stream(name)}")
    expect(page.locator("canvas")).to_have_count(6)
    return page


def test_the_overview_lists_searches_filters_and_sorts(view: View) -> None:
    page = view.open()
    page.get_by_label("Search").fill("/pump-")
    rows = page.locator("li.row")
    expect(rows).to_have_count(len(NAMES))
    assert {rows.nth(at).locator("strong").inner_text() for at in range(3)} == {each[-6:] for each in BROKEN}
    expect(rows.filter(has_text=LEAKING)).to_contain_text("major pressure 2.8")
    expect(rows.filter(has_text=LEAKING)).to_contain_text("in 7 daysbudget 2 per week")
    page.get_by_role("button", name="normal").click()
    expect(rows).to_have_count(len(NAMES) - len(BROKEN))
    page.get_by_role("button", name="all").click()
    page.get_by_label("Search").fill("PUMP-1")
    expect(rows).to_have_count(1)
    page.get_by_label("Search").fill("no such pump")
    expect(page.get_by_text("No stream is like that.")).to_be_visible()
    page.get_by_label("Search").fill("/pump-")
    page.get_by_label("Sort").select_option("name")
    expect(rows.first).to_contain_text(min(NAMES))


def test_an_open_alarm_stands_above_the_chart_with_each_channels_part_in_it(view: View) -> None:
    page = open_stream(view, LEAKING)
    alarm = page.locator("article").first
    expect(alarm).to_contain_text("pressure")
    expect(alarm.get_by_role("listitem").first).to_contain_text(re.compile(r"pressure\d+ %.*bar, expected"))
    assert alarm.bounding_box()["y"] < page.locator("canvas").first.bounding_box()["y"]  # type: ignore[index]
    expect(page.locator("figcaption").filter(has_text="pressure")).to_contain_text("% of the alarm")
    alarm.get_by_role("button", name="False alarm").click()
    expect(alarm.get_by_role("button", name="False alarm")).to_have_attribute("aria-pressed", "true")
    expect(alarm).to_contain_text("false alarm, says local")
    alarm.get_by_role("button", name="Mute 2 h").click()
    expect(page.get_by_text("Muted until")).to_be_visible()
    page.get_by_role("button", name="Unmute").click()
    expect(page.get_by_text("Muted until")).to_be_hidden()


def test_values_are_read_off_the_chart_with_the_mouse_and_the_keyboard(view: View) -> None:
    page = open_stream(view, SOUND)
    flow = page.locator("canvas").first
    flow.hover()
    expect(page.locator(".tip")).to_have_text(TIP)
    page.mouse.move(5, 5)
    expect(page.locator(".tip")).to_be_hidden()
    chart = page.get_by_role("application")
    chart.press("End")
    newest = page.locator(".tip").inner_text()
    chart.press("ArrowLeft")
    assert page.locator(".tip").inner_text() != newest
    expect(page.locator(".chart [role=status]")).to_have_text(TIP)
    chart.press("ArrowDown")
    expect(page.locator(".tip")).to_contain_text("pressure")


def test_the_chart_is_zoomed_by_dragging_by_buttons_and_by_keys(view: View) -> None:
    page = open_stream(view, SOUND)
    back = page.get_by_role("button", name="Live again")
    box = page.locator("canvas").first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 300, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 500, box["y"] + 40, steps=3)
    page.mouse.up()
    back.click()
    expect(back).to_be_hidden()
    page.get_by_role("button", name="Zoom in").click()
    back.click()
    expect(back).to_be_hidden()
    page.get_by_role("application").press("-")
    expect(back).to_be_visible()


def test_another_budget_tells_what_would_have_remained(view: View) -> None:
    page = open_stream(view, WORN)
    page.get_by_label("False alarms that you accept").fill("0.000001 per year")
    expect(page.get_by_text("Of 1 alarm of this stream")).to_contain_text("1 would remain")


def test_a_verdict_is_seen_within_a_second_of_its_publishing(view: View, site: PumpsSite) -> None:
    page = open_stream(view, SOUND)
    expect(page.locator("#live")).to_have_text("● live")
    before = page.locator("canvas").first.get_attribute("aria-label")
    began = time.monotonic()
    site.send(1)
    page.wait_for_function(
        "before => document.querySelector('canvas').getAttribute('aria-label') !== before", arg=before
    )
    assert time.monotonic() - began < 1


def test_a_chart_of_longer_buckets_goes_on_as_well(view: View, site: PumpsSite) -> None:
    page = open_stream(view, SOUND)
    page.get_by_role("button", name="all").click()
    expect(page.get_by_role("button", name="all")).to_have_attribute("aria-pressed", "true")
    slots = "+document.querySelector('canvas').getAttribute('aria-label').match(/([0-9]+) points/)[1]"
    before = page.evaluate(f"() => {slots}")
    assert before <= 600
    site.send(6)
    page.wait_for_function(f"before => {slots} > before", arg=before)


def test_a_storm_of_alarms_is_not_a_storm_of_requests(view: View) -> None:
    page, asked = view.open("bundles"), list[str]()
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate("for (let i = 0; i < 500; i += 1) document.dispatchEvent(new Event('alarms-changed'))")
    page.wait_for_timeout(1000)
    assert 1 <= len(asked) <= 3


def test_a_stream_is_muted_with_the_keyboard_alone(view: View) -> None:
    page = open_stream(view, SOUND)
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Mute":
            break
    page.keyboard.press("Enter")
    expect(page.get_by_text("Muted until")).to_be_visible()
    (mute,) = view.site.get("/v1/mutes")["mutes"]
    assert mute["stream"] == SOUND
    expect(page.get_by_role("button", name="Unmute")).to_be_focused()
    page.keyboard.press("Enter")
    wait_until(lambda: view.site.get("/v1/mutes")["mutes"] == [], "it is muted no more")


def test_an_open_alarm_is_acknowledged_in_the_inbox(view: View) -> None:
    page = view.open("alarms")
    mine = page.locator("article").filter(has_text=DRIFTING)
    expect(page.get_by_role("button", name="Open 2")).to_have_attribute("aria-pressed", "true")
    mine.get_by_role("button", name="Acknowledge", exact=True).click()
    expect(mine).to_have_count(0)
    page.get_by_role("button", name="Acknowledged 2").click()
    expect(mine).to_contain_text("acknowledged by local")
    expect(page.locator("#waiting")).to_have_text("1")


@pytest.mark.parametrize("tab", ["Closed", "Incidents"])
def test_alarms_of_an_incident_stand_together(view: View, tab: str) -> None:
    page = view.open("alarms")
    page.get_by_role("button", name=tab).click()
    expect(page.locator("section.incident article")).to_have_count(3)


def test_bundles_and_the_service_are_told_with_examples_of_what_could_not_be_read(view: View) -> None:
    page = view.open("bundles")
    expect(page.get_by_role("heading", name="pumps/1")).to_be_visible()
    page = view.open("service")
    expect(page.get_by_text(f"{view.site.name}/{NAMES[0]}").first).to_be_visible()
    expect(page.get_by_text("● connected")).to_be_visible()


def test_what_is_not_there_is_a_page_that_says_what_to_do(view: View) -> None:
    page = view.open("stream/999")
    expect(page.get_by_text("expected the id of a stream")).to_be_visible()
    assert [each for each in view.complaints if "404" not in each] == []
    view.complaints.clear()  # the browser tells of the answer, which is meant
