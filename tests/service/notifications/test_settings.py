from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from service.notifications.settings import NotificationSettings


def test_a_time_that_yaml_takes_for_a_number_is_a_time() -> None:
    read = yaml.safe_load("{urls_variable: TEAM, quiet: {begin: 22:30, end: 07:00}}")
    quiet = NotificationSettings.model_validate(read).quiet
    assert quiet is not None
    assert (quiet.begin, quiet.end) == ("22:30", "07:00")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"urls_file": None, "urls_variable": None}, "expected either urls_file or urls_variable, got both or neither"),
        ({"urls_file": "a"}, "expected either urls_file or urls_variable, got both or neither"),
        ({"quiet": {"begin": "late", "end": "07:00"}}, "expected a time of day such as '22:00', got 'late'"),
        ({"quiet": {"begin": "07:00", "end": "07:00"}}, "expected begin and end that differ"),
        ({"time_zone": "Mars"}, "expected a time zone"),
        ({"most_per_hour": 0}, "greater than or equal to 1"),
        ({"updates": ["often"]}, "'worse' or 'end'"),
    ],
)
def test_what_does_not_fit_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        NotificationSettings.model_validate({"urls_variable": "TEAM"} | given)
