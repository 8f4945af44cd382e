"""Two services where there should be one, and one that is told to end."""

import time
from pathlib import Path

import pytest

from tests.faults.conftest import AFTER, BEFORE, Outcome, Site, make_plant, recording
from tests.system.conftest import wait_until

pytestmark = pytest.mark.slow


def test_a_second_service_on_one_database_refuses_and_the_first_goes_on(
    site: Site, bundles: Path, tmp_path: Path, reference: Outcome
) -> None:
    site.start()
    site.publish(BEFORE)
    second = make_plant(tmp_path / "site", site.broker, bundles, "site")
    second.log = tmp_path / "second.log"
    assert second.start().wait() == 2
    assert "got one that another `foresense serve` has open" in second.log.read_text()
    site.publish(AFTER)
    site.assert_undisturbed(reference)


def test_a_second_service_with_the_same_client_id_refuses_and_the_first_goes_on(
    site: Site, bundles: Path, tmp_path: Path, reference: Outcome
) -> None:
    site.start()
    site.publish(BEFORE)
    second = make_plant(tmp_path / "second", site.broker, bundles, "second", client_id="site")
    try:
        assert second.start().wait() == 2
    finally:
        second.kill()
    assert "client_id" in second.log.read_text()
    site.publish(AFTER)
    site.assert_undisturbed(reference)


def test_sigterm_in_the_middle_ends_it_within_ten_seconds_and_nothing_comes_again(
    site: Site, reference: Outcome
) -> None:
    site.start()
    site.publish(BEFORE)
    began = time.monotonic()
    assert site.plant.end() == 0
    assert time.monotonic() - began < 10
    before = site.assert_balanced()
    site.publish(AFTER)
    site.start()
    after = site.assert_undisturbed(reference)
    assert before["received"] + after["received"] == len(recording())
    assert before["duplicate"] == after["duplicate"] == 0


def test_sigterm_while_nothing_can_be_committed_still_ends_it_within_ten_seconds(
    site: Site, reference: Outcome
) -> None:
    site.plant.environment = {"FORESENSE_FAILPOINT": "before-commit:8=hang"}
    site.start()
    site.publish()
    wait_until(lambda: site.plant.count("verdict") > 0, "a verdict")
    time.sleep(1)
    began = time.monotonic()
    site.plant.end()
    assert time.monotonic() - began < 10
    site.plant.environment = {}
    site.start()
    site.assert_undisturbed(reference)
