"""schemathesis on the whole API: no 5xx, no answer that the description does not tell of."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case
from schemathesis.specs.openapi import checks

from tests.service.api.conftest import MARK, Site

_CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]
EXAMPLES = 40  #: of each route


@pytest.mark.slow
def test_every_answer_is_one_that_the_description_tells_of(site: Site) -> None:
    description = schemathesis.openapi.from_dict(site.get("/v1/openapi.json"))
    failures, seen = [], set()
    for found in description.get_all_operations():
        operation = found.ok()  # type: ignore[union-attr]
        if operation.path == "/v1/events":  # whose answer has no end
            continue

        @settings(
            max_examples=EXAMPLES, deadline=None, database=None, derandomize=True,
            phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.as_strategy())
        def answers_as_described(case: Case[Any]) -> None:
            answer = case.call(base_url=str(site.client.base_url), headers=MARK)
            seen.add(answer.status_code)
            case.validate_response(answer, checks=_CHECKS)

        try:
            answers_as_described()
        except Exception as error:  # noqa: BLE001  all routes are looked at before the test fails
            failures.append(f"{operation.label}: {error}")
    assert not failures, "\n\n".join(failures)
    assert {200, 404, 422} <= seen
