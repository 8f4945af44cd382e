from pathlib import Path

import pytest

from edge.agent.bundles import before, in_charge
from edge.errors import BundleError


@pytest.fixture
def bundles(tmp_path: Path) -> Path:
    for version in ("2", "10"):
        (tmp_path / "pump" / version).mkdir(parents=True)
    return tmp_path


def test_the_highest_version_is_in_charge_unless_one_is_asked_for(bundles: Path) -> None:
    assert in_charge(bundles, "pump") == bundles / "pump" / "10"
    assert in_charge(bundles, "pump/2") == bundles / "pump" / "2"


def test_the_version_that_current_leads_to_is_in_charge(bundles: Path) -> None:
    (bundles / "pump" / "current").symlink_to("2")
    assert in_charge(bundles, "pump") == bundles / "pump" / "2"
    assert in_charge(bundles, "pump/10") == bundles / "pump" / "10"


def test_a_name_that_is_not_there_is_told(bundles: Path) -> None:
    with pytest.raises(BundleError, match="expected a bundle 'fan' with at least one version, got none"):
        in_charge(bundles, "fan")


def test_the_versions_before_one_are_the_lower_ones_the_newest_first(bundles: Path) -> None:
    for other in ("9", "11", ".draft-1"):
        (bundles / "pump" / other).mkdir()
    assert [each.name for each in before(bundles / "pump" / "10", "pump")] == ["9", "2"]
    assert before(bundles / "pump" / "10", "pump/10") == []
    assert before(bundles / "pump" / "2", "pump") == []
