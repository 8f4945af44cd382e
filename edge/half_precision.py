"""Half precision, in which a record keeps what there is much of: 65,504 is the greatest number that it has."""

import numpy as np
from numpy.typing import NDArray

_LEAST, _MOST = np.array(-6e4, np.float32), np.array(6e4, np.float32)


def held(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return values of any shape held to what half precision has room for; NaN stays NaN."""
    return np.minimum(np.maximum(values, _LEAST), _MOST)
