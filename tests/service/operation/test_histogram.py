from service.operation.histogram import Histogram


def test_a_value_is_in_the_bucket_of_the_least_bound_that_is_not_below_it() -> None:
    histogram = Histogram((1, 10))
    for value in (0, 1, 1.5, 10, 11):
        histogram.observe(value)
    assert histogram.counts == [2, 2, 1]
    assert histogram.total == 23.5
