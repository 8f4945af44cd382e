from edge.golden import self_test


def test_a_fresh_bundle_verifies(make_bundle) -> None:
    assert self_test(make_bundle()) == 40
