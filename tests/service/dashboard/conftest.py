"""What the tests of the dashboard share: a real service that watches simulated pumps, and Chromium as its viewer."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from service.simulate.pumps import CHANNELS
from tests.service.api.conftest import Site
from tests.service.dashboard.pumps import BROKEN, HOURS, INTERVAL_MS, NAMES, WORN, readings, write_history
from tests.system.conftest import Broker, broker_in, wait_until

CHROMIUM = shutil.which("chromium")
SLOTS = HOURS * 3_600_000 // INTERVAL_MS


class PumpsSite(Site):
    """A service with a forecaster that was trained on the simulated plant, and what its pumps have sent since."""

    def __init__(self, folder: Path, broker: Broker, name: str) -> None:
        self.end = int(time.time() * 1000) // INTERVAL_MS * INTERVAL_MS
        self._readings = readings(self.end)
        super().__init__(folder, broker, name)

    def watched(self, folder: Path) -> tuple[Path, dict[str, Any]]:
        history, bundles = folder / "pumps.csv", folder / "bundles"
        write_history(self.end, history)
        channels = [f"--channel={name}={unit}" for name, unit in CHANNELS.items()]
        options = ["--device=pump", "--interval=30s", *channels, "--family=ar", "--budget=2 per week", "--name=pumps"]
        command = [str(Path(sys.executable).with_name("foresense")), "train", str(history), *options]
        subprocess.run([*command, "--out", str(bundles)], check=True, timeout=300)
        monitor = {"topic": f"{self.name}/{{site}}/{{device}}", "payload": "json", "time": "time", "bundle": "pumps"}
        return bundles, {"pumps": monitor | {"fields": {name: name for name in CHANNELS}}}

    def send(self, slots: int) -> None:
        """Publish what the pumps send in the next slots."""
        self.world.publish(
            (f"{self.name}/{pump}", msgspec.json.encode({"time": at, **values}))
            for at, sent in islice(self._readings, slots)
            for pump, values in sent
        )

    def fill(self) -> None:
        """Publish all that has passed, and take care of some of the alarms as operators do."""
        self.send(SLOTS)
        self.world.publish([(f"{self.name}/north/pump-1", "no json"), (f"{self.name}/north/pump-1", '{"speed": 1}')])
        values = (SLOTS - 1) * len(NAMES) * len(CHANNELS)
        wait_until(lambda: self.plant.count("verdict") >= values, "all verdicts are there", 120)
        wait_until(lambda: len(self.open_alarms()) == len(BROKEN), "what is broken is in alarm")
        self.client.post(f"/v1/alarms/{self.open_alarms()[WORN]}/acknowledge", json={}).raise_for_status()
        for alarm in self.get("/v1/alarms", state="closed")["alarms"]:
            is_false = alarm["severity"] == "minor"
            self.client.put(f"/v1/alarms/{alarm['id']}/label", json={"false": is_false}).raise_for_status()

    def open_alarms(self) -> dict[str, str]:
        """Return the ids of the alarms that wait for somebody, by their streams."""
        return {each["name"]: each["id"] for each in self.get("/v1/alarms", state="open")["alarms"]}


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PumpsSite]:
    """Return the service that all tests look at; those of its look come first, by the names of their files."""
    folder = tmp_path_factory.mktemp("pumps")
    with broker_in(folder) as broker:
        opened = PumpsSite(folder, broker, "plant")
        try:
            opened.fill()
            yield opened
        finally:
            opened.close()


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
def view(browser: Browser, site: PumpsSite) -> Iterator[View]:
    """Return a view in which nothing may go wrong: no error, no warning, no violation of the policy."""
    context = browser.new_context(viewport={"width": 1200, "height": 850}, timezone_id="Europe/Rome", locale="en-GB")
    context.set_default_timeout(15_000)
    made = View(context.new_page(), site)
    yield made
    context.close()
    assert made.complaints == []
