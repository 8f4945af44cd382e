"""A histogram: how often a quantity was how great, in a few numbers."""

from bisect import bisect_left
from collections.abc import Sequence


class Histogram:
    """Counts what is observed into buckets; one thread observes, any may read."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = tuple(bounds)  #: greatest value of each bucket but the last, which has no bound
        self.counts = [0] * (len(self.bounds) + 1)
        self.total = 0.0  #: sum of all values

    def observe(self, value: float) -> None:
        """Count a value.

        >>> histogram = Histogram([1, 10])
        >>> for value in (0.5, 1, 7, 70): histogram.observe(value)
        >>> histogram.counts, histogram.total
        ([2, 1, 1], 78.5)
        """
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value
