from dataclasses import replace

import pytest

from edge.bundle import Bundle
from models.merit import left_out


@pytest.mark.parametrize(
    ("spec", "linear", "simpler"),
    [
        ({"skip": True}, 1.0, "the linear forecast beneath it"),
        ({"skip": False}, 1.0, "the linear forecast beneath it"),
        ({"skip": True}, 0.0, "the last value"),
        ({"skip": False}, 0.0, "a constant"),
        ({"skip": True, "output": "sigmoid"}, 0.0, "a constant"),
    ],
)
def test_what_a_network_is_left_out_for_is_said(
    trained: Bundle, spec: dict[str, object], linear: float, simpler: str
) -> None:
    manifest = replace(trained.manifest, spec=trained.manifest.spec | spec, metrics={"left_out": 1.0, "linear": linear})
    assert left_out(manifest) == f"The network is no better than {simpler}, which is used alone."


def test_of_a_network_that_is_used_nothing_is_said(trained: Bundle) -> None:
    assert left_out(replace(trained.manifest, metrics=trained.manifest.metrics | {"left_out": 0.0})) == ""
