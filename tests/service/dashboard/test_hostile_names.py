"""Names that are scripts are text wherever they are shown."""

import msgspec
from playwright.sync_api import expect

from service.simulate.pumps import CHANNELS
from tests.service.dashboard.conftest import PumpsSite, View
from tests.system.conftest import wait_until

HOSTILE = "south/<img src=x onerror=alert(1)>"


def test_a_name_that_is_a_script_is_text(view: View, site: PumpsSite) -> None:
    reading = msgspec.json.encode({"time": site.end} | dict.fromkeys(CHANNELS, 1.0))
    site.world.publish((f"{site.name}/{HOSTILE}", payload) for payload in (reading, b"<b>no json</b>"))
    wait_until(lambda: site.get("/v1/streams", search="img")["total"] == 1, "the stream is there")
    page = view.open()
    page.get_by_role("link", name=HOSTILE).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE)
    view.open("service")
    expect(page.get_by_role("cell", name=HOSTILE)).to_be_visible()
    expect(page.get_by_text("<b>no json</b>")).to_be_visible()
    assert page.locator("main img").count() == 0
