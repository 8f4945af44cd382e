"""Golden verdicts in which one column was changed."""

import io
from collections.abc import Callable
from dataclasses import fields, replace

import numpy as np
import pytest

from edge.bundle import GOLDEN, Bundle
from edge.errors import BundleError
from edge.golden import self_test
from edge.reading import Verdicts

MakeBundle = Callable[..., Bundle]


@pytest.mark.parametrize("column", [each.name for each in fields(Verdicts)])
def test_a_change_in_any_column_is_found(make_bundle: MakeBundle, column: str) -> None:
    bundle = make_bundle(channels=("flow", "pressure"))
    assert self_test(bundle) == 40
    arrays = dict(np.load(io.BytesIO(bundle.files[GOLDEN])))
    changed = arrays[f"verdict_{column}"]
    changed[35] = np.nan_to_num(changed[35]) * 1.1 + np.arange(changed[35].size).reshape(changed[35].shape) + 1
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    with pytest.raises(BundleError, match=f"golden verdicts: {column}"):
        self_test(replace(bundle, files=bundle.files | {GOLDEN: buffer.getvalue()}))
